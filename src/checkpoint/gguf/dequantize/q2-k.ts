import { f16At } from "./block.ts";
import type { BlockDecoder } from "./block.ts";

/**
 * 16 bytes, each a 4-bit scale and a 4-bit minimum of 16 values; 64 bytes of 2-bit levels; the f16 scales of scales and
 * minima. Within 128 values, byte i holds the levels of i, i + 32, i + 64 and i + 96.
 */
export const q2K: BlockDecoder = (data, from, out, to) => {
  const scale = f16At(data, from + 80);
  const least = f16At(data, from + 82);
  for (let group = 0; group < 16; group++) {
    const packed = data.getUint8(from + group);
    const d = Math.fround(scale * (packed & 15));
    const m = Math.fround(least * (packed >> 4));
    const levels = from + 16 + (group >> 3) * 32 + (group & 1) * 16;
    const shift = group & 6;
    for (let i = 0; i < 16; i++) {
      out[to + group * 16 + i] = d * ((data.getUint8(levels + i) >> shift) & 3) - m;
    }
  }
};
