import { fromFloats } from "../../floats.ts";
import type { FloatDtype } from "../../floats.ts";
import { GGML_TYPES } from "../../gguf/ggml-type.ts";

/** Types that matrices can be written in. */
export type WrittenDtype = FloatDtype | "Q8_0" | "Q4_0";

const BLOCK = 32;
const HALF = 16;

interface Encoder {
  /** The value of level 1, of 32 values from `at` on. */
  readonly scale: (values: Float32Array, at: number) => number;
  /** Writes the levels of 32 values; `inverse` is 1 / scale. */
  readonly levels: (values: Float32Array, at: number, inverse: number, out: Uint8Array) => void;
}

/** GGML's reference formulas, in its f32 arithmetic (ggml-quants.c, `quantize_row_q8_0_ref`, `quantize_row_q4_0_ref`). */
const ENCODERS: Readonly<Record<"Q8_0" | "Q4_0", Encoder>> = {
  Q8_0: {
    scale: (values, at) => Math.fround(Math.abs(extreme(values, at)) / 127),
    levels: (values, at, inverse, out) => {
      for (let i = 0; i < BLOCK; i++) {
        const level = Math.fround((values[at + i] ?? 0) * inverse);
        // C's roundf takes halves away from zero.
        out[i] = Math.sign(level) * Math.floor(Math.abs(level) + 0.5);
      }
    },
  },
  Q4_0: {
    scale: (values, at) => Math.fround(extreme(values, at) / -8),
    levels: (values, at, inverse, out) => {
      const level = (value = 0): number => Math.min(15, Math.trunc(Math.fround(Math.fround(value * inverse) + 8.5)));
      for (let i = 0; i < HALF; i++) out[i] = level(values[at + i]) | (level(values[at + HALF + i]) << 4);
    },
  },
};

/** The first value of the largest magnitude. */
function extreme(values: Float32Array, at: number): number {
  let found = 0;
  for (let i = at; i < at + BLOCK; i++) {
    const value = values[i] ?? 0;
    if (Math.abs(value) > Math.abs(found)) found = value;
  }
  return found;
}

/**
 * Values as bytes of a type; of a quantized one, whole blocks of 32.
 * @returns undefined for values that the type cannot hold: in f16, or as a block's scale in f16, they would be infinite
 */
export function encodeFloats(
  type: WrittenDtype,
  values: Float32Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> | undefined {
  if (type === "F16") return values.every(fitsF16) ? fromFloats(values, type) : undefined;
  if (type === "F32" || type === "BF16") return fromFloats(values, type);
  const { scale, levels } = ENCODERS[type];
  const size = GGML_TYPES[type].bytes;
  const blocks = values.length / BLOCK;
  const scales = Float32Array.from({ length: blocks }, (_, block) => scale(values, block * BLOCK));
  if (!scales.every(fitsF16)) return undefined;
  const bits = fromFloats(scales, "F16");
  const out = new Uint8Array(blocks * size);
  for (let block = 0; block < blocks; block++) {
    out.set(bits.subarray(2 * block, 2 * block + 2), block * size);
    const exact = scales[block] ?? 0;
    const inverse = exact === 0 ? 0 : Math.fround(1 / exact);
    levels(values, block * BLOCK, inverse, out.subarray(block * size + 2, (block + 1) * size));
  }
  return out;
}

/** From here on f32 rounds to what f16 does not have. */
const F16_OVERFLOW = 65_520;

function fitsF16(value: number): boolean {
  return Math.abs(value) < F16_OVERFLOW;
}
