import type { BufferScope } from "../../gpu/arena.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { noise, noiseArray } from "../testing.ts";
import { isKQuantFormat, K_QUANT_BLOCK, rowBytes, rowLayout, scaleBytes } from "./format.ts";
import type { KQuantFormat, MatrixFormat } from "./format.ts";
import { f32ToF16Bits } from "./half.ts";
import { uploadMatrix } from "./matrix.ts";
import type { WeightChunk, WeightMatrix } from "./matrix.ts";
import { packWeights, unpackWeights } from "./pack.ts";
import type { PackedWeights } from "./pack.ts";

/** Random weights [rows, k] in a format; a K-quant's have levels and scales at random, as nothing is converted to it. */
export function randomWeights(
  format: MatrixFormat,
  rows: number,
  k: number,
  seed: number,
  zeroPoints = false,
): PackedWeights {
  if (isKQuantFormat(format)) return randomKQuant(format, rows, k, seed);
  return packWeights(format, noiseArray(rows * k, seed), rows, k, zeroPoints);
}

/** Weights [rows, k] of random levels and scales, for tests; about as large as `noiseArray`'s. */
export function randomKQuant(format: KQuantFormat, rows: number, k: number, seed: number): PackedWeights {
  const next = noise(seed);
  const random = (count: number): Uint8Array<ArrayBuffer> =>
    Uint8Array.from({ length: count }, () => Math.floor((next() + 1) * 128));
  const data = random(rows * rowBytes(format, k));
  const scales = random(scaleBytes(format, rows, k, false));
  const view = new DataView(scales.buffer);
  const { secondWords } = rowLayout(format, rows, k);
  for (let block = 0; block < (rows * k) / K_QUANT_BLOCK; block++) {
    if (format === "q4_k") {
      view.setUint16(block * 16, f32ToF16Bits(next() / 500), true);
      view.setUint16(block * 16 + 2, f32ToF16Bits(next() / 60), true);
    } else {
      view.setUint16(secondWords * 4 + block * 2, f32ToF16Bits(next() / 3000), true);
    }
  }
  return { format, rows, k, data, scales, zeroPoints: false };
}

/** A random matrix of several chunks, each in a format of its own, and the values that it stands for. */
export function uploadRuns(
  context: GpuContext,
  scope: BufferScope,
  runs: readonly { readonly format: MatrixFormat; readonly rows: number }[],
  k: number,
): { readonly matrix: WeightMatrix; readonly stored: Float32Array<ArrayBuffer> } {
  const rows = runs.reduce((sum, run) => sum + run.rows, 0);
  const stored = new Float32Array(rows * k);
  let start = 0;
  const chunks = runs.flatMap((run, i): readonly WeightChunk[] => {
    const packed = randomWeights(run.format, run.rows, k, i + 1);
    stored.set(unpackWeights(packed), start * k);
    const above = start;
    start += run.rows;
    return uploadMatrix(context, scope, `run ${i}`, packed).chunks.map((chunk) => ({ ...chunk, start: above }));
  });
  return { matrix: { zeroPoints: false, rows, k, chunks }, stored };
}
