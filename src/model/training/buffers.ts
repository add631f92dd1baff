import type { BufferScope } from "../../gpu/arena.ts";
import { UNIFORM_USAGE } from "../../gpu/arena.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { uploadStorage } from "../../kernels/buffers.ts";
import { columnSumBytes } from "../../kernels/column-sum/column-sum.ts";
import { CROSS_ENTROPY_STATE_BYTES } from "../../kernels/cross-entropy/cross-entropy.ts";
import { gemmShape, partialBytes, splitsFor } from "../../kernels/gemm/gemm.ts";
import type { GemmShape } from "../../kernels/gemm/source.ts";
import { ropeFrequencies, ropeTable } from "../../kernels/rope/rope.ts";
import { maxAttentionTiles } from "../../kernels/varlen-attention/varlen-attention.ts";
import { ACTIVATION_PAD, roundUp } from "../../kernels/weights/format.ts";
import type { ModelSpec } from "../spec.ts";

export interface TrainingSizes {
  /** Tokens of a packed batch at most. */
  readonly maxTokens: number;
  /** Positions a sequence can have at most. */
  readonly maxLength: number;
  /**
   * Keep every layer's activations from the forward pass; otherwise only its input is kept and the layer is run again
   * in the backward pass (Chen et al. 2016), which takes a quarter more arithmetic and a layer's memory instead of all.
   */
  readonly keepActivations: boolean;
}

/** One layer's activations, rows padded to 32 floats. */
export interface LayerActivations {
  readonly normed: GPUBuffer;
  readonly qkv: GPUBuffer;
  readonly attention: GPUBuffer;
  readonly lse: GPUBuffer;
  readonly middle: GPUBuffer;
  readonly mlpNormed: GPUBuffer;
  readonly gateUp: GPUBuffer;
  readonly inner: GPUBuffer;
}

/** Everything the training kernels read and write beside weights, allocated once. */
export interface TrainingBuffers {
  /** Uniforms: rows of the batch; rows that are scored. */
  readonly step: GPUBuffer;
  readonly lossStep: GPUBuffer;
  /** vec4<u32> per row: token, position, 0, 0. */
  readonly rows: GPUBuffer;
  readonly lastToken: GPUBuffer;
  readonly tiles: GPUBuffer;
  readonly rope: GPUBuffer;
  readonly tokens: GPUBuffer;
  readonly places: GPUBuffer;
  readonly lossRows: GPUBuffer;
  readonly targets: GPUBuffer;
  /** Residual stream before each layer and after the last [layers + 1][rows, hidden]. */
  readonly hidden: readonly GPUBuffer[];
  /** Per layer; the same for all unless they are kept. */
  readonly layers: readonly LayerActivations[];
  readonly finalNormed: GPUBuffer;
  readonly logits: GPUBuffer;
  readonly state: GPUBuffer;
}

/** What the backward pass needs besides. */
export interface GradientBuffers {
  readonly factors: GPUBuffer;
  readonly dHidden: GPUBuffer;
  readonly dNormed: GPUBuffer;
  readonly dQkv: GPUBuffer;
  readonly dAttention: GPUBuffer;
  readonly dGateUp: GPUBuffer;
  readonly dInner: GPUBuffer;
  readonly dFinal: GPUBuffer;
  readonly gathered: GPUBuffer;
  readonly delta: GPUBuffer;
  readonly inverse: GPUBuffer;
  readonly columnPartial: GPUBuffer;
  readonly gemmPartial: GPUBuffer;
}

export function qkvWidth({ heads, kvHeads, headDim }: ModelSpec): number {
  return (heads + 2 * kvHeads) * headDim;
}

/** Columns between gate and up in the training layout, where each is padded as an activation is. */
export function gateUpColumns(spec: ModelSpec): number {
  return roundUp(spec.intermediateSize, ACTIVATION_PAD);
}

/** Bytes of logits in memory at most: the vocabulary is taken in chunks that fit. */
const LOGIT_BYTES = 64 * 1024 * 1024;

/** Tokens of a chunk of the vocabulary, a multiple of 64. */
export function vocabularyChunk(spec: ModelSpec, maxTokens: number): number {
  const fit = Math.max(64, Math.floor(LOGIT_BYTES / 4 / maxTokens / 64) * 64);
  return Math.min(roundUp(spec.vocabSize, ACTIVATION_PAD), fit);
}

/** Bytes of the training buffers: of `hidden` those of one, of `layer` those of one layer. */
export interface TrainingBytes {
  readonly shared: Readonly<Record<Exclude<keyof TrainingBuffers, "hidden" | "layers">, number>>;
  readonly hidden: number;
  readonly layer: Readonly<Record<keyof LayerActivations, number>>;
}

