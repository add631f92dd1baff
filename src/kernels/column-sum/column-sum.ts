import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import type { KernelSource } from "../../gpu/pipelines.ts";
import { BoundKernel } from "../bound-kernel.ts";
import type { Operand } from "../gemm/gemm.ts";
import { uploadUniform } from "../buffers.ts";

/** Rows that one workgroup adds up before the partial sums are added in their order. */
const CHUNK = 64;
const THREADS = 32;

function partialSource(weighted: boolean): KernelSource {
  return {
    label: weighted ? "column sum of products" : "column sum",
    bindings: ["uniform", "uniform", "read", ...(weighted ? (["read", "read"] as const) : []), "write"],
    code: `struct Op { width: u32, a_stride: u32, a_col: u32, b_stride: u32 }
struct Step { rows: u32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read> a: array<vec4<f32>>;
${
  weighted
    ? `@group(0) @binding(3) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> scale: array<f32>;`
    : ""
}
@group(0) @binding(${weighted ? 5 : 3}) var<storage, read_write> partial: array<vec4<f32>>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let c = group.x * ${THREADS}u + lane;
  if (c >= op.width) { return; }
  let end = min(step.rows, (group.y + 1u) * ${CHUNK}u);
  var sum = vec4<f32>(0.0);
  for (var t = group.y * ${CHUNK}u; t < end; t++) {
    sum += a[t * op.a_stride + op.a_col + c]${weighted ? " * b[t * op.b_stride + c] * scale[t]" : ""};
  }
  partial[group.y * op.width + c] = sum;
}`,
  };
}

const TOTAL: KernelSource = {
  label: "column sum, total",
  bindings: ["uniform", "uniform", "read", "write"],
  code: `struct Op { width: u32, to: u32, n: u32 }
struct Step { rows: u32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read> partial: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let c = group.x * ${THREADS}u + lane;
  if (c >= op.width) { return; }
  var sum = vec4<f32>(0.0);
  for (var chunk = 0u; chunk * ${CHUNK}u < step.rows; chunk++) { sum += partial[chunk * op.width + c]; }
  for (var i = 0u; i < 4u; i++) {
    let to = 4u * c + i;
    if (to < op.n) { y[op.to + to] += sum[i]; }
  }
}`,
};

export interface ColumnSumDescription {
  readonly name: string;
  readonly step: GPUBuffer;
  /** [rows, n] f32. */
  readonly a: Operand;
  /** Second factor [rows, n] and a factor per row; left out, a alone is summed. */
  readonly times?: { readonly b: Omit<Operand, "col4" | "row">; readonly scale: GPUBuffer };
  /** Columns. */
  readonly n: number;
  /** Added to from float `to` on. */
  readonly y: { readonly buffer: GPUBuffer | GPUBufferBinding; readonly to: number };
  /** Scratch of {@link columnSumBytes}. */
  readonly partial: GPUBuffer;
}

export function columnSumBytes(rows: number, n: number): number {
  return Math.ceil(rows / CHUNK) * Math.ceil(n / 4) * 16;
}

/** y[c] += Σ over rows of a[t, c] (· b[t, c] · scale[t]), in two stages of fixed order: gradients of biases and norms. */
export class ColumnSum {
  readonly #partial: BoundKernel;
  readonly #total: BoundKernel;
  readonly #groups: number;

  private constructor(partial: BoundKernel, total: BoundKernel, groups: number) {
    this.#partial = partial;
    this.#total = total;
    this.#groups = groups;
  }

  static async create(context: GpuContext, scope: BufferScope, of: ColumnSumDescription): Promise<ColumnSum> {
    const { name, step, a, times, n, y, partial } = of;
    const width = Math.ceil(n / 4);
    const op = uploadUniform(context, scope, `${name}.op`, [width, a.stride4, a.col4 ?? 0, times?.b.stride4 ?? 0]);
    const totalOp = uploadUniform(context, scope, `${name}.total.op`, [width, y.to, n]);
    const factors = times ? [times.b.buffer, times.scale] : [];
    return new ColumnSum(
      await BoundKernel.create(context, partialSource(times !== undefined), [op, step, a.buffer, ...factors, partial]),
      await BoundKernel.create(context, TOTAL, [totalOp, step, partial, y.buffer]),
      Math.ceil(width / THREADS),
    );
  }

  encode(batch: CommandBatch, rows: number): void {
    this.#partial.encode(batch, [this.#groups, Math.ceil(rows / CHUNK)]);
    this.#total.encode(batch, [this.#groups]);
  }
}
