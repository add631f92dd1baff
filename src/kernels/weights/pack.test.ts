import { describe, expect, it } from "vitest";
import { expectClose, noiseArray } from "../testing.ts";
import { blocksPerRow, paddedK, QUANT_BLOCK, rowBytes, WEIGHT_FORMATS } from "./format.ts";
import { f16BitsToF32 } from "./half.ts";
import { packWeights, unpackWeights } from "./pack.ts";
import type { PackedWeights } from "./pack.ts";

const SIZES = [
  [1, 1],
  [3, 7],
  [7, 33],
  [2, 130],
] as const;

/** The scale of each block, as f32. */
function scalesOf(packed: PackedWeights): number[] {
  const words = new Uint16Array(packed.scales?.buffer ?? new ArrayBuffer(0));
  return Array.from({ length: packed.rows * blocksPerRow(packed.k) }, (_, block) => f16BitsToF32(words[block] ?? 0));
}

/** A block of 32 values that holds `some` and zeros after them. */
function blockOf(...some: number[]): Float32Array {
  const block = new Float32Array(QUANT_BLOCK);
  block.set(some);
  return block;
}

describe("unquantized weights", () => {
  it.each(SIZES)("[%i, %i] f32 come back as they were, in rows padded with zeros", (rows, k) => {
    const values = noiseArray(rows * k, 1);
    const packed = packWeights("f32", values, rows, k);
    expect(unpackWeights(packed)).toEqual(values);
    const stored = new Float32Array(packed.data.buffer);
    const stride = paddedK("f32", k);
    expect(stored).toHaveLength(rows * stride);
    expect(stored.every((value, i) => i % stride < k || value === 0)).toBe(true);
  });

  it.each([
    ["f16", 2 ** -11],
    ["bf16", 2 ** -8],
  ] as const)("%s come back rounded to within %f of their size", (format, precision) => {
    const values = noiseArray(7 * 33, 2);
    const back = unpackWeights(packWeights(format, values, 7, 33));
    const worst = Math.max(...values.map((value, i) => Math.abs(value - (back[i] ?? 0)) / Math.abs(value)));
    expect(worst).toBeLessThanOrEqual(precision);
    expect(worst).toBeGreaterThan(precision / 4);
  });
});

describe("quantized weights", () => {
  it("q8 is the rounded number of 127ths of the largest magnitude", () => {
    const packed = packWeights("q8", blockOf(127, -127, 1, -1, 63.4, -63.6), 1, QUANT_BLOCK);
    expect(scalesOf(packed)).toEqual([1]);
    expect([...new Int8Array(packed.data.buffer)].slice(0, 7)).toEqual([127, -127, 1, -1, 63, -64, 0]);
  });

  it("q4 counts from −8 at the value of largest magnitude, the first value in the lower half of a byte", () => {
    const packed = packWeights("q4", blockOf(-16, 14, 2, -2, 5), 1, QUANT_BLOCK);
    expect(scalesOf(packed)).toEqual([2]);
    // Levels −8, 7, 1, −1, 2.5 (up), 0, stored with 8 added.
    expect([...packed.data.subarray(0, 4)]).toEqual([0xf0, 0x79, 0x8b, 0x88]);
    expect([...unpackWeights(packed).subarray(0, 6)]).toEqual([-16, 14, 2, -2, 6, 0]);
  });

  it("q4 with a positive extreme has a negative scale", () => {
    const packed = packWeights("q4", blockOf(16, -14), 1, QUANT_BLOCK);
    expect(scalesOf(packed)).toEqual([-2]);
    expect([...unpackWeights(packed).subarray(0, 2)]).toEqual([16, -14]);
  });

  it.each([
    ["q8", 255],
    ["q4", 15],
  ] as const)("%s with zero points covers a lopsided range with all of its %i steps", (format, steps) => {
    const low = format === "q8" ? -51 : -3;
    const values = blockOf(low, low + steps, 0, 1);
    const packed = packWeights(format, values, 1, QUANT_BLOCK, true);
    expect(scalesOf(packed)).toEqual([1]);
    expect(unpackWeights(packed)).toEqual(values);
    // The zero points follow the scales, which fill whole words.
    expect(packed.scales?.[4]).toBe(-low);
    expect(packed.data[0]).toBe(format === "q8" ? 0 : 0xf0);
  });

  describe.each([
    ["q8", false],
    ["q8", true],
    ["q4", false],
    ["q4", true],
  ] as const)("%s, zero points %s", (format, zeroPoints) => {
    it.each(SIZES)("[%i, %i] come back to within a step, each block by its own scale", (rows, k) => {
      const values = noiseArray(rows * k, 3).map((value, i) => value * 2 ** (Math.floor(i / k) % 3));
      const packed = packWeights(format, values, rows, k, zeroPoints);
      expect(packed.data).toHaveLength(rows * rowBytes(format, k));
      const scales = scalesOf(packed);
      const back = unpackWeights(packed);
      // Rounding costs half a step; the largest q4 value of the other sign, and rounded zero points, up to a whole one.
      const allowed = format === "q8" && !zeroPoints ? 0.502 : 1.01;
      values.forEach((value, i) => {
        const block = Math.floor(i / k) * blocksPerRow(k) + Math.floor((i % k) / QUANT_BLOCK);
        const step = Math.abs(scales[block] ?? 0);
        expect(Math.abs(value - (back[i] ?? Number.NaN))).toBeLessThanOrEqual(allowed * step);
      });
    });

    it("weights beyond the scale's range are refused, not turned into NaN", () => {
      const values = noiseArray(33, 5);
      values[7] = 2e7;
      expect(() => packWeights(format, values, 1, 33, zeroPoints)).toThrow(/f16; use f32/);
      values[7] = Infinity;
      expect(() => packWeights(format, values, 1, 33, zeroPoints)).toThrow(/f16; use f32/);
    });

    it("zeros stay zero", () => {
      const packed = packWeights(format, new Float32Array(2 * 33), 2, 33, zeroPoints);
      expect(unpackWeights(packed).every((value) => value === 0)).toBe(true);
    });
  });
});

it.each(WEIGHT_FORMATS)("%s rows do not depend on the rows beside them", (format) => {
  const values = noiseArray(3 * 33, 4);
  const together = unpackWeights(packWeights(format, values, 3, 33));
  const alone = unpackWeights(packWeights(format, values.subarray(33, 66), 1, 33));
  expectClose(together.subarray(33, 66), alone, 0);
});
