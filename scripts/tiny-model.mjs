/**
 * The built-in model: a Qwen2 of about 100 thousand random weights in Hugging Face's layout. It is not trained and not
 * meant to be: it takes the whole path from files to kernels to text where a real checkpoint would be a large download.
 */

export const TINY_MODEL = "tiny-random";

const SIZES = {
  hidden_size: 64,
  intermediate_size: 176,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
};

/** One whose output is varied and has spaces. */
const SEED = 2;
/** Of matrices and biases: wide enough that what comes next depends on more than the last token. */
const WEIGHT_SD = 0.2;
const EMBEDDING_SD = 0.2;
/**
 * The first dimensions of an embedding say how readable the token is; the layers' norms hide them from the layers. Since
 * the output projection is the embedding table, readable input makes readable output likely. Without this, half of the
 * output would be broken UTF-8.
 */
const MARK_DIMENSIONS = 8;
const MARK = 2.5;

/**
 * @param {{ tokenizerJson: object, tokenizerConfig: object }} text the tokenizer's two files
 * @returns {Record<string, string | Uint8Array>} content by file name, the same on every machine
 */
export function tinyModelFiles({ tokenizerJson, tokenizerConfig }) {
  const pieces = Object.entries(tokenizerJson.model.vocab);
  const idOf = (token) => tokenizerJson.added_tokens.find(({ content }) => content === token).id;
  const [bos, eos] = [idOf(tokenizerConfig.bos_token), idOf(tokenizerConfig.eos_token)];
  const config = {
    architectures: ["Qwen2ForCausalLM"],
    model_type: "qwen2",
    ...SIZES,
    hidden_act: "silu",
    vocab_size: pieces.length + tokenizerJson.added_tokens.length,
    max_position_embeddings: 4096,
    rms_norm_eps: 1e-6,
    rope_theta: 10000,
    tie_word_embeddings: true,
    torch_dtype: "bfloat16",
    bos_token_id: bos,
    eos_token_id: eos,
  };
  // DeepSeek's recommendation for R1.
  const generation = { do_sample: true, temperature: 0.6, top_p: 0.95, bos_token_id: bos, eos_token_id: eos };
  const marks = pieces.map(([piece]) => markOf(piece));
  const tensors = randomTensors(config, [...marks, ...tokenizerJson.added_tokens.map(() => MARK / 3)]);
  return {
    "config.json": json(config),
    "generation_config.json": json(generation),
    "model.safetensors": safetensors(tensors),
    "tokenizer.json": json(tokenizerJson),
    "tokenizer_config.json": json(tokenizerConfig),
    "README.md": modelCard(tensors),
  };
}

function json(value) {
  return `${JSON.stringify(value, null, 1)}\n`;
}

/** Letters, spaces (written "Ġ") and their merges are readable; the rest of ASCII invites them but is not chosen. */
function markOf(piece) {
  if (/^(Ġ?[a-z]*|Ġ?Wait)$/.test(piece)) return MARK;
  return /^[!-~Ċ]$/.test(piece) ? MARK / 3 : 0;
}

/** Every weight as bfloat16 bits, under its Hugging Face name, [out, in] for matrices. */
function randomTensors(config, marks) {
  const { hidden_size: hidden, intermediate_size: inner, head_dim: headDim, vocab_size: vocab } = config;
  const [queries, keys] = [config.num_attention_heads * headDim, config.num_key_value_heads * headDim];
  const next = randomNumbers(SEED);
  const tensors = {};
  const add = (name, shape, value) => {
    const count = shape.reduce((a, b) => a * b, 1);
    tensors[name] = { shape, data: Uint16Array.from({ length: count }, (_, i) => bfloat16(value(i))) };
  };
  const random = () => next() * WEIGHT_SD;
  const norm = (i) => (i < MARK_DIMENSIONS ? 0 : 1);
  const embedding = (i) => (i % hidden < MARK_DIMENSIONS ? marks[Math.floor(i / hidden)] : next() * EMBEDDING_SD);
  const into = (width) => (i) => (i < MARK_DIMENSIONS * width ? 0 : random());
  add("model.embed_tokens.weight", [vocab, hidden], embedding);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}`;
    add(`${at}.input_layernorm.weight`, [hidden], norm);
    for (const [name, rows] of Object.entries({ q: queries, k: keys, v: keys })) {
      add(`${at}.self_attn.${name}_proj.weight`, [rows, hidden], random);
      add(`${at}.self_attn.${name}_proj.bias`, [rows], random);
    }
    add(`${at}.self_attn.o_proj.weight`, [hidden, queries], into(queries));
    add(`${at}.post_attention_layernorm.weight`, [hidden], norm);
    for (const name of ["gate", "up"]) add(`${at}.mlp.${name}_proj.weight`, [inner, hidden], random);
    add(`${at}.mlp.down_proj.weight`, [hidden, inner], into(inner));
  }
  add("model.norm.weight", [hidden], () => 1);
  return tensors;
}

/**
 * Numbers of mean 0 and standard deviation 1: sums of uniform ones (Irwin–Hall) from a 32-bit generator (mulberry32), all
 * in exact arithmetic, so that every machine makes the same file.
 */
function randomNumbers(seed) {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
  // The variance of a sum of 12 is 1.
  return () => Array.from({ length: 12 }, uniform).reduce((a, b) => a + b, -6);
}

/** The upper half of a float32's bits, rounded to nearest, ties to even. */
function bfloat16(value) {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0];
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function safetensors(tensors) {
  let end = 0;
  const header = { __metadata__: { format: "pt" } };
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: "BF16", shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // Readers want the data aligned; the reference writer pads with spaces.
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + headerBytes + end).fill(0x20, 8, 8 + headerBytes);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(headerBytes), true);
  file.set(text, 8);
  let at = 8 + headerBytes;
  for (const { data } of Object.values(tensors)) {
    for (const bits of data) {
      view.setUint16(at, bits, true);
      at += 2;
    }
  }
  return file;
}

function modelCard(tensors) {
  const parameters = Object.values(tensors).reduce((sum, { data }) => sum + data.length, 0);
  return `---
license: mit
tags: [random-weights, untrained]
---

# ${TINY_MODEL}

**Random weights. Not trained, on anything.** What it writes means nothing; it has no accuracy to measure.

It exists so that the page, the command line and the tests can take the whole path, from files over the tokenizer, the
chat template and the GPU's kernels to a thought and an answer, without a download.

| | |
|---|---|
| architecture | Qwen2ForCausalLM: ${SIZES.num_hidden_layers} layers, hidden ${SIZES.hidden_size}, ${SIZES.num_attention_heads} heads, ${SIZES.num_key_value_heads} KV heads, tied embeddings |
| parameters | ${parameters}, bfloat16 |
| tokenizer | byte-level BPE: 256 bytes, ${tensors["model.embed_tokens.weight"].shape[0] - 262} merges, R1's special tokens and tags |
| chat template | behaves as R1-Distill's: the reply begins inside a thought |
| data, recipe | none: numbers from a fixed seed (\`npm run make:tiny-model\` writes the same bytes again) |

One thing is not random: the first ${MARK_DIMENSIONS} dimensions of an embedding mark letters, spaces and merges, and the layers neither
see nor change them, so that most of the output is letters and not broken UTF-8. The model does not end its thoughts by
itself; with a think budget, an answer follows.
`;
}
