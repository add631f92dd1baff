import { f16At } from "./block.ts";
import type { BlockDecoder } from "./block.ts";

/**
 * 128 bytes of low halves, 64 bytes of high pairs, 16 signed scales, an f16 scale of scales; levels from −32. Of 128
 * values, quarter q has its low bits in the low (q < 2) or high halves of 32 bytes, its high ones in pair q.
 */
export const q6K: BlockDecoder = (data, from, out, to) => {
  const scale = f16At(data, from + 208);
  for (let group = 0; group < 16; group++) {
    const d = Math.fround(scale * data.getInt8(from + 192 + group));
    const quarter = (group >> 1) & 3;
    const column = (group & 1) * 16;
    const low = from + (group >> 3) * 64 + (quarter & 1) * 32 + column;
    const high = from + 128 + (group >> 3) * 32 + column;
    for (let i = 0; i < 16; i++) {
      const bits = (data.getUint8(low + i) >> (quarter & 2 ? 4 : 0)) & 15;
      const pair = (data.getUint8(high + i) >> (quarter * 2)) & 3;
      out[to + group * 16 + i] = d * ((bits | (pair << 4)) - 32);
    }
  }
};
