import type { BufferScope } from "../../gpu/arena.ts";
import { UNIFORM_USAGE } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import type { KernelSource } from "../../gpu/pipelines.ts";
import { BoundKernel, linearGrid } from "../bound-kernel.ts";
import { packUniform, uploadUniform } from "../buffers.ts";

const THREADS = 256;
/** Workgroups of the norm's first stage. */
const NORM_GROUPS = 256;
const STEP_BYTES = 48;
/** Bytes of the optimizer's own buffers. */
export const ADAMW_BYTES = 16 + STEP_BYTES + NORM_GROUPS * 4 + 16;

const NORM_PARTS: KernelSource = {
  label: "gradient norm",
  bindings: ["uniform", "read", "write"],
  code: `struct Op { count4: u32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> parts: array<f32>;
var<workgroup> partial: array<f32, ${THREADS}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = group.x * ${THREADS}u + lane; i < op.count4; i += ${NORM_GROUPS * THREADS}u) {
    sum += dot(gradient[i], gradient[i]);
  }
  partial[lane] = sum;
  workgroupBarrier();
  for (var half = ${THREADS / 2}u; half > 0u; half >>= 1u) {
    if (lane < half) { partial[lane] += partial[lane + half]; }
    workgroupBarrier();
  }
  if (lane == 0u) { parts[group.x] = partial[0]; }
}`,
};

/** Leaves (norm, factor): the factor clips, and is 0 for a norm that is no finite number. */
const NORM_TOTAL: KernelSource = {
  label: "gradient norm, total",
  bindings: ["uniform", "read", "write"],
  code: `struct Step { lr: f32, beta1: f32, beta2: f32, rest1: f32, rest2: f32, eps: f32, decay: f32, correction1: f32, correction2: f32, max_norm: f32 }
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;
var<workgroup> partial: array<f32, ${NORM_GROUPS}>;
@compute @workgroup_size(${NORM_GROUPS})
fn main(@builtin(local_invocation_index) lane: u32) {
  partial[lane] = parts[lane];
  workgroupBarrier();
  for (var half = ${NORM_GROUPS / 2}u; half > 0u; half >>= 1u) {
    if (lane < half) { partial[lane] += partial[lane + half]; }
    workgroupBarrier();
  }
  if (lane == 0u) {
    let total = sqrt(partial[0]);
    // Comparisons with NaN are false, but shaders may assume there is none: the exponent's bits tell surely.
    let finite = (bitcast<u32>(partial[0]) & 0x7f800000u) != 0x7f800000u;
    norm[0] = total;
    norm[1] = select(0.0, select(1.0, min(1.0, step.max_norm / (total + 1e-6)), step.max_norm > 0.0), finite);
  }
}`,
};

const UPDATE: KernelSource = {
  label: "adamw",
  bindings: ["uniform", "uniform", "read", "read", "write", "write", "write"],
  code: `struct Op { count4: u32 }
struct Step { lr: f32, beta1: f32, beta2: f32, rest1: f32, rest2: f32, eps: f32, decay: f32, correction1: f32, correction2: f32, max_norm: f32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<f32>;
@group(0) @binding(4) var<storage, read_write> w: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> first: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> second: array<vec4<f32>>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * ${THREADS}u + id.x;
  let clip = norm[1];
  if (i >= op.count4 || clip == 0.0) { return; }
  let g = gradient[i] * clip;
  let m = step.beta1 * first[i] + step.rest1 * g;
  let v = step.beta2 * second[i] + step.rest2 * g * g;
  first[i] = m;
  second[i] = v;
  let direction = (m * step.correction1) / (sqrt(v * step.correction2) + step.eps);
  w[i] = w[i] * (1.0 - step.lr * step.decay) - step.lr * direction;
}`,
};

export interface AdamWStep {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Gradients are scaled down to this global norm; 0 is off. */
  readonly maxGradNorm: number;
  /** 1 for the first applied step: what the moments' bias is corrected by. */
  readonly count: number;
}

/** Pools of equal size, f32: values, gradients, first and second moments. */
export interface AdamWBuffers {
  readonly parameters: GPUBuffer;
  readonly gradients: GPUBuffer;
  readonly first: GPUBuffer;
  readonly second: GPUBuffer;
}

/**
 * AdamW (Loshchilov & Hutter 2019) over pooled buffers with global-norm clipping as in PyTorch's `clip_grad_norm_`:
 * three dispatches whatever the number of tensors. A gradient with a NaN or an infinity changes nothing.
 */
export class AdamW {
  /** (norm before clipping, factor applied) as two f32; the factor is 0 where the step was skipped. */
  readonly norm: GPUBuffer;
  readonly #context: GpuContext;
  readonly #step: GPUBuffer;
  readonly #parts: BoundKernel;
  readonly #total: BoundKernel;
  readonly #update: BoundKernel;
  readonly #count4: number;

  private constructor(
    context: GpuContext,
    norm: GPUBuffer,
    step: GPUBuffer,
    kernels: { readonly parts: BoundKernel; readonly total: BoundKernel; readonly update: BoundKernel },
    count4: number,
  ) {
    this.#context = context;
    this.norm = norm;
    this.#step = step;
    this.#parts = kernels.parts;
    this.#total = kernels.total;
    this.#update = kernels.update;
    this.#count4 = count4;
  }

  static async create(context: GpuContext, scope: BufferScope, buffers: AdamWBuffers): Promise<AdamW> {
    const { parameters, gradients, first, second } = buffers;
    const count4 = Math.floor(parameters.size / 16);
    const op = uploadUniform(context, scope, "adamw.op", [count4]);
    const step = scope.create("adamw.step", STEP_BYTES, UNIFORM_USAGE);
    const parts = scope.create("adamw.parts", NORM_GROUPS * 4);
    const norm = scope.create("adamw.norm", 16);
    const kernels = {
      parts: await BoundKernel.create(context, NORM_PARTS, [op, gradients, parts]),
      total: await BoundKernel.create(context, NORM_TOTAL, [step, parts, norm]),
      update: await BoundKernel.create(context, UPDATE, [op, step, gradients, norm, parameters, first, second]),
    };
    return new AdamW(context, norm, step, kernels, count4);
  }

  /** Writes the step's numbers at once and adds its dispatches: at most one step per submission. */
  encode(batch: CommandBatch, step: AdamWStep): void {
    const { learningRate, beta1, beta2, epsilon, weightDecay, maxGradNorm, count } = step;
    const fields = [
      learningRate,
      beta1,
      beta2,
      // In f64: 1 − 0.999 in f32 is already off by 1e-5.
      1 - beta1,
      1 - beta2,
      epsilon,
      weightDecay,
      1 / (1 - beta1 ** count),
      1 / (1 - beta2 ** count),
      maxGradNorm,
    ];
    this.#context.write(this.#step, packUniform(fields.map((f32) => ({ f32 }))));
    this.#parts.encode(batch, [NORM_GROUPS]);
    this.#total.encode(batch, [1]);
    this.#update.encode(batch, linearGrid(this.#count4, THREADS));
  }
}
