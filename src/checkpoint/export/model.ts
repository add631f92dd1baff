import { R1Error, throwIfAborted } from "../../errors.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { FLOAT_BYTES, floatDtypeOf, toFloats } from "../floats.ts";
import type { FloatDtype } from "../floats.ts";

/** Sizes and constants of a model, as `ModelSpec` has them. */
export interface ExportSpec {
  readonly architecture: "Qwen2ForCausalLM" | "LlamaForCausalLM";
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly ropeScaling: { readonly type: "none" | "llama3" } | { readonly type: "linear"; readonly factor: number };
  readonly qkvBias: boolean;
  readonly tiedEmbeddings: boolean;
  readonly maxPositions: number;
}

export interface ExportTensor {
  /** As in Hugging Face checkpoints. */
  readonly name: string;
  readonly shape: readonly number[];
}

/** What the writers need to know of a model; its tensors are read while they are written. */
export interface ExportModel {
  readonly name: string;
  readonly spec: ExportSpec;
  /** Radians per position of each rotary pair [headDim / 2], scaling applied. */
  readonly frequencies: Float64Array;
  /** `config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The model's tensors, from the embedding to the head. */
  readonly tensors: readonly ExportTensor[];
  readonly checkpoint: Checkpoint;
  /** Text files of the folder that belong to a model, by name: tokenizer, template, generation settings. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Bytes of a checkpoint in memory at a time where a tensor need not be whole. */
const SLAB_BYTES = 4 << 20;

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** @throws R1Error E_TENSOR_MISSING, E_DTYPE */
export function floatType(checkpoint: Checkpoint, name: string): FloatDtype {
  const tensor = checkpoint.tensors.get(name);
  if (!tensor) throw new R1Error("E_TENSOR_MISSING", `tensor ${name} is missing`, { name });
  return floatDtypeOf(tensor);
}

/**
 * A tensor's values in order, slab by slab.
 * @param unit each slab but the last has a multiple of so many elements
 */
export async function* floatSlabs(
  checkpoint: Checkpoint,
  { name, shape }: ExportTensor,
  unit: number,
  signal?: AbortSignal,
): AsyncGenerator<Float32Array<ArrayBuffer>> {
  const type = floatType(checkpoint, name);
  const size = FLOAT_BYTES[type];
  const total = elementCount(shape) * size;
  const step = Math.max(1, Math.floor(SLAB_BYTES / (size * unit))) * size * unit;
  for (let begin = 0; begin < total; begin += step) {
    throwIfAborted(signal);
    yield toFloats(await checkpoint.read(name, begin, Math.min(total, begin + step), signal), type);
  }
}
