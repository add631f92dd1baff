import { f16At } from "./block.ts";
import type { BlockDecoder } from "./block.ts";

export const f32: BlockDecoder = (data, from, out, to) => {
  out[to] = data.getFloat32(from, true);
};

export const f16: BlockDecoder = (data, from, out, to) => {
  out[to] = f16At(data, from);
};

const word = new DataView(new ArrayBuffer(4));

/** The upper half of an f32. */
export const bf16: BlockDecoder = (data, from, out, to) => {
  word.setUint16(2, data.getUint16(from, true), true);
  out[to] = word.getFloat32(0, true);
};