export function trainingBytes(spec: ModelSpec, { maxTokens, maxLength }: TrainingSizes): TrainingBytes {
  const rows = (width: number): number => rowsBytes(maxTokens, width);
  return {
    shared: {
      step: 16,
      lossStep: 16,
      rows: maxTokens * 16,
      lastToken: 16,
      tiles: maxAttentionTiles(maxTokens, maxTokens) * 16,
      rope: maxLength * spec.headDim * 4,
      tokens: Math.min(maxTokens, spec.vocabSize) * 16,
      places: maxTokens * 4,
      lossRows: maxTokens * 4,
      targets: maxTokens * 4,
      finalNormed: rows(spec.hiddenSize),
      logits: maxTokens * vocabularyChunk(spec, maxTokens) * 4,
      state: maxTokens * CROSS_ENTROPY_STATE_BYTES,
    },
    hidden: rows(spec.hiddenSize),
    layer: {
      normed: rows(spec.hiddenSize),
      qkv: rows(qkvWidth(spec)),
      attention: rows(spec.heads * spec.headDim),
      lse: maxTokens * spec.heads * 4,
      middle: rows(spec.hiddenSize),
      mlpNormed: rows(spec.hiddenSize),
      gateUp: rows(2 * gateUpColumns(spec)),
      inner: rows(spec.intermediateSize),
    },
  };
}

export function allocateTraining(
  context: GpuContext,
  scope: BufferScope,
  spec: ModelSpec,
  sizes: TrainingSizes,
): TrainingBuffers {
  const bytes = trainingBytes(spec, sizes);
  const storage = (name: Exclude<keyof TrainingBuffers, "hidden" | "layers">): GPUBuffer =>
    scope.create(name, bytes.shared[name]);
  const layer = (i: number): LayerActivations => {
    const own = (name: keyof LayerActivations): GPUBuffer => scope.create(`${i}.${name}`, bytes.layer[name]);
    return {
      normed: own("normed"),
      qkv: own("qkv"),
      attention: own("attention"),
      lse: own("lse"),
      middle: own("middle"),
      mlpNormed: own("mlpNormed"),
      gateUp: own("gateUp"),
      inner: own("inner"),
    };
  };
  const shared = sizes.keepActivations ? undefined : layer(0);
  const frequencies = ropeFrequencies(spec.headDim, spec.ropeTheta, spec.ropeScaling);
  return {
    step: scope.create("step", bytes.shared.step, UNIFORM_USAGE),
    lossStep: scope.create("loss_step", bytes.shared.lossStep, UNIFORM_USAGE),
    rows: storage("rows"),
    lastToken: storage("lastToken"),
    tiles: storage("tiles"),
    rope: uploadStorage(context, scope, "rope", ropeTable(frequencies, sizes.maxLength)),
    tokens: storage("tokens"),
    places: storage("places"),
    lossRows: storage("lossRows"),
    targets: storage("targets"),
    hidden: Array.from({ length: spec.layers + 1 }, (_, i) => scope.create(`hidden.${i}`, bytes.hidden)),
    layers: Array.from({ length: spec.layers }, (_, i) => shared ?? layer(i)),
    finalNormed: storage("finalNormed"),
    logits: storage("logits"),
    state: storage("state"),
  };
}

/** Bytes of what the backward pass needs besides. */
export function gradientBytes(
  spec: ModelSpec,
  { maxTokens }: Pick<TrainingSizes, "maxTokens">,
  shape: GemmShape,
): Readonly<Record<keyof GradientBuffers, number>> {
  const rows = (width: number): number => rowsBytes(maxTokens, width);
  const { hiddenSize, intermediateSize, heads, headDim } = spec;
  const partials = [
    [qkvWidth(spec), hiddenSize],
    [hiddenSize, heads * headDim],
    [intermediateSize, hiddenSize],
    [hiddenSize, intermediateSize],
    [vocabularyChunk(spec, maxTokens), hiddenSize],
    // Adapters: a rank is never above the width.
    [hiddenSize, hiddenSize],
  ].map(([n = 0, k = 0]) => partialBytes(n, k, splitsFor(shape, n, k, maxTokens)));
  return {
    factors: maxTokens * 8,
    dHidden: rows(hiddenSize),
    dNormed: rows(hiddenSize),
    dQkv: rows(qkvWidth(spec)),
    dAttention: rows(heads * headDim),
    dGateUp: rows(2 * gateUpColumns(spec)),
    dInner: rows(intermediateSize),
    dFinal: rows(hiddenSize),
    gathered: rows(hiddenSize),
    delta: maxTokens * heads * 4,
    inverse: maxTokens * 4,
    columnPartial: columnSumBytes(maxTokens, Math.max(hiddenSize, qkvWidth(spec))),
    gemmPartial: Math.max(16, ...partials),
  };
}

export function allocateGradients(
  context: GpuContext,
  scope: BufferScope,
  spec: ModelSpec,
  sizes: TrainingSizes,
): GradientBuffers {
  const bytes = gradientBytes(spec, sizes, gemmShape(context));
  const storage = (name: keyof GradientBuffers): GPUBuffer => scope.create(name, bytes[name]);
  return {
    factors: storage("factors"),
    dHidden: storage("dHidden"),
    dNormed: storage("dNormed"),
    dQkv: storage("dQkv"),
    dAttention: storage("dAttention"),
    dGateUp: storage("dGateUp"),
    dInner: storage("dInner"),
    dFinal: storage("dFinal"),
    gathered: storage("gathered"),
    delta: storage("delta"),
    inverse: storage("inverse"),
    columnPartial: storage("columnPartial"),
    gemmPartial: storage("gemmPartial"),
  };
}

function rowsBytes(maxTokens: number, width: number): number {
  return maxTokens * roundUp(width, ACTIVATION_PAD) * 4;
}
