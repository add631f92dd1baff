import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import type { KernelSource } from "../../gpu/pipelines.ts";
import { BoundKernel } from "../bound-kernel.ts";
import { uploadUniform } from "../buffers.ts";
import { ColumnSum } from "../column-sum/column-sum.ts";
import { ACTIVATION_PAD, roundUp } from "../weights/format.ts";

const THREADS = 32;

/** With `gathered`, row i of dy belongs to row `rows[i]` of x and dx, which dx then is set to instead of added to. */
function gradientSource(gathered: boolean): KernelSource {
  return {
    label: `rmsnorm gradient${gathered ? " gathered" : ""}`,
    bindings: ["uniform", "read", "read", "read", "write", "write", ...(gathered ? (["read", "write"] as const) : [])],
    code: `struct Op { k: u32, stride: u32, eps: f32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> g: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> d_x: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> inverse: array<f32>;
${
  gathered
    ? `@group(0) @binding(6) var<storage, read> rows: array<u32>;
@group(0) @binding(7) var<storage, read_write> kept: array<vec4<f32>>;`
    : ""
}
var<workgroup> partial: array<vec2<f32>, ${THREADS}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let y_at = group.x * op.stride;
  let x_at = ${gathered ? "rows[group.x]" : "group.x"} * op.stride;
  var sum = vec2<f32>(0.0);
  for (var i = lane; i < op.stride; i += ${THREADS}u) {
    let v = x[x_at + i];
    sum += vec2<f32>(dot(v, v), dot(v, d_y[y_at + i] * g[i]));
  }
  partial[lane] = sum;
  workgroupBarrier();
  for (var half = ${THREADS / 2}u; half > 0u; half >>= 1u) {
    if (lane < half) { partial[lane] += partial[lane + half]; }
    workgroupBarrier();
  }
  let total = partial[0];
  let scale = inverseSqrt(total.x / f32(op.k) + op.eps);
  let pull = scale * scale * scale * total.y / f32(op.k);
  for (var i = lane; i < op.stride; i += ${THREADS}u) {
    let v = x[x_at + i];
    d_x[x_at + i] ${gathered ? "=" : "+="} d_y[y_at + i] * g[i] * scale - v * pull;
    ${gathered ? "kept[y_at + i] = v;" : ""}
  }
  if (lane == 0u) { inverse[group.x] = scale; }
}`,
  };
}

export interface RmsNormGradientBuffers {
  readonly step: GPUBuffer;
  /** The norm's input, weights and the gradient for its output; rows padded to 32. */
  readonly x: GPUBuffer;
  readonly weights: GPUBuffer;
  readonly dY: GPUBuffer;
  /** Gradient for x: added to. */
  readonly dX: GPUBuffer;
  /** Scratch [rows] f32: 1 / rms of each row. */
  readonly inverse: GPUBuffer;
  /** Gradient for the weights and where it begins, in floats; left out for frozen ones. */
  readonly dWeights?: { readonly buffer: GPUBuffer | GPUBufferBinding; readonly to: number };
  readonly partial: GPUBuffer;
  /** u32 per row: the row of x it was taken from. dX is then set, not added to; `gathered` is scratch like dY. */
  readonly gather?: { readonly rows: GPUBuffer; readonly gathered: GPUBuffer };
}

/**
 * RMSNorm backward: dx += (g ∘ dy − x̂ · mean(g ∘ dy ∘ x̂)) / rms, dg += Σ dy ∘ x̂, with x̂ = x / rms recomputed.
 */
export class RmsNormGradient {
  readonly #input: BoundKernel;
  readonly #weights: ColumnSum | undefined;

  private constructor(input: BoundKernel, weights: ColumnSum | undefined) {
    this.#input = input;
    this.#weights = weights;
  }

  static async create(
    context: GpuContext,
    scope: BufferScope,
    k: number,
    eps: number,
    buffers: RmsNormGradientBuffers,
  ): Promise<RmsNormGradient> {
    const { x, weights, dY, dX, inverse, gather, dWeights, partial, step } = buffers;
    const stride4 = roundUp(k, ACTIVATION_PAD) / 4;
    const op = uploadUniform(context, scope, "rmsnorm.gradient.op", [k, stride4, { f32: eps }]);
    const bindings = [op, x, weights, dY, dX, inverse, ...(gather ? [gather.rows, gather.gathered] : [])];
    const input = await BoundKernel.create(context, gradientSource(gather !== undefined), bindings);
    const sum = dWeights
      ? await ColumnSum.create(context, scope, {
          name: "rmsnorm.weights",
          step,
          a: { buffer: dY, stride4 },
          times: { b: { buffer: gather ? gather.gathered : x, stride4 }, scale: inverse },
          n: k,
          y: dWeights,
          partial,
        })
      : undefined;
    return new RmsNormGradient(input, sum);
  }

  encode(batch: CommandBatch, rows: number): void {
    this.#input.encode(batch, [rows]);
    this.#weights?.encode(batch, rows);
  }
}
