import { f16At } from "./block.ts";
import type { BlockDecoder } from "./block.ts";

/** Levels that lie closer together near zero (ggml-common.h, `kvalues_iq4nl`). */
const LEVELS = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
const HALF = 16;

/** An f16 scale, then pairs as in Q4_0. */
export const iq4Nl: BlockDecoder = (data, from, out, to) => {
  decodePairs(f16At(data, from), data, from + 2, out, to);
};

/** An f16 scale of scales, eight 6-bit scales from −32 in 2 + 4 bytes, then 128 bytes of pairs. */
export const iq4Xs: BlockDecoder = (data, from, out, to) => {
  const scale = f16At(data, from);
  const high = data.getUint16(from + 2, true);
  for (let group = 0; group < 8; group++) {
    const low = (data.getUint8(from + 4 + (group >> 1)) >> ((group & 1) * 4)) & 15;
    const d = Math.fround(scale * ((low | (((high >> (2 * group)) & 3) << 4)) - 32));
    decodePairs(d, data, from + 8 + group * HALF, out, to + group * 2 * HALF);
  }
};

function decodePairs(scale: number, data: DataView, pairs: number, out: Float32Array, to: number): void {
  for (let i = 0; i < HALF; i++) {
    const pair = data.getUint8(pairs + i);
    out[to + i] = scale * (LEVELS[pair & 15] ?? 0);
    out[to + HALF + i] = scale * (LEVELS[pair >> 4] ?? 0);
  }
}
