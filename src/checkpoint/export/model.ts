import { R1Error, throwIfAborted } from "../../errors.ts";
import type { Checkpoint, CheckpointTensor } from "../checkpoint.ts";
import { floatDtypeOf, isFloatDtype } from "../floats.ts";
import type { FloatDtype } from "../floats.ts";
import { requireFinite } from "../finite.ts";
import { dequantize, readableDtypeOf } from "../gguf/dequantize/dequantize.ts";
import { GGML_TYPES, ggmlBytes } from "../gguf/ggml-type.ts";

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

/** @throws R1Error E_TENSOR_MISSING, E_DTYPE unless the tensor is F32, F16 or BF16 */
export function floatType(checkpoint: Checkpoint, name: string): FloatDtype {
  return floatDtypeOf(tensorOf(checkpoint, name));
}

/**
 * The tensor's own type, or f32 for a quantized one, whose values f32 holds exactly or nearly.
 * @throws R1Error E_TENSOR_MISSING, E_DTYPE
 */
export function nearestFloatType(checkpoint: Checkpoint, name: string): FloatDtype {
  const dtype = readableDtypeOf(tensorOf(checkpoint, name));
  return isFloatDtype(dtype) ? dtype : "F32";
}

function tensorOf(checkpoint: Checkpoint, name: string): CheckpointTensor {
  const tensor = checkpoint.tensors.get(name);
  if (tensor) return tensor;
  throw new R1Error("E_TENSOR_MISSING", `tensor ${name} is missing`, { name });
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
  const type = readableDtypeOf(tensorOf(checkpoint, name));
  const { block } = GGML_TYPES[type];
  const whole = unit % block === 0 ? unit : unit * block;
  const size = ggmlBytes(type, whole);
  const total = ggmlBytes(type, elementCount(shape));
  const step = Math.max(1, Math.floor(SLAB_BYTES / size)) * size;
  for (let begin = 0; begin < total; begin += step) {
    throwIfAborted(signal);
    yield dequantize(type, await readFinite(checkpoint, name, begin, Math.min(total, begin + step), signal));
  }
}

/**
 * Bytes [begin, end) of a tensor, whole blocks of it.
 * @throws R1Error E_NOT_FINITE: a broken model is named rather than handed on; E_TENSOR_MISSING, E_DTYPE
 */
export async function readFinite(
  checkpoint: Checkpoint,
  name: string,
  begin = 0,
  end?: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const tensor = tensorOf(checkpoint, name);
  const type = readableDtypeOf(tensor);
  const { block, bytes: size } = GGML_TYPES[type];
  const bytes = await checkpoint.read(name, begin, end, signal);
  requireFinite(tensor, type, bytes, (begin / size) * block);
  return bytes;
}
