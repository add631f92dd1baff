import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { Bindable, GpuContext } from "../../gpu/device.ts";
import type { KernelSource } from "../../gpu/pipelines.ts";
import { BoundKernel } from "../bound-kernel.ts";
import { uploadUniform } from "../buffers.ts";
import { ACTIVATION_PAD, paddedK, roundUp } from "../weights/format.ts";

const THREADS = 32;

const GRADIENT: KernelSource = {
  label: "embedding gradient",
  bindings: ["uniform", "read", "read", "read", "write"],
  code: `struct Op { k4: u32, x_stride: u32, ld: u32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> places: array<u32>;
@group(0) @binding(3) var<storage, read> d_x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> d_table: array<vec4<f32>>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let entry = tokens[group.x];
  let c = group.y * ${THREADS}u + lane;
  if (c >= op.k4) { return; }
  var sum = vec4<f32>(0.0);
  for (var i = entry.y; i < entry.z; i++) { sum += d_x[places[i] * op.x_stride + c]; }
  d_table[entry.x * op.ld + c] += sum;
}`,
};

/** Where each token of a batch stands, so that one workgroup can gather a token's gradient without atomics. */
export interface TokenPlaces {
  /** vec4<u32> per distinct token: id, first and end of its places, 0. */
  readonly tokens: Uint32Array<ArrayBuffer>;
  /** Rows, grouped by token in ascending order. */
  readonly places: Uint32Array<ArrayBuffer>;
}

export function tokenPlaces(ids: ArrayLike<number>): TokenPlaces {
  const rows = new Map<number, number[]>();
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] ?? 0;
    const list = rows.get(id);
    if (list) list.push(i);
    else rows.set(id, [i]);
  }
  const tokens: number[] = [];
  const places: number[] = [];
  for (const [id, list] of [...rows].toSorted(([a], [b]) => a - b)) {
    tokens.push(id, places.length, places.length + list.length, 0);
    for (const row of list) places.push(row);
  }
  return { tokens: Uint32Array.from(tokens), places: Uint32Array.from(places) };
}

/** d table[id] += Σ d x[row] over the rows of each token; see {@link tokenPlaces}. */
export class EmbeddingGradient {
  readonly #kernel: BoundKernel;
  readonly #columns: number;

  private constructor(kernel: BoundKernel, columns: number) {
    this.#kernel = kernel;
    this.#columns = columns;
  }

  /** @param k columns of the table; its gradient's rows are padded to 8, as f32 weights are */
  static async create(
    context: GpuContext,
    scope: BufferScope,
    k: number,
    buffers: {
      readonly tokens: GPUBuffer;
      readonly places: GPUBuffer;
      readonly dX: GPUBuffer;
      readonly dTable: Bindable;
    },
  ): Promise<EmbeddingGradient> {
    const columns = paddedK("f32", k) / 4;
    const op = uploadUniform(context, scope, "embedding.gradient.op", [
      columns,
      roundUp(k, ACTIVATION_PAD) / 4,
      columns,
    ]);
    const { tokens, places, dX, dTable } = buffers;
    return new EmbeddingGradient(
      await BoundKernel.create(context, GRADIENT, [op, tokens, places, dX, dTable]),
      columns,
    );
  }

  encode(batch: CommandBatch, distinctTokens: number): void {
    this.#kernel.encode(batch, [distinctTokens, Math.ceil(this.#columns / THREADS)]);
  }
}
