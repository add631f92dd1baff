import { R1Error } from "../errors.ts";
import type { CheckpointTensor } from "./tensor.ts";

/** Types of a checkpoint's weights that can be read, and into which they can be written. */
export const FLOAT_BYTES = { F32: 4, F16: 2, BF16: 2 } as const;
export type FloatDtype = keyof typeof FLOAT_BYTES;

/** @throws R1Error E_DTYPE unless the tensor is F32, F16 or BF16 */
export function floatDtypeOf({ name, dtype }: CheckpointTensor): FloatDtype {
  if (isFloatDtype(dtype)) return dtype;
  throw new R1Error("E_DTYPE", `tensor ${name} is ${dtype}; expected ${Object.keys(FLOAT_BYTES).join(", ")}`, {
    name,
    dtype,
  });
}

export function isFloatDtype(dtype: string): dtype is FloatDtype {
  return Object.hasOwn(FLOAT_BYTES, dtype);
}

const F32 = new Float32Array(1);
const U32 = new Uint32Array(F32.buffer);

/**
 * Little-endian bytes of a type as f32.
 * @param bytes in a buffer of their own or at an offset that the type is aligned to
 */
export function toFloats(bytes: Uint8Array<ArrayBuffer>, type: FloatDtype): Float32Array<ArrayBuffer> {
  const count = bytes.byteLength / FLOAT_BYTES[type];
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  if (type === "F32") return new Float32Array(aligned.buffer, aligned.byteOffset, count);
  const halves = new Uint16Array(aligned.buffer, aligned.byteOffset, count);
  const words = new Uint32Array(count);
  if (type === "BF16") for (let i = 0; i < count; i++) words[i] = (halves[i] ?? 0) << 16;
  else for (let i = 0; i < count; i++) words[i] = f16Word(halves[i] ?? 0);
  return new Float32Array(words.buffer);
}

/** Values as little-endian bytes of a type, rounded to nearest even; too large for f16 is infinite. */
export function fromFloats(values: Float32Array<ArrayBuffer>, type: FloatDtype): Uint8Array<ArrayBuffer> {
  if (type === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const out = new Uint16Array(values.length);
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = type === "F16" ? f16Bits : bf16Bits;
  for (let i = 0; i < out.length; i++) out[i] = bits(words[i] ?? 0);
  return new Uint8Array(out.buffer);
}

function bf16Bits(word: number): number {
  // A NaN whose payload would be rounded away.
  if ((word & 0x7fff_ffff) > 0x7f80_0000) return 0x7fc0;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

function f16Bits(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00;
  if (magnitude >= 0x4780_0000) return sign | 0x7c00;
  if (magnitude < 0x3880_0000) {
    // Below 2⁻¹⁴ f16 counts in steps of 2⁻²⁴: adding ½ aligns the value to them, rounded by the hardware.
    U32[0] = magnitude;
    F32[0] = (F32[0] ?? 0) + 0.5;
    return sign | ((U32[0] ?? 0) - 0x3f00_0000);
  }
  // A carry out of the mantissa moves into the exponent, which is the right result, up to infinity.
  return sign | ((magnitude - 0x3800_0000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

function f16Word(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 0x3ff;
  if (exponent === 31) return sign | 0x7f80_0000 | (mantissa << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
  F32[0] = mantissa * 2 ** -24;
  return sign | (U32[0] ?? 0);
}

const MAX_F16 = 65_504;
/** From here on f32 rounds to what f16 does not have. */
const F16_OVERFLOW = 65_520;

/** @throws R1Error E_QUANTIZATION for a value that f16 has not and whose loss would ruin the model silently */
export function requireF16Range(values: Float32Array, tensor: string): void {
  for (const value of values) {
    if (Math.abs(value) >= F16_OVERFLOW) {
      throw new R1Error(
        "E_QUANTIZATION",
        `tensor ${tensor} holds ${value}; f16 ends at ${MAX_F16}. Choose bf16 or f32`,
        { tensor },
      );
    }
  }
}
