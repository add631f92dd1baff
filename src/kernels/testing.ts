import { expect } from "vitest";
import { ACTIVATION_PAD, roundUp } from "./weights/format.ts";

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
