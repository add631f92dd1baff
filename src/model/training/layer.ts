import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { ColumnSum } from "../../kernels/column-sum/column-sum.ts";
import { RmsNormGradient } from "../../kernels/rmsnorm/gradient.ts";
import { RmsNorm } from "../../kernels/rmsnorm/rmsnorm.ts";
import { PackedRope } from "../../kernels/rope/packed.ts";
import { Swiglu } from "../../kernels/swiglu/swiglu.ts";
import { VarlenAttention, VarlenAttentionGradient } from "../../kernels/varlen-attention/varlen-attention.ts";
import { ACTIVATION_PAD, roundUp } from "../../kernels/weights/format.ts";
import type { ModelSpec } from "../spec.ts";
import type { LayerWeights } from "../weights.ts";
import { gateUpColumns, qkvWidth } from "./buffers.ts";
import type { GradientBuffers, TrainingBuffers } from "./buffers.ts";
import { Linear } from "./linear.ts";
import type { LinearAdapter, LinearDescription } from "./linear.ts";
import type { ParameterPool } from "./parameters.ts";

/** The projections of a layer, by their names in the parameter pool. */
export const PROJECTIONS = ["qkv", "output", "gate_up", "down"] as const;
export type Projection = (typeof PROJECTIONS)[number];

export interface LayerDescription {
  readonly index: number;
  readonly spec: ModelSpec;
  readonly weights: LayerWeights;
  readonly pool: ParameterPool;
  readonly adapters: Readonly<Partial<Record<Projection, readonly LinearAdapter[]>>>;
  readonly maxTokens: number;
}

interface LayerForward {
  readonly norm: RmsNorm;
  readonly rope: PackedRope;
  readonly attention: VarlenAttention;
  readonly mlpNorm: RmsNorm;
  readonly swiglu: Swiglu;
}

interface LayerBackward {
  readonly swiglu: Swiglu;
  readonly mlpNorm: RmsNormGradient;
  readonly attention: VarlenAttentionGradient;
  readonly rope: PackedRope;
  readonly bias: ColumnSum | undefined;
  readonly norm: RmsNormGradient;
}

/** One transformer layer over packed rows: forward from `hidden[i]` to `hidden[i + 1]`, and back through `dHidden`. */
export class TrainingLayer {
  readonly #linears: Readonly<Record<Projection, Linear>>;
  readonly #forward: LayerForward;
  readonly #backward: LayerBackward | undefined;

  private constructor(
    linears: Readonly<Record<Projection, Linear>>,
    forward: LayerForward,
    backward: LayerBackward | undefined,
  ) {
    this.#linears = linears;
    this.#forward = forward;
    this.#backward = backward;
  }

  /** @param gradients left out for a model that is only run forward */
  static async create(
    context: GpuContext,
    scope: BufferScope,
    of: LayerDescription,
    buffers: TrainingBuffers,
    gradients?: GradientBuffers,
  ): Promise<TrainingLayer> {
    const make = (projection: Projection): Promise<Linear> =>
      linear(context, scope, of, projection, buffers, gradients);
    const [qkv, output, gateUp, down, forward, backward] = await Promise.all([
      make("qkv"),
      make("output"),
      make("gate_up"),
      make("down"),
      makeForward(context, scope, of, buffers),
      gradients && makeBackward(context, scope, of, buffers, gradients),
    ]);
    return new TrainingLayer({ qkv, output, gate_up: gateUp, down }, forward, backward);
  }

  encodeForward(batch: CommandBatch, rows: number, tiles: number): void {
    const { norm, rope, attention, mlpNorm, swiglu } = this.#forward;
    norm.encode(batch, rows);
    this.#linears.qkv.encodeForward(batch, rows);
    rope.encode(batch, rows);
    attention.encode(batch, tiles);
    this.#linears.output.encodeForward(batch, rows);
    mlpNorm.encode(batch, rows);
    this.#linears.gate_up.encodeForward(batch, rows);
    swiglu.encode(batch, rows);
    this.#linears.down.encodeForward(batch, rows);
  }

  /** Turns dHidden from the gradient for the layer's output into that for its input. */
  encodeBackward(batch: CommandBatch, rows: number, tiles: number): void {
    const backward = this.#backward;
    if (!backward) throw new RangeError("a layer without a backward pass");
    this.#linears.down.encodeBackward(batch, rows);
    backward.swiglu.encode(batch, rows);
    this.#linears.gate_up.encodeBackward(batch, rows);
    backward.mlpNorm.encode(batch, rows);
    this.#linears.output.encodeBackward(batch, rows);
    backward.attention.encode(batch, tiles);
    backward.rope.encode(batch, rows);
    backward.bias?.encode(batch, rows);
    this.#linears.qkv.encodeBackward(batch, rows);
    backward.norm.encode(batch, rows);
  }
}

interface LayerBuffers {
  readonly input: GPUBuffer;
  readonly output: GPUBuffer;
  readonly activations: TrainingBuffers["layers"][number];
}

function layerBuffers({ hidden, layers }: TrainingBuffers, index: number): LayerBuffers {
  const [input, output, activations] = [hidden[index], hidden[index + 1], layers[index]];
  if (!input || !output || !activations) throw new RangeError(`no buffers for layer ${index}`);
  return { input, output, activations };
}

