import { expect } from "vitest";
import type { BufferScope } from "../gpu/arena.ts";
import { GpuContext } from "../gpu/device.ts";
import type { GpuOptions } from "../gpu/device.ts";
import { testGpu } from "../gpu/node/test-device.ts";
import { uploadStorage } from "./buffers.ts";
import { gemmShape } from "./gemm/gemm.ts";
import type { GemmShape } from "./gemm/source.ts";
import { ACTIVATION_PAD, roundUp } from "./weights/format.ts";
import type { WeightFormat } from "./weights/format.ts";
import type { WeightChunk, WeightMatrix } from "./weights/matrix.ts";
import { packWeights, unpackWeights } from "./weights/pack.ts";

/** A small deterministic generator for test data (mulberry32); values in [-1, 1). */
export function noise(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

export function noiseArray(count: number, seed: number, scale = 1): Float32Array<ArrayBuffer> {
  const next = noise(seed);
  return Float32Array.from({ length: count }, () => next() * scale);
}

/** Rows [m, k] laid out with activation padding. */
export function padRows(values: Float32Array, m: number, k: number): Float32Array<ArrayBuffer> {
  const stride = roundUp(k, ACTIVATION_PAD);
  const out = new Float32Array(m * stride);
  for (let i = 0; i < m; i++) out.set(values.subarray(i * k, (i + 1) * k), i * stride);
  return out;
}

export interface SplitOptions {
  /** Rows of each chunk, as a device with small bindings would have them. */
  readonly chunkRows: number;
  /** Matrices of `rows` rows that lie one after another in `values` and together in each chunk; 1 if left out. */
  readonly stacked?: number;
  readonly zeroPoints?: boolean;
}

/**
 * Uploads a weight matrix in several chunks.
 * @param values [stacked × rows, k]
 * @returns the matrix, and the values that its packed weights stand for
 */
export function uploadSplit(
  context: GpuContext,
  scope: BufferScope,
  format: WeightFormat,
  values: Float32Array,
  rows: number,
  k: number,
  { chunkRows, stacked = 1, zeroPoints = false }: SplitOptions,
): { readonly matrix: WeightMatrix; readonly stored: Float32Array } {
  const chunks: WeightChunk[] = [];
  for (let start = 0; start < rows; start += chunkRows) {
    const count = Math.min(chunkRows, rows - start);
    const own = new Float32Array(stacked * count * k);
    for (let s = 0; s < stacked; s++) {
      const first = s * rows + start;
      own.set(values.subarray(first * k, (first + count) * k), s * count * k);
    }
    const packed = packWeights(format, own, stacked * count, k, zeroPoints);
    const data = uploadStorage(context, scope, `chunk ${start}`, packed.data);
    const scales = packed.scales ? { scales: uploadStorage(context, scope, `scales ${start}`, packed.scales) } : {};
    chunks.push({ format, start, count, data, ...scales });
  }
  const stored = unpackWeights(packWeights(format, values, stacked * rows, k, zeroPoints));
  return { matrix: { zeroPoints, rows, k, chunks }, stored };
}

/** Fails unless every value is within `tolerance` × (1 + |expected|), naming the worst place. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  let at = -1;
  for (let i = 0; i < expected.length; i++) {
    const want = expected[i] ?? Number.NaN;
    const error = Math.abs((actual[i] ?? Number.NaN) - want) / (1 + Math.abs(want));
    if (!(error <= worst)) {
      worst = error;
      at = i;
      if (Number.isNaN(error)) break;
    }
  }
  expect(worst, `at ${at}: ${actual[at]} against ${expected[at]}`).toBeLessThanOrEqual(tolerance);
}

const shaped = new Map<string, WeakMap<GpuContext, GpuContext>>();

/** A context on the same device that chooses this shape of product. */
export function choosing(context: GpuContext, shape: GemmShape): GpuContext {
  const known = shaped.get(shape) ?? new WeakMap<GpuContext, GpuContext>();
  shaped.set(shape, known);
  const before = known.get(context);
  if (before) return before;
  const adapter = { ...context.adapter, isFallback: shape === "direct", description: "test GPU", device: "" };
  const other = new GpuContext(context.device, adapter, context.features);
  expect(gemmShape(other)).toBe(shape);
  known.set(context, other);
  return other;
}

/** A device of the tests: those without subgroups compute products in the shape for GPUs, the others in the direct one. */
export async function shapedGpu(options: GpuOptions = {}): Promise<GpuContext> {
  return choosing(await testGpu(options), options.without?.includes("subgroups") ? "tiled" : "direct");
}
