import { R1Error } from "../../errors.ts";
import { f16BitsToF32, f32ToBf16Bits, f32ToF16Bits } from "./half.ts";
import {
  blocksPerRow,
  isKQuantFormat,
  layoutOf,
  paddedK,
  QUANT_BLOCK,
  rowBytes,
  rowLayout,
  scaleBytes,
} from "./format.ts";
import type { MatrixFormat, WeightFormat } from "./format.ts";
import { unpackKQuant } from "./k-quant-unpack.ts";

/** Largest finite f16. */
const F16_MAX = 65_504;

/** The value of largest magnitude in a block is this many times the scale (without zero points). */
const SCALE_STEPS = { q8: 127, q4: 8 } as const;

/** The largest magnitude whose block has a scale that is a f16. */
export function f16Limit(format: "q8" | "q4"): number {
  return F16_MAX * SCALE_STEPS[format];
}

/** @param name of the matrix, where it is known */
export function beyondF16(format: "q8" | "q4", magnitude: number, name?: string): R1Error {
  const where = name === undefined ? format : `${name}: ${format}`;
  return new R1Error("E_QUANTIZATION", `${where}: weights up to ${magnitude} need a scale beyond f16; use f32`);
}

/** A weight matrix as bytes in its GPU layout. */
export interface PackedWeights {
  readonly format: MatrixFormat;
  readonly rows: number;
  readonly k: number;
  readonly data: Uint8Array<ArrayBuffer>;
  /** See `scaleRegions`; absent for unquantized formats. */
  readonly scales?: Uint8Array<ArrayBuffer>;
  readonly zeroPoints: boolean;
}

/**
 * Packs f32 values [rows, k] into a format, quantizing if it is q8 or q4.
 * @throws R1Error E_QUANTIZATION for NaN, and for values so large that their block's scale is no f16
 */
export function packWeights(
  format: WeightFormat,
  values: Float32Array,
  rows: number,
  k: number,
  zeroPoints = false,
): PackedWeights {
  if (layoutOf(format).quantized) return quantize(format === "q8" ? 8 : 4, values, rows, k, zeroPoints);
  const stride = paddedK(format, k);
  const data = new Uint8Array(rows * rowBytes(format, k));
  if (format === "f32") {
    const out = new Float32Array(data.buffer);
    for (let r = 0; r < rows; r++) out.set(values.subarray(r * k, (r + 1) * k), r * stride);
  } else {
    const out = new Uint16Array(data.buffer);
    const convert = format === "f16" ? f32ToF16Bits : f32ToBf16Bits;
    for (let r = 0; r < rows; r++) {
      for (let i = 0; i < k; i++) out[r * stride + i] = convert(values[r * k + i] ?? 0);
    }
  }
  return { format, rows, k, data, zeroPoints: false };
}

/**
 * Block-32 quantization along K. Without zero points: q8 is round(x / (max|x| / 127)) signed; q4 is
 * round(x / d) + 8 with d = (the value of largest magnitude) / −8, as GGML's Q4_0. With zero points:
 * unsigned, scale (max − min) / levels, zero point round(−min / scale). Scales are rounded to f16 before use.
 */
