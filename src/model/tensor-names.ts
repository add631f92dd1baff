import { R1Error } from "../errors.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { quote } from "../checkpoint/quote.ts";
import { readableDtypeOf } from "../checkpoint/gguf/dequantize/dequantize.ts";
import type { ModelSpec } from "./spec.ts";

/** A tensor that the model needs, under its Hugging Face name. */
export interface WantedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface LayerTensors {
  readonly inputNorm: WantedTensor;
  /** q, k, v. */
  readonly qkv: readonly WantedTensor[];
  /** Biases of q, k, v; empty where the architecture has none. */
  readonly qkvBias: readonly WantedTensor[];
  readonly output: WantedTensor;
  readonly postNorm: WantedTensor;
  /** gate, up. */
  readonly gateUp: readonly WantedTensor[];
  readonly down: WantedTensor;
}

export interface ModelTensors {
  readonly embedding: WantedTensor;
  readonly layers: readonly LayerTensors[];
  readonly finalNorm: WantedTensor;
  /** Undefined where the output projection is the embedding. */
  readonly head: WantedTensor | undefined;
}

/** Every tensor of a Qwen2 or Llama checkpoint with its shape, [out, in] for matrices. */
export function modelTensors(spec: ModelSpec): ModelTensors {
  const { hiddenSize: hidden, intermediateSize: inner, headDim, vocabSize } = spec;
  const queries = spec.heads * headDim;
  const keys = spec.kvHeads * headDim;
  const tensor = (name: string, ...shape: number[]): WantedTensor => ({ name, shape });
  const layers = Array.from({ length: spec.layers }, (_, i): LayerTensors => {
    const at = `model.layers.${i}`;
    const projections = [["q", queries] as const, ["k", keys] as const, ["v", keys] as const];
    return {
      inputNorm: tensor(`${at}.input_layernorm.weight`, hidden),
      qkv: projections.map(([name, rows]) => tensor(`${at}.self_attn.${name}_proj.weight`, rows, hidden)),
      qkvBias: spec.qkvBias ? projections.map(([name, rows]) => tensor(`${at}.self_attn.${name}_proj.bias`, rows)) : [],
      output: tensor(`${at}.self_attn.o_proj.weight`, hidden, queries),
      postNorm: tensor(`${at}.post_attention_layernorm.weight`, hidden),
      gateUp: ["gate", "up"].map((name) => tensor(`${at}.mlp.${name}_proj.weight`, inner, hidden)),
      down: tensor(`${at}.mlp.down_proj.weight`, hidden, inner),
    };
  });
  return {
    embedding: tensor("model.embed_tokens.weight", vocabSize, hidden),
    layers,
    finalNorm: tensor("model.norm.weight", hidden),
    head: spec.tiedEmbeddings ? undefined : tensor("lm_head.weight", vocabSize, hidden),
  };
}

export function allTensors({ embedding, layers, finalNorm, head }: ModelTensors): readonly WantedTensor[] {
  return [
    embedding,
    ...layers.flatMap((layer) => [
      layer.inputNorm,
      ...layer.qkv,
      ...layer.qkvBias,
      layer.output,
      layer.postNorm,
      ...layer.gateUp,
      layer.down,
    ]),
    finalNorm,
    ...(head ? [head] : []),
  ];
}

/**
 * Checks that a checkpoint holds every tensor in its shape and in a type that can be read, before any memory is taken.
 * @throws R1Error E_TENSOR_MISSING, E_TENSOR_SHAPE, E_DTYPE naming the tensor
 */
export function checkTensors(checkpoint: Checkpoint, wanted: readonly WantedTensor[]): void {
  for (const { name, shape } of wanted) {
    const tensor = checkpoint.tensors.get(name);
    if (!tensor) {
      throw new R1Error(
        "E_TENSOR_MISSING",
        `tensor ${name} is missing; expected shape [${shape.join(", ")}]${insteadOf(name, checkpoint)}`,
        { name },
      );
    }
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, i) => size !== shape[i])) {
      throw new R1Error(
        "E_TENSOR_SHAPE",
        `tensor ${name} has shape [${tensor.shape.join(", ")}]; config.json makes it [${shape.join(", ")}]`,
        { name },
      );
    }
    readableDtypeOf(tensor);
  }
}

/** What a missing tensor may have been saved as, for the message. */
function insteadOf(name: string, { tensors }: Checkpoint): string {
  if (name === HEAD) return "; only with tie_word_embeddings true in config.json is it the embedding";
  const wrapped = [...tensors.keys()].find((other) => other.endsWith(`.${name}`));
  // As torch.compile (`_orig_mod.`), DataParallel (`module.`), PEFT and models with vision leave it there.
  if (wrapped !== undefined) return `, but found ${quote(wrapped)}; save the model without what it was wrapped in`;
  return "";
}

const HEAD = "lm_head.weight";
const EMBEDDING = "model.embed_tokens.weight";
/** Places of two tables that are compared, and bytes at each. */
const PLACES = 32;
const PLACE_BYTES = 64 << 10;

/**
 * Checks that an output projection which a tied model's checkpoint holds all the same is the embedding's copy: transformers
 * uses the one or the other, depending on its version. Compared are places all over the tables.
 * @throws R1Error E_CONFIG where it is not
 */
export async function checkTied(
  checkpoint: Checkpoint,
  { tiedEmbeddings }: Pick<ModelSpec, "tiedEmbeddings">,
  signal?: AbortSignal,
): Promise<void> {
  const [embedding, head] = [checkpoint.tensors.get(EMBEDDING), checkpoint.tensors.get(HEAD)];
  if (!tiedEmbeddings || !embedding || !head) return;
  const isSame = embedding.dtype === head.dtype && embedding.bytes === head.bytes;
  for (let i = 0; i < PLACES && isSame; i++) {
    const begin = Math.floor(((embedding.bytes - Math.min(embedding.bytes, PLACE_BYTES)) * i) / (PLACES - 1));
    const end = Math.min(embedding.bytes, begin + PLACE_BYTES);
    const one = await checkpoint.read(EMBEDDING, begin, end, signal);
    const other = await checkpoint.read(HEAD, begin, end, signal);
    if (one.some((byte, at) => byte !== other[at])) throw untied();
    if (embedding.bytes <= PLACE_BYTES) break;
  }
  if (!isSame) throw untied();
}

function untied(): R1Error {
  return new R1Error(
    "E_CONFIG",
    `config.json: tie_word_embeddings: found true, but ${HEAD} differs from ${EMBEDDING}; set it to false, or remove ${HEAD} from the file`,
    { field: "tie_word_embeddings" },
  );
}
