import type { BufferScope } from "../../gpu/arena.ts";
import { UNIFORM_USAGE } from "../../gpu/arena.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { uploadStorage } from "../../kernels/buffers.ts";
import { columnSumBytes } from "../../kernels/column-sum/column-sum.ts";
import { CROSS_ENTROPY_STATE_BYTES } from "../../kernels/cross-entropy/cross-entropy.ts";
import { gemmShape, partialBytes, splitsFor } from "../../kernels/gemm/gemm.ts";
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

export function allocateTraining(
  context: GpuContext,
  scope: BufferScope,
  spec: ModelSpec,
  sizes: TrainingSizes,
): TrainingBuffers {
  const { maxTokens } = sizes;
  const rows = rowsOf(scope, maxTokens);
  const layer = (i: number): LayerActivations => ({
    normed: rows(`${i}.normed`, spec.hiddenSize),
    qkv: rows(`${i}.qkv`, qkvWidth(spec)),
    attention: rows(`${i}.attention`, spec.heads * spec.headDim),
    lse: scope.create(`${i}.lse`, maxTokens * spec.heads * 4),
    middle: rows(`${i}.middle`, spec.hiddenSize),
    mlpNormed: rows(`${i}.mlp_normed`, spec.hiddenSize),
    gateUp: rows(`${i}.gate_up`, 2 * gateUpColumns(spec)),
    inner: rows(`${i}.inner`, spec.intermediateSize),
  });
  const shared = sizes.keepActivations ? undefined : layer(0);
  const frequencies = ropeFrequencies(spec.headDim, spec.ropeTheta, spec.ropeScaling);
  return {
    step: scope.create("step", 16, UNIFORM_USAGE),
    lossStep: scope.create("loss_step", 16, UNIFORM_USAGE),
    rows: scope.create("rows", maxTokens * 16),
    lastToken: scope.create("last_token", 16),
    tiles: scope.create("tiles", maxAttentionTiles(maxTokens, maxTokens) * 16),
    rope: uploadStorage(context, scope, "rope", ropeTable(frequencies, sizes.maxLength)),
    tokens: scope.create("tokens", Math.min(maxTokens, spec.vocabSize) * 16),
    places: scope.create("places", maxTokens * 4),
    lossRows: scope.create("loss_rows", maxTokens * 4),
    targets: scope.create("targets", maxTokens * 4),
    hidden: Array.from({ length: spec.layers + 1 }, (_, i) => rows(`hidden.${i}`, spec.hiddenSize)),
    layers: Array.from({ length: spec.layers }, (_, i) => shared ?? layer(i)),
    finalNormed: rows("final_normed", spec.hiddenSize),
    logits: scope.create("logits", maxTokens * vocabularyChunk(spec, maxTokens) * 4),
    state: scope.create("state", maxTokens * CROSS_ENTROPY_STATE_BYTES),
  };
}

export function allocateGradients(
  context: GpuContext,
  scope: BufferScope,
  spec: ModelSpec,
  { maxTokens }: TrainingSizes,
): GradientBuffers {
  const rows = rowsOf(scope, maxTokens);
  const { hiddenSize, intermediateSize, heads, headDim } = spec;
  const shape = gemmShape(context);
  const partials = [
    [qkvWidth(spec), hiddenSize],
    [hiddenSize, heads * headDim],
    [intermediateSize, hiddenSize],
    [hiddenSize, intermediateSize],
    [vocabularyChunk(spec, maxTokens), hiddenSize],
    // Adapters: a rank is never above the width.
    [hiddenSize, hiddenSize],
  ].map(([n = 0, k = 0]) => partialBytes(n, k, splitsFor(shape, n, k, maxTokens)));
  const widest = Math.max(hiddenSize, qkvWidth(spec));
  return {
    factors: scope.create("factors", maxTokens * 8),
    dHidden: rows("d_hidden", hiddenSize),
    dNormed: rows("d_normed", hiddenSize),
    dQkv: rows("d_qkv", qkvWidth(spec)),
    dAttention: rows("d_attention", heads * headDim),
    dGateUp: rows("d_gate_up", 2 * gateUpColumns(spec)),
    dInner: rows("d_inner", intermediateSize),
    dFinal: rows("d_final", hiddenSize),
    gathered: rows("gathered", hiddenSize),
    delta: scope.create("delta", maxTokens * heads * 4),
    inverse: scope.create("inverse", maxTokens * 4),
    columnPartial: scope.create("column_partial", columnSumBytes(maxTokens, widest)),
    gemmPartial: scope.create("gemm_partial", Math.max(16, ...partials)),
  };
}

function rowsOf(scope: BufferScope, maxTokens: number): (name: string, width: number) => GPUBuffer {
  return (name, width) => scope.create(name, maxTokens * roundUp(width, ACTIVATION_PAD) * 4);
}
