import { R1Error } from "../../errors.ts";
import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import type { Kernel } from "../../gpu/pipelines.ts";
import { uploadUniform } from "../buffers.ts";
import { ACTIVATION_PAD, roundUp } from "../weights/format.ts";
import { groupedDecodeSource, groupedTiling } from "./decode-source.ts";
import { attentionSource, decodeTiling, mergeSource, prefillTiling } from "./source.ts";
import type { AttentionShape } from "./source.ts";
import { MAX_SPLITS, splitsOf } from "./splits.ts";

/** Buffers of one layer's attention. */
export interface AttentionBuffers {
  /** [rows, heads × headDim] f32, each head in rotary-pair order. */
  readonly q: GPUBuffer;
  /** The layer's cache. */
  readonly kv: GPUBuffer;
  /** Two vec4<u32> per sequence. */
  readonly seqs: GPUBuffer;
  /** vec2<u32> per prefill tile. */
  readonly tiles: GPUBuffer;
  /** [rows, heads × headDim padded to 32] f32. */
  readonly out: GPUBuffer;
}

/** Bytes of decode's partial results: outputs of each split, and its maximum and sum. */
export function partialBytes(
  { heads, headDim }: Pick<AttentionShape, "heads" | "headDim">,
  maxSequences: number,
): { readonly outputs: number; readonly maxima: number } {
  const cells = maxSequences * heads * MAX_SPLITS;
  return { outputs: cells * headDim * 4, maxima: cells * 8 };
}

/** From this size of heads on, decode is bound by reading keys and values. */
const GROUPED_HEAD_DIM = 64;

/**
 * Whether decode takes the kernel that reads each key once for all heads of a group. With smaller heads it is hardly faster, and
 * runs that were recorded with them repeat bit for bit on the one that streams.
 */
function isGrouped({ headDim }: AttentionShape): boolean {
  return headDim >= GROUPED_HEAD_DIM;
}

/** Decode's workgroups per split and KV head. */
function headTilesOf(shape: AttentionShape): number {
  if (isGrouped(shape)) return groupedTiling(shape).headTiles;
  return Math.ceil(shape.heads / shape.kvHeads / decodeTiling(shape).rows);
}

/** What all layers of a session share: kernels and the partial results of decode. */
export class AttentionPlan {
  readonly shape: AttentionShape;
  readonly #prefill: Kernel;
  readonly #decode: Kernel;
  readonly #merge: Kernel;
  readonly #op: GPUBuffer;
  readonly #partO: GPUBuffer;
  readonly #partMl: GPUBuffer;

  private constructor(
    shape: AttentionShape,
    kernels: readonly [Kernel, Kernel, Kernel],
    buffers: readonly GPUBuffer[],
  ) {
    this.shape = shape;
    [this.#prefill, this.#decode, this.#merge] = kernels;
    const [op, partO, partMl] = buffers;
    if (!op || !partO || !partMl) throw new RangeError("three buffers expected");
    this.#op = op;
    this.#partO = partO;
    this.#partMl = partMl;
  }

  /** @param maxSequences sequences that decode together, at most */
  static async create(
    context: GpuContext,
    scope: BufferScope,
    shape: AttentionShape,
    maxSequences: number,
  ): Promise<AttentionPlan> {
    const { headDim, heads, kvHeads } = shape;
    if (headDim % 4 !== 0 || headDim > 256 || heads % kvHeads !== 0) {
      throw new R1Error(
        "E_CONFIG",
        `attention with ${heads} heads, ${kvHeads} key/value heads of ${headDim}: the head size must be a multiple of 4 up to 256 and the key/value heads must divide the heads`,
      );
    }
    const kernels = await Promise.all([
      context.pipelines.get(attentionSource(shape, "prefill")),
      context.pipelines.get(isGrouped(shape) ? groupedDecodeSource(shape) : attentionSource(shape, "decode")),
      context.pipelines.get(mergeSource(shape)),
    ]);
    const bytes = partialBytes(shape, maxSequences);
    return new AttentionPlan(shape, kernels, [
      uploadUniform(context, scope, "attention.op", [roundUp(heads * headDim, ACTIVATION_PAD)]),
      scope.create("attention.part_o", bytes.outputs),
      scope.create("attention.part_ml", bytes.maxima),
    ]);
  }

  layer(context: GpuContext, buffers: AttentionBuffers): LayerAttention {
    const { q, kv, seqs, tiles, out } = buffers;
    const prefill = context.bind(this.#prefill, [q, kv, seqs, tiles, out, this.#op]);
    const decode = context.bind(this.#decode, [q, kv, seqs, this.#partO, this.#partMl]);
    const merge = context.bind(this.#merge, [seqs, this.#partO, this.#partMl, out, this.#op]);
    const { heads, kvHeads } = this.shape;
    const headTiles = kvHeads * headTilesOf(this.shape);
    return {
      encodePrefill: (batch, tileCount) => batch.dispatch(this.#prefill, prefill, [tileCount, kvHeads]),
      encodeDecode: (batch, sequences, longest) => {
        batch.dispatch(this.#decode, decode, [splitsOf(longest), headTiles, sequences]);
        batch.dispatch(this.#merge, merge, [heads, sequences]);
      },
    };
  }

  /** First query rows of the tiles that cover `newRows` new positions of a sequence. */
  tileStarts(newRows: number): number[] {
    const { rows } = prefillTiling(this.shape);
    const total = newRows * (this.shape.heads / this.shape.kvHeads);
    return Array.from({ length: Math.ceil(total / rows) }, (_, i) => i * rows);
  }
}

export interface LayerAttention {
  encodePrefill(batch: CommandBatch, tileCount: number): void;
  /** @param longest keys of the longest sequence */
  encodeDecode(batch: CommandBatch, sequences: number, longest: number): void;
}
