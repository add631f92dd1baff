import { f16At } from "./block.ts";
import type { BlockDecoder } from "./block.ts";

/** An f16 scale, then 32 signed bytes. */
export const q8_0: BlockDecoder = (data, from, out, to) => {
  const scale = f16At(data, from);
  for (let i = 0; i < 32; i++) out[to + i] = scale * data.getInt8(from + 2 + i);
};
