import { R1Error } from "../../errors.ts";
import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import type { Kernel } from "../../gpu/pipelines.ts";
import { uploadUniform } from "../buffers.ts";
import { ACTIVATION_PAD, roundUp } from "../weights/format.ts";
import {
  ATTENTION_TILE,
  headsPerThread,
  varlenForwardSource,
  varlenKeyGradientSource,
  varlenQueryGradientSource,
} from "./source.ts";
import type { VarlenShape } from "./source.ts";

export type { VarlenShape } from "./source.ts";

export interface VarlenForwardBuffers {
  /** Uploaded {@link attentionTiles}. */
  readonly tiles: GPUBuffer;
  /** q, k, v of all heads, rotated [rows, (heads + 2 kvHeads) × headDim padded to 32] f32. */
  readonly qkv: GPUBuffer;
  /** [rows, heads × headDim padded to 32] f32. */
  readonly out: GPUBuffer;
  /** Log-sum-exp of each row's scores [rows, heads] f32. */
  readonly lse: GPUBuffer;
}

export interface VarlenBackwardBuffers extends VarlenForwardBuffers {
  /** Gradient for `out`. */
  readonly dOut: GPUBuffer;
  /** Scratch [rows, heads] f32. */
  readonly delta: GPUBuffer;
  /** Gradient for `qkv`, overwritten. */
  readonly dQkv: GPUBuffer;
}

/**
 * Tiles of at most 32 rows, none across two sequences.
 * @param cuSeqlens row at which each sequence begins, and the end [sequences + 1], as in FlashAttention's varlen functions
 * @returns vec4<u32> per tile: first row, rows, first row of its sequence, row after the sequence's last
 */
export function attentionTiles(cuSeqlens: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  const tiles: number[] = [];
  for (let s = 0; s + 1 < cuSeqlens.length; s++) {
    const start = cuSeqlens[s] ?? 0;
    const end = cuSeqlens[s + 1] ?? 0;
    for (let row = start; row < end; row += ATTENTION_TILE) {
      tiles.push(row, Math.min(ATTENTION_TILE, end - row), start, end);
    }
  }
  return Uint32Array.from(tiles);
}

/** Tiles that `rows` rows of at most `sequences` sequences can come to. */
export function maxAttentionTiles(rows: number, sequences: number): number {
  return Math.ceil(rows / ATTENTION_TILE) + sequences;
}

function checkShape({ headDim, heads, kvHeads }: VarlenShape): void {
  if (headDim % 4 !== 0 || headDim > 256 || heads % kvHeads !== 0) {
    throw new R1Error(
      "E_CONFIG",
      `training needs a head_dim that is a multiple of 4 up to 256 and whole groups of heads; found head_dim ${headDim}, ${heads} heads, ${kvHeads} KV heads`,
    );
  }
}

function opOf(context: GpuContext, scope: BufferScope, { headDim, heads, kvHeads }: VarlenShape): GPUBuffer {
  return uploadUniform(context, scope, "varlen.op", [
    roundUp((heads + 2 * kvHeads) * headDim, ACTIVATION_PAD) / 4,
    roundUp(heads * headDim, ACTIVATION_PAD) / 4,
    { f32: 1 / Math.sqrt(headDim) },
  ]);
}

/** Causal self-attention over packed sequences, each confined to itself; forward. */
export class VarlenAttention {
  readonly #kernel: Kernel;
  readonly #binding: GPUBindGroup;
  readonly #heads: number;

  private constructor(kernel: Kernel, binding: GPUBindGroup, heads: number) {
    this.#kernel = kernel;
    this.#binding = binding;
    this.#heads = heads;
  }

  /** @throws R1Error E_CONFIG for a head dimension that is no multiple of 4 */
  static async create(
    context: GpuContext,
    scope: BufferScope,
    shape: VarlenShape,
    buffers: VarlenForwardBuffers,
  ): Promise<VarlenAttention> {
    checkShape(shape);
    const kernel = await context.pipelines.get(varlenForwardSource(shape));
    const { tiles, qkv, out, lse } = buffers;
    const binding = context.bind(kernel, [opOf(context, scope, shape), tiles, qkv, out, lse]);
    return new VarlenAttention(kernel, binding, shape.heads / headsPerThread(shape));
  }

  encode(batch: CommandBatch, tiles: number): void {
    batch.dispatch(this.#kernel, this.#binding, [tiles, this.#heads]);
  }
}

/** Gradients for q, k and v; two passes, without atomics. */
export class VarlenAttentionGradient {
  readonly #query: { readonly kernel: Kernel; readonly binding: GPUBindGroup };
  readonly #key: { readonly kernel: Kernel; readonly binding: GPUBindGroup };
  readonly #shape: VarlenShape;

  private constructor(
    query: { readonly kernel: Kernel; readonly binding: GPUBindGroup },
    key: { readonly kernel: Kernel; readonly binding: GPUBindGroup },
    shape: VarlenShape,
  ) {
    this.#query = query;
    this.#key = key;
    this.#shape = shape;
  }

  static async create(
    context: GpuContext,
    scope: BufferScope,
    shape: VarlenShape,
    buffers: VarlenBackwardBuffers,
  ): Promise<VarlenAttentionGradient> {
    checkShape(shape);
    const [query, key] = await Promise.all([
      context.pipelines.get(varlenQueryGradientSource(shape)),
      context.pipelines.get(varlenKeyGradientSource(shape)),
    ]);
    const op = opOf(context, scope, shape);
    const { tiles, qkv, out, lse, dOut, delta, dQkv } = buffers;
    return new VarlenAttentionGradient(
      { kernel: query, binding: context.bind(query, [op, tiles, qkv, out, dOut, lse, delta, dQkv]) },
      { kernel: key, binding: context.bind(key, [op, tiles, qkv, dOut, lse, delta, dQkv]) },
      shape,
    );
  }

  encode(batch: CommandBatch, tiles: number): void {
    batch.dispatch(this.#query.kernel, this.#query.binding, [tiles, this.#shape.heads / headsPerThread(this.#shape)]);
    batch.dispatch(this.#key.kernel, this.#key.binding, [tiles, this.#shape.kvHeads]);
  }
}
