import { UNIFORM_USAGE } from "../gpu/arena.ts";
import type { BufferScope } from "../gpu/arena.ts";
import type { GpuContext } from "../gpu/device.ts";
import { ropeFrequencies, ropeTable } from "../kernels/rope/rope.ts";
import { seenWords } from "../kernels/sample/sample.ts";
import { ACTIVATION_PAD, roundUp } from "../kernels/weights/format.ts";
import type { ModelSpec } from "./spec.ts";

/** Element type of a cache. */
export type KvFormat = "f32" | "f16";

export interface SessionSizes {
  /** Sequences that decode together, at most. */
  readonly maxSequences: number;
  /** Positions the rotary table covers: the longest context. */
  readonly contextTokens: number;
  /** Cache rows (tokens) shared by all sequences. */
  readonly kvTokens: number;
  /** Prompt tokens processed at a time. */
  readonly prefillRows: number;
  readonly kv: KvFormat;
}

/** What an adapter over a session's model takes in the session besides; see `SessionAdapter`. */
export interface AdapterSessionBytes {
  /** x · Aᵀ [rows, rank padded to 32]. */
  readonly low: number;
  /** Behind the rotary table: what is added to q, k and v [rows, columns]; 0 where none of them is adapted. */
  readonly qkv: number;
  /** What is added to gate and up [rows, columns]; 0 where neither is adapted. */
  readonly gateUp: number;
}

/** Everything a session's kernels read and write, allocated once. Activations are f32, rows padded to 32 floats. */
export interface SessionBuffers {
  /** Residual stream [rows, hidden]. */
  readonly hidden: GPUBuffer;
  readonly normed: GPUBuffer;
  readonly q: GPUBuffer;
  /** Attention output [rows, heads × headDim]. */
  readonly attention: GPUBuffer;
  /** silu(gate) · up [rows, intermediate]. */
  readonly inner: GPUBuffer;
  /** [maxSequences, logitStride]. */
  readonly logits: GPUBuffer;
  /** vec4<u32> per row: token, position, cache row, slot. */
  readonly rows: GPUBuffer;
  /** Two vec4<u32> per sequence of the step; see the attention kernel. */
  readonly seqs: GPUBuffer;
  /** vec2<u32> per prefill tile. */
  readonly tiles: GPUBuffer;
  /** Uniform: rows of the step. */
  readonly step: GPUBuffer;
  readonly rope: GPUBuffer;
  /** u32 per slot. */
  readonly lastToken: GPUBuffer;
  /** Bit per vocabulary entry, per slot. */
  readonly seen: GPUBuffer;
  /** Per layer: per cache row K of all KV heads, then V. */
  readonly kv: readonly GPUBuffer[];
}

/** Floats between rows of the logits. */
export function logitStride(spec: ModelSpec): number {
  return roundUp(spec.vocabSize, 4);
}

/** Sequences alive at a time: each that decodes, and for each at most one prompt that it was forked from. */
export function slotCount(sizes: SessionSizes): number {
  return 2 * sizes.maxSequences;
}

/** Prefill tiles of a step: at most one per sequence more than the rows fill. */
export function maxTiles(spec: ModelSpec, sizes: SessionSizes): number {
  return Math.ceil((sizes.prefillRows * spec.heads) / spec.kvHeads / 16) + sizes.prefillRows;
}

/** Rows that go through the layers at once, at most. */
export function sessionRows({ prefillRows, maxSequences }: SessionSizes): number {
  return Math.max(prefillRows, maxSequences);
}

/** Bytes of the rotary table; what follows it begins where a binding may. */
export function ropeTableBytes(spec: ModelSpec, sizes: SessionSizes): number {
  return roundUp(sizes.contextTokens * spec.headDim * 4, 256);
}

/** Bytes of each of a session's buffers; of `kv` those of one layer. */
export function sessionBytes(
  spec: ModelSpec,
  sizes: SessionSizes,
  adapter?: AdapterSessionBytes,
): Readonly<Record<keyof SessionBuffers, number>> {
  const rows = sessionRows(sizes);
  const activation = (width: number): number => rows * roundUp(width, ACTIVATION_PAD) * 4;
  const cell = sizes.kv === "f16" ? 2 : 4;
  return {
    hidden: activation(spec.hiddenSize),
    normed: activation(spec.hiddenSize),
    q: activation(spec.heads * spec.headDim),
    attention: activation(spec.heads * spec.headDim),
    inner: activation(spec.intermediateSize),
    logits: sizes.maxSequences * logitStride(spec) * 4,
    rows: rows * 16,
    seqs: rows * 32,
    tiles: maxTiles(spec, sizes) * 8,
    step: 16,
    rope: ropeTableBytes(spec, sizes) + (adapter?.qkv ?? 0),
    lastToken: slotCount(sizes) * 4,
    seen: slotCount(sizes) * seenWords(spec.vocabSize) * 4,
    kv: sizes.kvTokens * 2 * spec.kvHeads * spec.headDim * cell,
  };
}

export function allocateSession(
  context: GpuContext,
  scope: BufferScope,
  spec: ModelSpec,
  sizes: SessionSizes,
  adapter?: AdapterSessionBytes,
): SessionBuffers {
  const bytes = sessionBytes(spec, sizes, adapter);
  const storage = (name: keyof SessionBuffers): GPUBuffer => scope.create(name, bytes[name]);
  const frequencies = ropeFrequencies(spec.headDim, spec.ropeTheta, spec.ropeScaling);
  const rope = storage("rope");
  context.write(rope, ropeTable(frequencies, sizes.contextTokens));
  return {
    hidden: storage("hidden"),
    normed: storage("normed"),
    q: storage("q"),
    attention: storage("attention"),
    inner: storage("inner"),
    logits: storage("logits"),
    rows: storage("rows"),
    seqs: storage("seqs"),
    tiles: storage("tiles"),
    step: scope.create("step", bytes.step, UNIFORM_USAGE),
    rope,
    lastToken: storage("lastToken"),
    seen: storage("seen"),
    kv: Array.from({ length: spec.layers }, (_, i) => scope.create(`kv.${i}`, bytes.kv)),
  };
}
