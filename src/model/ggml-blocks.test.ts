import { describe, expect, it } from "vitest";
import { dequantize } from "../checkpoint/gguf/dequantize/dequantize.ts";
import { GGML_TYPES } from "../checkpoint/gguf/ggml-type.ts";
import { unpackWeights } from "../kernels/weights/pack.ts";
import { repackBlocks } from "./ggml-blocks.ts";

/** Blocks of every level, and scales of both signs, large and subnormal. */
function blocks(dtype: "Q8_0" | "Q4_0", count: number): Uint8Array<ArrayBuffer> {
  const size = GGML_TYPES[dtype].bytes;
  const bytes = Uint8Array.from({ length: count * size }, (_, i) => (i * 73 + (i >> 3) * 31) & 0xff);
  // Neither infinite nor NaN.
  for (let at = 0; at < bytes.length; at += size) bytes[at + 1] = (bytes[at + 1] ?? 0) & 0xbb;
  return bytes;
}

describe("GGML's blocks in our weight formats", () => {
  it.each([
    ["Q8_0", "q8", 3, 96],
    ["Q4_0", "q4", 7, 32],
    ["Q4_0", "q4", 1, 288],
  ] as const)("%s as %s, [%i, %i]: not a bit of any value changes", (dtype, format, rows, k) => {
    const bytes = blocks(dtype, (rows * k) / 32);
    const { data, scales } = repackBlocks(dtype, bytes);
    const padded = new Uint16Array(Math.ceil(scales.length / 2) * 2);
    padded.set(scales);
    const packed = { format, rows, k, data, scales: new Uint8Array(padded.buffer), zeroPoints: false };
    // Minus zero and zero are the same number.
    const values = (floats: Float32Array) => floats.map((value) => value + 0);
    expect(values(unpackWeights(packed))).toEqual(values(dequantize(dtype, bytes)));
  });
});
