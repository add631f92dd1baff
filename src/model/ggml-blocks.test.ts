import { describe, expect, it } from "vitest";
import { dequantize } from "../checkpoint/gguf/dequantize/dequantize.ts";
import { GGML_TYPES } from "../checkpoint/gguf/ggml-type.ts";
import { roundUp } from "../kernels/weights/format.ts";
import { unpackWeights } from "../kernels/weights/pack.ts";
import { repackBlocks } from "./ggml-blocks.ts";

/** Where the f16 scales are in a block. */
const HALVES = { Q8_0: [0], Q4_0: [0], Q4_K: [0, 2], Q6_K: [208] } as const;
type Dtype = keyof typeof HALVES;

/** Blocks of every level, and scales of both signs, large and subnormal. */
function blocks(dtype: Dtype, count: number): Uint8Array<ArrayBuffer> {
  const size = GGML_TYPES[dtype].bytes;
  const bytes = Uint8Array.from({ length: count * size }, (_, i) => (i * 73 + (i >> 3) * 31) & 0xff);
  // Neither infinite nor NaN.
  for (let at = 0; at < bytes.length; at += size) {
    for (const half of HALVES[dtype]) bytes[at + half + 1] = (bytes[at + half + 1] ?? 0) & 0xbb;
  }
  return bytes;
}

/** The regions one after another, each in whole words. */
function joined(regions: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    regions.flatMap((region) => [...region, ...new Uint8Array(roundUp(region.length, 4) - region.length)]),
  );
}

describe("GGML's blocks in our weight formats", () => {
  it.each([
    ["Q8_0", "q8", 3, 96],
    ["Q4_0", "q4", 7, 32],
    ["Q4_0", "q4", 1, 288],
    ["Q4_K", "q4_k", 3, 768],
    ["Q4_K", "q4_k", 1, 256],
    ["Q6_K", "q6_k", 3, 768],
    ["Q6_K", "q6_k", 1, 256],
  ] as const)("%s as %s, [%i, %i]: not a bit of any value changes", (dtype, format, rows, k) => {
    const { block } = GGML_TYPES[dtype];
    const bytes = blocks(dtype, (rows * k) / block);
    // A source may hand out bytes that begin anywhere.
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const { data, scales } = repackBlocks(dtype, shifted.subarray(1));
    const packed = { format, rows, k, data, scales: joined(scales), zeroPoints: false };
    // Minus zero and zero are the same number.
    const values = (floats: Float32Array) => floats.map((value) => value + 0);
    expect(values(unpackWeights(packed))).toEqual(values(dequantize(dtype, bytes)));
  });
});