function quantize(bits: 8 | 4, values: Float32Array, rows: number, k: number, zeroPoints: boolean): PackedWeights {
  const format = bits === 8 ? "q8" : "q4";
  const perRow = blocksPerRow(k);
  const bytes = new Uint8Array(rows * rowBytes(format, k));
  const scales = new Uint8Array(scaleBytes(format, rows, k, zeroPoints));
  const { secondWords } = rowLayout(format, rows, k);
  const scaleBits = new Uint16Array(scales.buffer, 0, secondWords * 2);
  const zeroStart = secondWords * 4;
  const block = new Float32Array(QUANT_BLOCK);
  for (let r = 0; r < rows; r++) {
    for (let b = 0; b < perRow; b++) {
      block.fill(0);
      block.set(values.subarray(r * k + b * QUANT_BLOCK, r * k + Math.min(k, (b + 1) * QUANT_BLOCK)));
      const index = r * perRow + b;
      const { scale, zero } = zeroPoints ? affine(block, 2 ** bits - 1) : symmetric(block, bits);
      if (!(Math.abs(scale) <= F16_MAX)) throw beyondF16(format, Math.abs(scale) * SCALE_STEPS[format]);
      scaleBits[index] = f32ToF16Bits(scale);
      if (zeroPoints) scales[zeroStart + index] = zero;
      const exact = f16BitsToF32(scaleBits[index]);
      const offset = zeroPoints ? zero : bits === 4 ? 8 : 0;
      const [low, high] = bits === 8 && !zeroPoints ? [-127, 127] : [0, 2 ** bits - 1];
      for (let i = 0; i < QUANT_BLOCK; i++) {
        const q = exact === 0 ? offset : Math.round((block[i] ?? 0) / exact) + offset;
        const level = Math.min(high, Math.max(low, q));
        const at = index * QUANT_BLOCK + i;
        if (bits === 8) bytes[at] = level & 0xff;
        else bytes[at >> 1] = (bytes[at >> 1] ?? 0) | (level << ((at & 1) * 4));
      }
    }
  }
  return { format, rows, k, data: bytes, scales, zeroPoints };
}

function symmetric(block: Float32Array, bits: 8 | 4): { scale: number; zero: number } {
  let extreme = 0;
  for (const value of block) {
    // NaN is larger than nothing, and would be lost.
    if (Number.isNaN(value)) return { scale: Number.NaN, zero: 0 };
    if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  }
  return { scale: bits === 8 ? Math.abs(extreme) / 127 : extreme / -8, zero: 0 };
}

function affine(block: Float32Array, levels: number): { scale: number; zero: number } {
  let min = 0;
  let max = 0;
  for (const value of block) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const scale = (max - min) / levels;
  return { scale, zero: scale === 0 ? 0 : Math.min(levels, Math.max(0, Math.round(-min / scale))) };
}

/** The f32 values [rows, k] that packed weights stand for: the reference of every loader. */
export function unpackWeights(packed: PackedWeights): Float32Array<ArrayBuffer> {
  const { format, rows, k, data } = packed;
  if (isKQuantFormat(format)) return unpackKQuant({ ...packed, format });
  const out = new Float32Array(rows * k);
  const stride = paddedK(format, k);
  const perRow = blocksPerRow(k);
  const halves = new Uint16Array(data.buffer, data.byteOffset, data.byteLength >> 1);
  const floats = format === "f32" ? new Float32Array(data.buffer, data.byteOffset, data.byteLength >> 2) : undefined;
  const bits32 = new Uint32Array(1);
  const asFloat = new Float32Array(bits32.buffer);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < k; i++) {
      const at = r * stride + i;
      out[r * k + i] = (() => {
        switch (format) {
          case "f32":
            return floats?.[at] ?? 0;
          case "f16":
            return f16BitsToF32(halves[at] ?? 0);
          case "bf16":
            bits32[0] = (halves[at] ?? 0) << 16;
            return asFloat[0] ?? 0;
          case "q8":
          case "q4":
            return dequantize(packed, at, r * perRow + Math.floor(i / QUANT_BLOCK));
        }
      })();
    }
  }
  return out;
}

function dequantize({ format, data, scales, rows, k, zeroPoints }: PackedWeights, at: number, block: number): number {
  if (!scales) return Number.NaN;
  const scaleBits = new Uint16Array(scales.buffer, scales.byteOffset);
  const scale = f16BitsToF32(scaleBits[block] ?? 0);
  const zeroStart = rowLayout(format, rows, k).secondWords * 4;
  const zero = zeroPoints ? (scales[zeroStart + block] ?? 0) : format === "q4" ? 8 : 0;
  const byte = (format === "q8" ? data[at] : data[at >> 1]) ?? 0;
  const level = format === "q4" ? (byte >> ((at & 1) * 4)) & 15 : zeroPoints ? byte : (byte << 24) >> 24;
  return (level - zero) * scale;
}
