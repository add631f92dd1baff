import { f16At } from "./block.ts";
import type { BlockDecoder } from "./block.ts";

/**
 * 32 bytes of third bits, 64 bytes of 2-bit levels, 12 bytes with sixteen 6-bit scales from −32, an f16 scale of scales.
 * A level without its third bit is below zero.
 */
export const q3K: BlockDecoder = (data, from, out, to) => {
  const scale = f16At(data, from + 108);
  for (let group = 0; group < 16; group++) {
    const d = Math.fround(scale * (scaleOf(data, from + 96, group) - 32));
    const column = (group & 1) * 16;
    const levels = from + 32 + (group >> 3) * 32 + column;
    const shift = group & 6;
    const third = group >> 1;
    for (let i = 0; i < 16; i++) {
      const low = (data.getUint8(levels + i) >> shift) & 3;
      const high = (data.getUint8(from + column + i) >> third) & 1;
      out[to + group * 16 + i] = d * (low - (high === 1 ? 0 : 4));
    }
  }
};

/** Low four bits in the halves of the first 8 bytes, high two in the pairs of the last 4. */
function scaleOf(data: DataView, scales: number, group: number): number {
  const byte = data.getUint8(scales + (group & 7));
  const low = group < 8 ? byte & 15 : byte >> 4;
  const high = (data.getUint8(scales + 8 + (group & 3)) >> (2 * (group >> 2))) & 3;
  return low | (high << 4);
}
