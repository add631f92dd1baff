import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import type { Kernel, KernelSource } from "../../gpu/pipelines.ts";
import { uploadUniform } from "../buffers.ts";
import { ACTIVATION_PAD, roundUp } from "../weights/format.ts";

const THREADS = 64;

function rmsNormSource(subgroups: boolean, gathered: boolean): KernelSource {
  const reduce = subgroups
    ? `let part = subgroupAdd(square);
  if (sub_lane == 0u) { partial[lane / width] = part; }
  workgroupBarrier();
  var total = 0.0;
  for (var s = 0u; s < (${THREADS}u + width - 1u) / width; s++) { total += partial[s]; }`
    : `partial[lane] = square;
  workgroupBarrier();
  for (var half = ${THREADS / 2}u; half > 0u; half >>= 1u) {
    if (lane < half) { partial[lane] += partial[lane + half]; }
    workgroupBarrier();
  }
  let total = partial[0];`;
  return {
    label: gathered ? "rmsnorm of gathered rows" : "rmsnorm",
    bindings: ["uniform", "read", "read", "write", ...(gathered ? (["read"] as const) : [])],
    code: `${subgroups ? "enable subgroups;\n" : ""}struct Op { k: u32, stride: u32, eps: f32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> g: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
${gathered ? "@group(0) @binding(4) var<storage, read> rows: array<u32>;" : ""}
var<workgroup> partial: array<f32, ${THREADS}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32${
      subgroups ? ", @builtin(subgroup_size) width: u32, @builtin(subgroup_invocation_id) sub_lane: u32" : ""
    }) {
  let base = ${gathered ? "rows[group.x]" : "group.x"} * op.stride;
  let to = group.x * op.stride;
  var square = 0.0;
  // The padding of x is zero and adds nothing.
  for (var i = lane; i < op.stride; i += ${THREADS}u) { let v = x[base + i]; square += dot(v, v); }
  ${reduce}
  let scale = inverseSqrt(total / f32(op.k) + op.eps);
  for (var i = lane; i < op.stride; i += ${THREADS}u) { y[to + i] = x[base + i] * g[i] * scale; }
}`,
  };
}

/** y = x ∘ g / sqrt(mean(x²) + eps), a row per workgroup (Zhang & Sennrich 2019); x, y [rows, K padded to 32] f32. */
export class RmsNorm {
  readonly #kernel: Kernel;
  readonly #binding: GPUBindGroup;

  private constructor(kernel: Kernel, binding: GPUBindGroup) {
    this.#kernel = kernel;
    this.#binding = binding;
  }

  /**
   * @param weights g [K padded to 32] f32, zeros in the padding; longer buffers are fine
   * @param gather u32 per row of y: the row of x it is made of; left out, its own
   */
  static async create(
    context: GpuContext,
    scope: BufferScope,
    k: number,
    eps: number,
    x: GPUBuffer,
    weights: GPUBuffer,
    y: GPUBuffer,
    gather?: GPUBuffer,
  ): Promise<RmsNorm> {
    const source = rmsNormSource(context.features.subgroups, gather !== undefined);
    const kernel = await context.pipelines.get(source);
    const op = uploadUniform(context, scope, "rmsnorm.op", [k, roundUp(k, ACTIVATION_PAD) / 4, { f32: eps }]);
    return new RmsNorm(kernel, context.bind(kernel, [op, x, weights, y, ...(gather ? [gather] : [])]));
  }

  encode(batch: CommandBatch, rows: number): void {
    batch.dispatch(this.#kernel, this.#binding, [rows]);
  }
}
