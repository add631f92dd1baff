import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { Bindable, GpuContext } from "../../gpu/device.ts";
import type { KernelSource } from "../../gpu/pipelines.ts";
import { BoundKernel, linearGrid } from "../bound-kernel.ts";
import { uploadUniform } from "../buffers.ts";
import { ACTIVATION_PAD, roundUp } from "../weights/format.ts";

const THREADS = 64;

function source(direction: "forward" | "inverse", bias: boolean): KernelSource {
  return {
    label: `rope ${direction}${bias ? " with bias" : ""}`,
    bindings: ["uniform", "uniform", "read", "read", ...(bias ? (["read"] as const) : []), "write"],
    code: `struct Op { pairs: u32, half: u32, stride: u32, rotated: u32, bias_at: u32 }
struct Step { rows: u32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> rope: array<vec2<f32>>;
${bias ? "@group(0) @binding(4) var<storage, read> aux: array<f32>;" : ""}
@group(0) @binding(${bias ? 5 : 4}) var<storage, read_write> qkv: array<f32>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let at = id.y * groups.x * ${THREADS}u + id.x;
  let t = at / op.pairs;
  if (t >= step.rows) { return; }
  let pair = at % op.pairs;
  let head = pair / op.half;
  let i = pair % op.half;
  let c = head * 2u * op.half + i;
  let base = t * op.stride + c;
  var a = qkv[base];
  var b = qkv[base + op.half];
  ${bias ? "a += aux[op.bias_at + c];\n  b += aux[op.bias_at + c + op.half];" : ""}
  if (c < op.rotated) {
    let turn = rope[rows[t].y * op.half + i];
    let s = turn.y${direction === "inverse" ? " * -1.0" : ""};
    let rotated = a * turn.x - b * s;
    b = b * turn.x + a * s;
    a = rotated;
  }
  qkv[base] = a;
  qkv[base + op.half] = b;
}`,
  };
}

export interface PackedRopeBuffers {
  readonly step: GPUBuffer;
  /** vec4<u32> per row: the second word is its position. */
  readonly rows: GPUBuffer;
  readonly rope: GPUBuffer;
  /** q, k, v [rows, (heads + 2 kvHeads) × headDim padded to 32], changed in place. */
  readonly qkv: GPUBuffer;
  /** Biases of q, k, v from float `at` on, added before the rotation. */
  readonly bias?: { readonly buffer: Bindable; readonly at: number };
}

/**
 * Bias and rotary embedding of packed rows, in place (rotate-half convention). The inverse rotation, by minus the
 * angle, is the gradient: a rotation's transpose.
 */
export class PackedRope {
  readonly #kernel: BoundKernel;
  readonly #pairs: number;

  private constructor(kernel: BoundKernel, pairs: number) {
    this.#kernel = kernel;
    this.#pairs = pairs;
  }

  static async create(
    context: GpuContext,
    scope: BufferScope,
    direction: "forward" | "inverse",
    shape: { readonly headDim: number; readonly heads: number; readonly kvHeads: number },
    { step, rows, rope, qkv, bias }: PackedRopeBuffers,
  ): Promise<PackedRope> {
    const { headDim, heads, kvHeads } = shape;
    const width = (heads + 2 * kvHeads) * headDim;
    const op = uploadUniform(context, scope, "rope.op", [
      width / 2,
      headDim / 2,
      roundUp(width, ACTIVATION_PAD),
      (heads + kvHeads) * headDim,
      bias?.at ?? 0,
    ]);
    const bindings = [op, step, rows, rope, ...(bias ? [bias.buffer] : []), qkv];
    const kernel = await BoundKernel.create(context, source(direction, bias !== undefined), bindings);
    return new PackedRope(kernel, width / 2);
  }

  encode(batch: CommandBatch, rows: number): void {
    this.#kernel.encode(batch, linearGrid(rows * this.#pairs, THREADS));
  }
}
