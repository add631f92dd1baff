import { f16At } from "./block.ts";
import type { BlockDecoder } from "./block.ts";
import { leastAt, scaleAt } from "./scale-min.ts";

/**
 * The f16 scales of scales and minima, 12 bytes of these, 128 bytes of levels. Of 64 values, the first 32 are the low
 * halves of 32 bytes, the others the high halves.
 */
export const q4K: BlockDecoder = (data, from, out, to) => {
  const scale = f16At(data, from);
  const least = f16At(data, from + 2);
  for (let group = 0; group < 8; group++) {
    const d = Math.fround(scale * scaleAt(data, from + 4, group));
    const m = Math.fround(least * leastAt(data, from + 4, group));
    const levels = from + 16 + (group >> 1) * 32;
    const shift = (group & 1) * 4;
    for (let i = 0; i < 32; i++) out[to + group * 32 + i] = d * ((data.getUint8(levels + i) >> shift) & 15) - m;
  }
};
