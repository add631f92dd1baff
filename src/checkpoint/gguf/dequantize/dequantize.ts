import { R1Error } from "../../../errors.ts";
import { FLOAT_BYTES, isFloatDtype, toFloats } from "../../floats.ts";
import type { FloatDtype } from "../../floats.ts";
import type { CheckpointTensor } from "../../tensor.ts";
import { GGML_TYPES } from "../ggml-type.ts";
import type { GgmlType } from "../ggml-type.ts";
import type { BlockDecoder } from "./block.ts";
import { iq4Nl, iq4Xs } from "./iq4.ts";
import { mxfp4 } from "./mxfp4.ts";
import { q2K } from "./q2-k.ts";
import { q3K } from "./q3-k.ts";
import { q4_0, q4_1 } from "./q4.ts";
import { q4K } from "./q4-k.ts";
import { q5_0, q5_1 } from "./q5.ts";
import { q5K } from "./q5-k.ts";
import { q6K } from "./q6-k.ts";
import { q8_0 } from "./q8.ts";

const DECODERS = {
  Q8_0: q8_0,
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q2_K: q2K,
  Q3_K: q3K,
  Q4_K: q4K,
  Q5_K: q5K,
  Q6_K: q6K,
  IQ4_NL: iq4Nl,
  IQ4_XS: iq4Xs,
  MXFP4: mxfp4,
} as const satisfies Partial<Record<GgmlType, BlockDecoder>>;

/** Types whose values can be read. */
export type ReadableDtype = FloatDtype | keyof typeof DECODERS;

export function isReadableDtype(dtype: string): dtype is ReadableDtype {
  return isFloatDtype(dtype) || Object.hasOwn(DECODERS, dtype);
}

export const READABLE_DTYPES: readonly ReadableDtype[] = Object.keys({ ...FLOAT_BYTES, ...DECODERS }).filter(
  isReadableDtype,
);

/** @throws R1Error E_DTYPE unless the tensor's values can be read */
export function readableDtypeOf({ name, dtype }: CheckpointTensor): ReadableDtype {
  if (isReadableDtype(dtype)) return dtype;
  throw new R1Error("E_DTYPE", `tensor ${name} is ${dtype}; expected ${READABLE_DTYPES.join(", ")}`, { name, dtype });
}

/**
 * The f32 values of whole blocks, equal bit for bit to those of gguf-py's reference (gguf/quants.py): every scale is
 * rounded to f32 where it rounds, and a value is rounded once more as it is stored.
 */
export function dequantize(dtype: ReadableDtype, bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  if (isFloatDtype(dtype)) return toFloats(bytes, dtype);
  const { block, bytes: size } = GGML_TYPES[dtype];
  const blocks = bytes.length / size;
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const out = new Float32Array(blocks * block);
  const decode: BlockDecoder = DECODERS[dtype];
  for (let i = 0; i < blocks; i++) decode(data, i * size, out, i * block);
  return out;
}
