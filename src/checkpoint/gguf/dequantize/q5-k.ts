import { f16At } from "./block.ts";
import type { BlockDecoder } from "./block.ts";
import { leastAt, scaleAt } from "./scale-min.ts";

/** As Q4_K, with 32 bytes of fifth bits before the levels: bit g of byte i belongs to value i of group g. */
export const q5K: BlockDecoder = (data, from, out, to) => {
  const scale = f16At(data, from);
  const least = f16At(data, from + 2);
  for (let group = 0; group < 8; group++) {
    const d = Math.fround(scale * scaleAt(data, from + 4, group));
    const m = Math.fround(least * leastAt(data, from + 4, group));
    const levels = from + 48 + (group >> 1) * 32;
    const shift = (group & 1) * 4;
    for (let i = 0; i < 32; i++) {
      const low = (data.getUint8(levels + i) >> shift) & 15;
      const high = (data.getUint8(from + 16 + i) >> group) & 1;
      out[to + group * 32 + i] = d * (low | (high << 4)) - m;
    }
  }
};
