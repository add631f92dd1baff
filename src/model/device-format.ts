import { isFloatDtype } from "../checkpoint/floats.ts";
import type { FloatDtype } from "../checkpoint/floats.ts";
import type { ReadableDtype } from "../checkpoint/gguf/dequantize/dequantize.ts";
import type { FloatFormat } from "../kernels/quantize/quantize.ts";
import type { MatrixFormat, WeightFormat } from "../kernels/weights/format.ts";
import { sameBlocksFormat } from "./ggml-blocks.ts";

/**
 * Matrices of types that the device does not have come to it as f32, exactly, where the model takes up to this many bytes
 * of it; in larger models they are quantized again, to 8 bits.
 */
const EXACT_BYTES = 2 ** 30;

export const FLOAT_FORMATS: Record<FloatDtype, FloatFormat> = { F32: "f32", F16: "f16", BF16: "bf16" };

/** How a tensor's rows come to lie on the device. */
export interface TensorFormat {
  readonly format: MatrixFormat;
  /** The file's blocks hold the same numbers: they are rearranged, and nothing is rounded. */
  readonly kept: boolean;
}

/** What decides {@link TensorFormat} beside the types in the file. */
export interface FormatChoice {
  /** Of the whole model. */
  readonly parameters: number;
  /** Left out, matrices stay as in the file as far as the device has such a format. */
  readonly asked?: WeightFormat | undefined;
}

/**
 * Of tensors that lie one below the other in a matrix (q, k and v). Floats of several types get the widest, so that nothing
 * is lost and the matrix stays in one piece. Blocks that the device has are kept, whatever their neighbours are in: Q6_K
 * beside Q4_K is usual. What only a file can hold becomes f32 or, in large models, 8 bits.
 */
export function rowFormats(dtypes: readonly ReadableDtype[], choice: FormatChoice): readonly TensorFormat[] {
  const { asked } = choice;
  const floats = dtypes.every(isFloatDtype);
  return dtypes.map((dtype): TensorFormat => {
    const same = sameBlocksFormat(dtype);
    if (asked !== undefined) return { format: asked, kept: same === asked };
    if (floats) return { format: commonFloat(dtypes), kept: false };
    if (same !== undefined) return { format: same, kept: true };
    return { format: isFloatDtype(dtype) ? FLOAT_FORMATS[dtype] : converted(choice), kept: false };
  });
}

/** Of tensors that lie side by side in each chunk (gate and up), so that they must be in one format. */
export function stackedFormat(dtypes: readonly ReadableDtype[], choice: FormatChoice): TensorFormat {
  const formats = rowFormats(dtypes, choice);
  const [first = { format: "f32", kept: false }] = formats;
  if (formats.every(({ format }) => format === first.format)) {
    return { format: first.format, kept: formats.every(({ kept }) => kept) };
  }
  return { format: converted(choice), kept: false };
}

function commonFloat(dtypes: readonly FloatDtype[]): FloatFormat {
  const [first, ...others] = new Set(dtypes);
  return first !== undefined && others.length === 0 ? FLOAT_FORMATS[first] : "f32";
}

function converted({ parameters }: FormatChoice): WeightFormat {
  return parameters * 4 <= EXACT_BYTES ? "f32" : "q8";
}
