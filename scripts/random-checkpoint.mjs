import { closeSync, existsSync, copyFileSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/**
 * A checkpoint of random weights in the exact names, shapes, type and order of DeepSeek-R1-Distill-Qwen-1.5B's, for all
 * that depends on size and not on what the weights have learned: loading, memory, speed.
 */

/** `config.json` of deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B. */
export const R1_QWEN_1_5B = {
  architectures: ["Qwen2ForCausalLM"],
  attention_dropout: 0,
  bos_token_id: 151643,
  eos_token_id: 151643,
  hidden_act: "silu",
  hidden_size: 1536,
  initializer_range: 0.02,
  intermediate_size: 8960,
  max_position_embeddings: 131072,
  max_window_layers: 21,
  model_type: "qwen2",
  num_attention_heads: 12,
  num_hidden_layers: 28,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  sliding_window: 4096,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
  use_cache: true,
  use_mrope: false,
  use_sliding_window: false,
  vocab_size: 151936,
};

const GENERATION = { bos_token_id: 151646, do_sample: true, eos_token_id: 151643, temperature: 0.6, top_p: 0.95 };

/** Beside `tokenizer.json`, what a tokenizer's folder may have. */
const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"];

const NORMALS = 1 << 16;
const WRITE_BYTES = 8 << 20;

/**
 * Every tensor in the order in which the file holds them, that of its names.
 * @param {object} config
 * @returns {{ name: string, shape: number[], sd: number }[]} with the standard deviation of its values; 0 for norms, which
 *   are 1
 */
export function checkpointTensors(config) {
  const { hidden_size: hidden, intermediate_size: inner, num_hidden_layers: layers, vocab_size: vocab } = config;
  const headDim = config.head_dim ?? hidden / config.num_attention_heads;
  const [queries, keys] = [config.num_attention_heads * headDim, config.num_key_value_heads * headDim];
  const sd = config.initializer_range;
  // GPT-2's rule: what is added to the residual stream is smaller the more layers add to it.
  const added = sd / Math.sqrt(2 * layers);
  const matrices = [
    { name: "model.embed_tokens.weight", shape: [vocab, hidden], sd },
    { name: "model.norm.weight", shape: [hidden], sd: 0 },
    ...(config.tie_word_embeddings ? [] : [{ name: "lm_head.weight", shape: [vocab, hidden], sd }]),
  ];
  for (let i = 0; i < layers; i++) {
    const add = (name, shape, deviation = sd) =>
      matrices.push({ name: `model.layers.${i}.${name}`, shape, sd: deviation });
    for (const name of ["input_layernorm", "post_attention_layernorm"]) add(`${name}.weight`, [hidden], 0);
    for (const [name, rows] of Object.entries({ q: queries, k: keys, v: keys })) {
      add(`self_attn.${name}_proj.weight`, [rows, hidden]);
      add(`self_attn.${name}_proj.bias`, [rows]);
    }
    add("self_attn.o_proj.weight", [hidden, queries], added);
    for (const name of ["gate", "up"]) add(`mlp.${name}_proj.weight`, [inner, hidden]);
    add("mlp.down_proj.weight", [hidden, inner], added);
  }
  return matrices.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Writes a folder; the same bytes for the same configuration and seed on every machine.
 * @param {{ folder: string, config?: object, seed?: number, tokenizer?: string, tokenizerConfig?: object }} options
 *   `tokenizer` is a folder whose tokenizer is copied, `tokenizerConfig` stands in for the configuration it lacks
 * @returns {number} bytes of the weights' file
 */
export function writeRandomCheckpoint({ folder, config = R1_QWEN_1_5B, seed = 0, tokenizer, tokenizerConfig }) {
  mkdirSync(folder, { recursive: true });
  const json = (name, value) => writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  json("config.json", config);
  json("generation_config.json", GENERATION);
  if (tokenizer) {
    for (const name of TOKENIZER_FILES) {
      if (existsSync(join(tokenizer, name))) copyFileSync(join(tokenizer, name), join(folder, name));
      else if (name === "tokenizer_config.json" && tokenizerConfig) json(name, tokenizerConfig);
    }
  }
  return writeWeights(join(folder, "model.safetensors"), checkpointTensors(config), seed);
}

function writeWeights(path, tensors, seed) {
  const file = openSync(path, "w");
  try {
    const header = headerOf(tensors);
    writeSync(file, header);
    const normals = normalTable();
    const tables = new Map();
    const chunk = new Uint16Array(WRITE_BYTES / 2);
    const bytes = new Uint8Array(chunk.buffer);
    let [filled, counter, total] = [0, 0, header.byteLength];
    const flush = () => {
      for (let at = 0; at < filled * 2;) at += writeSync(file, bytes, at, filled * 2 - at);
      total += filled * 2;
      filled = 0;
    };
    for (const { shape, sd } of tensors) {
      const table = tables.get(sd) ?? normals.map((normal) => bfloat16(sd === 0 ? 1 : normal * sd));
      tables.set(sd, table);
      const end = counter + shape.reduce((a, b) => a * b, 1);
      while (counter < end) {
        const count = Math.min(end - counter, chunk.length - filled);
        fill(chunk.subarray(filled, filled + count), table, seed, counter);
        counter += count;
        filled += count;
        if (filled === chunk.length) flush();
      }
    }
    flush();
    return total;
  } finally {
    closeSync(file);
  }
}

/** Entries of the table at random, each decided by the seed and its place in the file alone. */
function fill(target, table, seed, counter) {
  for (let i = 0; i < target.length; i++) {
    // A bijection of 32 bits (hash-prospector's "lowbias32"), so that no two places of a file have the same number.
    let bits = (counter + i) ^ Math.imul(seed, 0x9e3779b9);
    bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
    bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
    target[i] = table[(bits ^ (bits >>> 16)) >>> 16];
  }
}

/** Numbers of mean 0 and deviation 1: sums of uniform ones (Irwin–Hall) in exact arithmetic, 32-bit xorshift. */
function normalTable() {
  let state = 1;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  // The variance of a sum of 12 is 1.
  return Float64Array.from({ length: NORMALS }, () => Array.from({ length: 12 }, uniform).reduce((a, b) => a + b, -6));
}

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);

/** The upper half of a float32's bits, rounded to nearest, ties to even. */
function bfloat16(value) {
  FLOAT[0] = value;
  return (BITS[0] + 0x7fff + ((BITS[0] >>> 16) & 1)) >>> 16;
}

function headerOf(tensors) {
  let end = 0;
  const header = { __metadata__: { format: "pt" } };
  for (const { name, shape } of tensors) {
    const begin = end;
    end += 2 * shape.reduce((a, b) => a * b, 1);
    header[name] = { dtype: "BF16", shape, data_offsets: [begin, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // The reference writer pads the header with spaces, so that the data is aligned.
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  return bytes;
}
