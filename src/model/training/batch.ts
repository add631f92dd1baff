import { R1Error } from "../../errors.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { tokenPlaces } from "../../kernels/embedding/gradient.ts";
import { attentionTiles } from "../../kernels/varlen-attention/varlen-attention.ts";
import type { ModelSpec } from "../spec.ts";
import { checkTokenIds } from "../token-ids.ts";
import type { TrainingBuffers, TrainingSizes } from "./buffers.ts";

/** Sequences laid end to end without padding, as for FlashAttention's varlen functions. */
export interface PackedBatch {
  /** Token ids [rows]. */
  readonly ids: ArrayLike<number>;
  /** Position of each row in its sequence [rows]. */
  readonly positions: ArrayLike<number>;
  /** Row at which each sequence begins, and the end [sequences + 1]. */
  readonly cuSeqlens: ArrayLike<number>;
  /** Rows whose next token is scored, each once, and that token. */
  readonly lossRows: Uint32Array<ArrayBuffer>;
  readonly targets: Uint32Array<ArrayBuffer>;
}

/** Sizes of the dispatches of an uploaded batch. */
export interface UploadedBatch {
  readonly rows: number;
  readonly tiles: number;
  readonly lossRows: number;
  readonly distinctTokens: number;
}

/**
 * @throws R1Error E_LIMIT for more rows or longer sequences than the buffers hold, E_TOKEN_RANGE
 */
export function uploadBatch(
  context: GpuContext,
  spec: ModelSpec,
  sizes: TrainingSizes,
  buffers: TrainingBuffers,
  batch: PackedBatch,
): UploadedBatch {
  const rows = batch.ids.length;
  if (rows > sizes.maxTokens) {
    throw new R1Error("E_LIMIT", `a batch of ${rows} tokens; training was set up for ${sizes.maxTokens}`);
  }
  const ids = Array.from(batch.ids);
  checkTokenIds(spec, ids);
  checkTokenIds(spec, Array.from(batch.targets));
  const data = new Uint32Array(rows * 4);
  for (let i = 0; i < rows; i++) {
    const position = batch.positions[i] ?? 0;
    if (position >= sizes.maxLength) {
      throw new R1Error("E_PROMPT_TOO_LONG", `a sequence longer than ${sizes.maxLength} tokens`);
    }
    data.set([ids[i] ?? 0, position, 0, 0], i * 4);
  }
  const tiles = attentionTiles(batch.cuSeqlens);
  const { tokens, places } = tokenPlaces(ids);
  context.write(buffers.rows, data);
  context.write(buffers.tiles, tiles);
  context.write(buffers.tokens, tokens);
  context.write(buffers.places, places);
  context.write(buffers.lossRows, batch.lossRows);
  context.write(buffers.targets, batch.targets);
  context.write(buffers.step, Uint32Array.of(rows, 0, 0, 0));
  context.write(buffers.lossStep, Uint32Array.of(batch.lossRows.length, 0, 0, 0));
  return {
    rows,
    tiles: tiles.length / 4,
    lossRows: batch.lossRows.length,
    distinctTokens: tokens.length / 4,
  };
}
