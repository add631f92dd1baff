import { f16At } from "./block.ts";
import type { BlockDecoder } from "./block.ts";

/** As Q4, with the fifth bits of all 32 levels in a word before the pairs. */
const HALF = 16;

/** An f16 scale; levels from −16. */
export const q5_0: BlockDecoder = (data, from, out, to) => {
  const scale = f16At(data, from);
  const fifth = data.getUint32(from + 2, true);
  for (let i = 0; i < HALF; i++) {
    const pair = data.getUint8(from + 6 + i);
    out[to + i] = scale * (((pair & 15) | (((fifth >>> i) & 1) << 4)) - 16);
    out[to + HALF + i] = scale * (((pair >> 4) | (((fifth >>> (HALF + i)) & 1) << 4)) - 16);
  }
};

/** An f16 scale and an f16 minimum; levels from 0. */
export const q5_1: BlockDecoder = (data, from, out, to) => {
  const scale = f16At(data, from);
  const least = f16At(data, from + 2);
  const fifth = data.getUint32(from + 4, true);
  for (let i = 0; i < HALF; i++) {
    const pair = data.getUint8(from + 8 + i);
    out[to + i] = scale * ((pair & 15) | (((fifth >>> i) & 1) << 4)) + least;
    out[to + HALF + i] = scale * ((pair >> 4) | (((fifth >>> (HALF + i)) & 1) << 4)) + least;
  }
};
