import { describe, expect, it } from "vitest";
import { f16BitsToF32, f32ToBf16Bits, f32ToF16Bits } from "./half.ts";

const BITS = new DataView(new ArrayBuffer(4));

function floatOf(bits: number): number {
  BITS.setUint32(0, bits);
  return BITS.getFloat32(0);
}

/** The f32 values just below and just above a positive one. */
function neighbours(value: number): [below: number, above: number] {
  BITS.setFloat32(0, value);
  const bits = BITS.getUint32(0);
  return [floatOf(bits - 1), floatOf(bits + 1)];
}

/**
 * Rounding between two neighbouring positive values of the shorter format: exact values stay, the middle goes to the
 * even one, and the f32 values beside the middle go to the nearer one.
 */
function expectNearest(round: (value: number) => number, low: number, lowBits: number, high: number): void {
  const middle = (low + high) / 2;
  const [below, above] = neighbours(middle);
  const even = lowBits % 2 === 0 ? lowBits : lowBits + 1;
  const rounded = [low, below, middle, above, high, -below, -middle, -above].map(round);
  const wanted = [lowBits, lowBits, even, lowBits + 1, lowBits + 1];
  const negative = [lowBits, even, lowBits + 1].map((bits) => bits | 0x8000);
  if ([...wanted, ...negative].some((bits, i) => bits !== rounded[i])) {
    expect(rounded, `between ${low} and ${high}`).toEqual([...wanted, ...negative]);
  }
}

describe("f16", () => {
  // Bit patterns and values from IEEE 754's definition of binary16.
  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x0001, 5.960464477539063e-8],
    [0x8001, -5.960464477539063e-8],
    [0x03ff, 6.097555160522461e-5],
    [0x0400, 6.103515625e-5],
    [0x3555, 0.333251953125],
    [0x3bff, 0.99951171875],
    [0x3c00, 1],
    [0x3c01, 1.0009765625],
    [0xc000, -2],
    [0x7bff, 65504],
    [0xfbff, -65504],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
  ])("bits %i are %f, and the other way round", (bits, value) => {
    expect(f16BitsToF32(bits)).toBe(value);
    expect(f32ToF16Bits(value)).toBe(bits);
  });

  it("NaN stays NaN, whatever its bits", () => {
    expect(f16BitsToF32(f32ToF16Bits(Number.NaN))).toBeNaN();
    for (const bits of [0x7c01, 0x7e00, 0x7fff, 0xfc01, 0xffff]) expect(f16BitsToF32(bits)).toBeNaN();
  });

  it("every finite value survives, and what lies between two goes to the nearest, ties to even", () => {
    let low = 0;
    for (let bits = 0; bits < 0x7bff; bits++) {
      const high = f16BitsToF32(bits + 1);
      if (!(high > low)) expect(high, `bits ${bits + 1}`).toBeGreaterThan(low);
      expectNearest(f32ToF16Bits, low, bits, high);
      low = high;
    }
    expect(low).toBe(65504);
  });

  it("overflows to infinity from the middle beyond its largest value on", () => {
    expect(f32ToF16Bits(65519.99609375)).toBe(0x7bff);
    expect(f32ToF16Bits(65520)).toBe(0x7c00);
    expect(f32ToF16Bits(-65520)).toBe(0xfc00);
    expect(f32ToF16Bits(3.4e38)).toBe(0x7c00);
  });

  it("underflows to zero with its sign up to half its smallest value", () => {
    expect(f32ToF16Bits(2 ** -25)).toBe(0);
    expect(f32ToF16Bits(neighbours(2 ** -25)[1])).toBe(1);
    expect(f32ToF16Bits(-(2 ** -26))).toBe(0x8000);
    expect(f32ToF16Bits(2 ** -149)).toBe(0);
  });
});

describe("bf16", () => {
  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3f80],
    [-2, 0xc000],
    // π and 1/3, whose f32 bits are 40490fdb and 3eaaaaab.
    [Math.fround(Math.PI), 0x4049],
    [Math.fround(1 / 3), 0x3eab],
    [2 ** -133, 0x0001],
    [3.3895313892515355e38, 0x7f7f],
    [3.4028234663852886e38, 0x7f80],
    [Number.POSITIVE_INFINITY, 0x7f80],
    [Number.NEGATIVE_INFINITY, 0xff80],
  ])("%f has bits %i", (value, bits) => {
    expect(f32ToBf16Bits(value)).toBe(bits);
  });

  it("NaN stays NaN, even one whose upper bits alone would be infinity", () => {
    for (const bits of [0x7fc00000, 0x7f800001, 0xffffffff]) {
      expect(floatOf(f32ToBf16Bits(floatOf(bits)) * 2 ** 16)).toBeNaN();
    }
  });

  it("every finite value survives, and what lies between two goes to the nearest, ties to even", () => {
    for (let bits = 0; bits < 0x7f7f; bits++) {
      // The middle between two bf16 values is the f32 with the next bit set.
      const at = (offset: number): number => floatOf(bits * 2 ** 16 + offset);
      const even = bits % 2 === 0 ? bits : bits + 1;
      const rounded = [0, 0x7fff, 0x8000, 0x8001, 0x10000].map((offset) => f32ToBf16Bits(at(offset)));
      const wanted = [bits, bits, even, bits + 1, bits + 1];
      if (wanted.some((want, i) => want !== rounded[i])) expect(rounded, `bits ${bits}`).toEqual(wanted);
    }
    expect(f32ToBf16Bits(floatOf(0x7f7f0000))).toBe(0x7f7f);
  });
});
