import { isFloatDtype } from "../checkpoint/floats.ts";
import type { FloatDtype } from "../checkpoint/floats.ts";
import type { ReadableDtype } from "../checkpoint/gguf/dequantize/dequantize.ts";
import type { FloatFormat } from "../kernels/quantize/quantize.ts";
import type { WeightFormat } from "../kernels/weights/format.ts";
import { sameBlocksFormat } from "./ggml-blocks.ts";

/**
 * Matrices of types that the device does not have come to it as f32, exactly, where the model takes up to this many bytes
 * of it; in larger models they are quantized again, to 8 bits.
 */
const EXACT_BYTES = 2 ** 30;

export const FLOAT_FORMATS: Record<FloatDtype, FloatFormat> = { F32: "f32", F16: "f16", BF16: "bf16" };

/**
 * How a matrix of tensors of these types lies on the device where nothing else is asked for: as in the file or, where they
 * differ, in the widest, so that nothing is lost; what only a file can hold, as f32 or in large models in 8 bits.
 * @param parameters of the whole model
 */
export function deviceFormat(dtypes: readonly ReadableDtype[], parameters: number): WeightFormat {
  const [first, ...others] = new Set(dtypes);
  if (first === undefined) return "f32";
  const same = isFloatDtype(first) ? FLOAT_FORMATS[first] : sameBlocksFormat(first);
  if (same !== undefined && others.length === 0) return same;
  return dtypes.every(isFloatDtype) || parameters * 4 <= EXACT_BYTES ? "f32" : "q8";
}