function linear(
  context: GpuContext,
  scope: BufferScope,
  of: LayerDescription,
  projection: Projection,
  buffers: TrainingBuffers,
  gradients: GradientBuffers | undefined,
): Promise<Linear> {
  const { spec, weights, pool, maxTokens } = of;
  const { input, output, activations: own } = layerBuffers(buffers, of.index);
  const shapes: Record<Projection, Omit<LinearDescription, "name" | "adapters">> = {
    qkv: { matrix: weights.qkv, x: own.normed, y: own.qkv, yWidth: qkvWidth(spec) },
    output: {
      matrix: weights.output,
      x: own.attention,
      y: own.middle,
      yWidth: spec.hiddenSize,
      residual: input,
    },
    gate_up: {
      matrix: weights.gateUp,
      x: own.mlpNormed,
      y: own.gateUp,
      yWidth: 2 * gateUpColumns(spec),
      stackedColumns: gateUpColumns(spec),
    },
    down: { matrix: weights.down, x: own.inner, y: output, yWidth: spec.hiddenSize, residual: own.middle },
  };
  const flows: Record<Projection, (g: GradientBuffers) => { readonly dY: GPUBuffer; readonly dX: GPUBuffer }> = {
    qkv: (g) => ({ dY: g.dQkv, dX: g.dNormed }),
    output: (g) => ({ dY: g.dHidden, dX: g.dAttention }),
    gate_up: (g) => ({ dY: g.dGateUp, dX: g.dNormed }),
    down: (g) => ({ dY: g.dHidden, dX: g.dInner }),
  };
  const adapters = of.adapters[projection] ?? [];
  const rank = Math.max(0, ...adapters.map((adapter) => adapter.rank));
  const gradient = gradients && {
    ...flows[projection](gradients),
    dDown:
      rank > 0
        ? scope.create(`${of.index}.${projection}.d_down`, maxTokens * roundUp(rank, ACTIVATION_PAD) * 4)
        : gradients.factors,
    partial: gradients.gemmPartial,
    maxRows: maxTokens,
  };
  const description = { ...shapes[projection], name: `layer${of.index}.${projection}`, adapters };
  return Linear.create(context, scope, buffers.step, description, pool, gradient);
}

async function makeForward(
  context: GpuContext,
  scope: BufferScope,
  { spec, weights, index }: LayerDescription,
  buffers: TrainingBuffers,
): Promise<LayerForward> {
  const { hiddenSize, rmsNormEps: eps } = spec;
  const { step, rows, rope, tiles } = buffers;
  const { input, activations: own } = layerBuffers(buffers, index);
  const bias = { buffer: weights.attentionAux, at: roundUp(hiddenSize, ACTIVATION_PAD) };
  const [norm, turned, attention, mlpNorm, swiglu] = await Promise.all([
    RmsNorm.create(context, scope, hiddenSize, eps, input, weights.attentionAux, own.normed),
    PackedRope.create(context, scope, "forward", spec, {
      step,
      rows,
      rope,
      qkv: own.qkv,
      ...(spec.qkvBias ? { bias } : {}),
    }),
    VarlenAttention.create(context, scope, spec, { tiles, qkv: own.qkv, out: own.attention, lse: own.lse }),
    RmsNorm.create(context, scope, hiddenSize, eps, own.middle, weights.mlpNorm, own.mlpNormed),
    Swiglu.forward(context, scope, spec.intermediateSize, { step, gateUp: own.gateUp, y: own.inner }),
  ]);
  return { norm, rope: turned, attention, mlpNorm, swiglu };
}

async function makeBackward(
  context: GpuContext,
  scope: BufferScope,
  { spec, weights, pool, index }: LayerDescription,
  buffers: TrainingBuffers,
  gradients: GradientBuffers,
): Promise<LayerBackward> {
  const { hiddenSize, rmsNormEps: eps } = spec;
  const { step, rows, rope, tiles } = buffers;
  const { input, activations: own } = layerBuffers(buffers, index);
  const { dHidden, dNormed, dQkv, dAttention, dGateUp, dInner, delta, inverse, columnPartial: partial } = gradients;
  const aux = `layer${index}.attention_aux`;
  const mlp = `layer${index}.mlp_norm`;
  const width = qkvWidth(spec);
  const norm = (x: GPUBuffer, values: GPUBuffer, entry: string): Promise<RmsNormGradient> =>
    RmsNormGradient.create(context, scope, hiddenSize, eps, {
      step,
      x,
      weights: values,
      dY: dNormed,
      dX: dHidden,
      inverse,
      partial,
      ...(pool.has(entry) ? { dWeights: { buffer: pool.gradient(entry), to: 0 } } : {}),
    });
  const [swiglu, mlpNorm, attention, turned, bias, inputNorm] = await Promise.all([
    Swiglu.gradient(context, scope, spec.intermediateSize, { step, gateUp: own.gateUp, dY: dInner, dGateUp }),
    norm(own.middle, weights.mlpNorm, mlp),
    VarlenAttentionGradient.create(context, scope, spec, {
      tiles,
      qkv: own.qkv,
      out: own.attention,
      lse: own.lse,
      dOut: dAttention,
      delta,
      dQkv,
    }),
    PackedRope.create(context, scope, "inverse", spec, { step, rows, rope, qkv: dQkv }),
    spec.qkvBias && pool.has(aux)
      ? ColumnSum.create(context, scope, {
          name: `layer${index}.bias`,
          step,
          a: { buffer: dQkv, stride4: roundUp(width, ACTIVATION_PAD) / 4 },
          n: width,
          y: { buffer: pool.gradient(aux), to: roundUp(hiddenSize, ACTIVATION_PAD) },
          partial,
        })
      : undefined,
    norm(input, weights.attentionAux, aux),
  ]);
  return { swiglu, mlpNorm, attention, rope: turned, bias, norm: inputNorm };
}
