import { f16At } from "./block.ts";
import type { BlockDecoder } from "./block.ts";

/** Of each byte the low half is one of the first 16 values, the high half one of the last 16. */
const HALF = 16;

/** An f16 scale; levels from −8. */
export const q4_0: BlockDecoder = (data, from, out, to) => {
  const scale = f16At(data, from);
  for (let i = 0; i < HALF; i++) {
    const pair = data.getUint8(from + 2 + i);
    out[to + i] = scale * ((pair & 15) - 8);
    out[to + HALF + i] = scale * ((pair >> 4) - 8);
  }
};

/** An f16 scale and an f16 minimum; levels from 0. */
export const q4_1: BlockDecoder = (data, from, out, to) => {
  const scale = f16At(data, from);
  const least = f16At(data, from + 2);
  for (let i = 0; i < HALF; i++) {
    const pair = data.getUint8(from + 4 + i);
    out[to + i] = scale * (pair & 15) + least;
    out[to + HALF + i] = scale * (pair >> 4) + least;
  }
};
