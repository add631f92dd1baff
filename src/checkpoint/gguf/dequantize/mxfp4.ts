import type { BlockDecoder } from "./block.ts";

/** Twice the values of E2M1: sign, two bits of exponent, one of mantissa (OCP Microscaling Formats 1.0). */
const LEVELS = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
const HALF = 16;

/** A power of two as its biased exponent, then pairs as in Q4_0. */
export const mxfp4: BlockDecoder = (data, from, out, to) => {
  // Half of it, since the levels are doubled.
  const scale = 2 ** (data.getUint8(from) - 128);
  for (let i = 0; i < HALF; i++) {
    const pair = data.getUint8(from + 1 + i);
    out[to + i] = scale * (LEVELS[pair & 15] ?? 0);
    out[to + HALF + i] = scale * (LEVELS[pair >> 4] ?? 0);
  }
};
