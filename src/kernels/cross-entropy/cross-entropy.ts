import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import type { KernelSource } from "../../gpu/pipelines.ts";
import { BoundKernel } from "../bound-kernel.ts";
import { uploadUniform } from "../buffers.ts";

const THREADS = 64;

/**
 * A row's state over the chunks of the vocabulary seen so far: maximum m, Σ exp(l − m), Σ exp(l − m) · l, and the
 * target's logit. The last two give the log-probability and the entropy without keeping a probability.
 */
const STATS: KernelSource = {
  label: "cross entropy",
  bindings: ["uniform", "read", "read", "write"],
  code: `struct Op { start: u32, n: u32, stride: u32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read_write> state: array<vec4<f32>>;
var<workgroup> partial: array<vec3<f32>, ${THREADS}>;
fn join(a: vec3<f32>, b: vec3<f32>) -> vec3<f32> {
  let top = max(a.x, b.x);
  return vec3<f32>(top, a.yz * exp(a.x - top) + b.yz * exp(b.x - top));
}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let base = group.x * op.stride;
  // A finite floor: differences of infinities are no numbers.
  var sum = vec3<f32>(-3.0e38, 0.0, 0.0);
  for (var c = lane; c < op.n; c += ${THREADS}u) {
    let l = logits[base + c];
    sum = join(sum, vec3<f32>(l, 1.0, l));
  }
  partial[lane] = sum;
  workgroupBarrier();
  for (var half = ${THREADS / 2}u; half > 0u; half >>= 1u) {
    if (lane < half) { partial[lane] = join(partial[lane], partial[lane + half]); }
    workgroupBarrier();
  }
  if (lane == 0u) {
    var all = partial[0];
    var hit = 0.0;
    if (op.start > 0u) {
      let before = state[group.x];
      all = join(before.xyz, all);
      hit = before.w;
    }
    let target_id = targets[group.x];
    if (target_id >= op.start && target_id - op.start < op.n) { hit = logits[base + target_id - op.start]; }
    state[group.x] = vec4<f32>(all, hit);
  }
}`,
};

/**
 * In place: d logit_j = scale · (c · ([j = target] − p_j) − e · p_j (log p_j + H)), with c = ∂loss/∂log π(target) and
 * e = ∂loss/∂H of the row, and scale = 1 / temperature.
 */
const GRADIENT: KernelSource = {
  label: "cross entropy gradient",
  bindings: ["uniform", "read", "read", "read", "write"],
  code: `struct Op { start: u32, n: u32, stride: u32, scale: f32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<storage, read> targets: array<u32>;
@group(0) @binding(2) var<storage, read> state: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> factors: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> logits: array<f32>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let c = group.x * ${THREADS}u + lane;
  if (c >= op.stride) { return; }
  let at = group.y * op.stride + c;
  // The padding reaches the products that follow as zeros.
  if (c >= op.n) { logits[at] = 0.0; return; }
  let s = state[group.y];
  let f = factors[group.y];
  let log_sum = s.x + log(s.y);
  let log_p = logits[at] - log_sum;
  let p = exp(log_p);
  let entropy = log_sum - s.z / s.y;
  let hit = select(0.0, 1.0, op.start + c == targets[group.y]);
  logits[at] = op.scale * (f.x * (hit - p) - f.y * p * (log_p + entropy));
}`,
};

export interface CrossEntropyBuffers {
  /** Logits of one chunk, already divided by the temperature [rows, stride] f32. */
  readonly logits: GPUBuffer;
  /** u32 per row. */
  readonly targets: GPUBuffer;
  /** vec4<f32> per row; read with {@link decodeCrossEntropy}. */
  readonly state: GPUBuffer;
  /** vec2<f32> per row: ∂loss/∂logp and ∂loss/∂entropy. */
  readonly factors: GPUBuffer;
}

export const CROSS_ENTROPY_STATE_BYTES = 16;

/** Log-probability and entropy of target rows, and their gradient for the logits, a chunk of the vocabulary at a time. */
export class CrossEntropy {
  readonly #stats: BoundKernel;
  readonly #gradient: BoundKernel;
  readonly #stride: number;

  private constructor(stats: BoundKernel, gradient: BoundKernel, stride: number) {
    this.#stats = stats;
    this.#gradient = gradient;
    this.#stride = stride;
  }

  /**
   * @param chunk the chunk's first token and number of tokens; floats between rows of the logits
   * @param temperature by which the logits were divided
   */
  static async create(
    context: GpuContext,
    scope: BufferScope,
    chunk: { readonly start: number; readonly count: number; readonly stride: number },
    temperature: number,
    { logits, targets, state, factors }: CrossEntropyBuffers,
  ): Promise<CrossEntropy> {
    const { start, count, stride } = chunk;
    const op = uploadUniform(context, scope, "cross_entropy.op", [start, count, stride, { f32: 1 / temperature }]);
    return new CrossEntropy(
      await BoundKernel.create(context, STATS, [op, logits, targets, state]),
      await BoundKernel.create(context, GRADIENT, [op, targets, state, factors, logits]),
      stride,
    );
  }

  /** Chunks must be taken in the vocabulary's order, the first one first: it starts the state anew. */
  encodeStats(batch: CommandBatch, rows: number): void {
    this.#stats.encode(batch, [rows]);
  }

  encodeGradient(batch: CommandBatch, rows: number): void {
    this.#gradient.encode(batch, [Math.ceil(this.#stride / THREADS), rows]);
  }
}

/** @returns log-probability of each row's target and entropy of each row, in nats */
export function decodeCrossEntropy(
  bytes: Uint8Array<ArrayBuffer>,
  rows: number,
): { readonly logps: Float32Array<ArrayBuffer>; readonly entropies: Float32Array<ArrayBuffer> } {
  const state = new Float32Array(bytes.buffer, bytes.byteOffset, rows * 4);
  const logps = new Float32Array(rows);
  const entropies = new Float32Array(rows);
  for (let i = 0; i < rows; i++) {
    const [top = 0, sum = 0, weighted = 0, hit = 0] = state.subarray(4 * i, 4 * i + 4);
    const logSum = top + Math.log(sum);
    logps[i] = hit - logSum;
    entropies[i] = logSum - weighted / sum;
  }
  return { logps, entropies };
}
