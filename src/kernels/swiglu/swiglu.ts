import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import type { KernelSource } from "../../gpu/pipelines.ts";
import { BoundKernel, linearGrid } from "../bound-kernel.ts";
import { uploadUniform } from "../buffers.ts";
import { ACTIVATION_PAD, roundUp } from "../weights/format.ts";

const THREADS = 64;

const HEAD = `struct Op { width: u32 }
struct Step { rows: u32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read> gate_up: array<vec4<f32>>;`;

const INDEX = `let at = id.y * groups.x * ${THREADS}u + id.x;
  let t = at / op.width;
  if (t >= step.rows) { return; }
  let base = t * 2u * op.width + at % op.width;
  let g = gate_up[base];
  let u = gate_up[base + op.width];
  let s = 1.0 / (1.0 + exp(-g));`;

const ENTRY = `@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>)`;

const FORWARD: KernelSource = {
  label: "swiglu",
  bindings: ["uniform", "uniform", "read", "write"],
  code: `${HEAD}
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
${ENTRY} {
  ${INDEX}
  y[at] = g * s * u;
}`,
};

const GRADIENT: KernelSource = {
  label: "swiglu gradient",
  bindings: ["uniform", "uniform", "read", "read", "write"],
  code: `${HEAD}
@group(0) @binding(3) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> d_gate_up: array<vec4<f32>>;
${ENTRY} {
  ${INDEX}
  let d = d_y[at];
  d_gate_up[base] = d * u * s * (1.0 + g * (1.0 - s));
  d_gate_up[base + op.width] = d * g * s;
}`,
};

/** y = silu(gate) ∘ up; gate and up side by side [rows, 2 × width], each padded to 32, y [rows, width padded to 32]. */
export class Swiglu {
  readonly #kernel: BoundKernel;
  readonly #width: number;

  private constructor(kernel: BoundKernel, width: number) {
    this.#kernel = kernel;
    this.#width = width;
  }

  static async forward(
    context: GpuContext,
    scope: BufferScope,
    width: number,
    buffers: { readonly step: GPUBuffer; readonly gateUp: GPUBuffer; readonly y: GPUBuffer },
  ): Promise<Swiglu> {
    const width4 = roundUp(width, ACTIVATION_PAD) / 4;
    const op = uploadUniform(context, scope, "swiglu.op", [width4]);
    return new Swiglu(
      await BoundKernel.create(context, FORWARD, [op, buffers.step, buffers.gateUp, buffers.y]),
      width4,
    );
  }

  /** d gate and d up from d y, with the sigmoid recomputed. */
  static async gradient(
    context: GpuContext,
    scope: BufferScope,
    width: number,
    buffers: {
      readonly step: GPUBuffer;
      readonly gateUp: GPUBuffer;
      readonly dY: GPUBuffer;
      readonly dGateUp: GPUBuffer;
    },
  ): Promise<Swiglu> {
    const width4 = roundUp(width, ACTIVATION_PAD) / 4;
    const op = uploadUniform(context, scope, "swiglu.gradient.op", [width4]);
    const { step, gateUp, dY, dGateUp } = buffers;
    return new Swiglu(await BoundKernel.create(context, GRADIENT, [op, step, gateUp, dY, dGateUp]), width4);
  }

  encode(batch: CommandBatch, rows: number): void {
    this.#kernel.encode(batch, linearGrid(rows * this.#width, THREADS));
  }
}
