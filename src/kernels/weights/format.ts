import { R1Error } from "../../errors.ts";

/**
 * How a weight matrix [N, K] lies in GPU memory. `f32`, `f16` and `bf16` are stored as they are;
 * `q8` and `q4` hold integers in blocks of 32 along K with an f16 scale and, on request, an integer zero point per block.
 */
export const WEIGHT_FORMATS = ["f32", "f16", "bf16", "q8", "q4"] as const;
export type WeightFormat = (typeof WEIGHT_FORMATS)[number];

/** Elements per quantization block along K. */
export const QUANT_BLOCK = 32;

export interface FormatLayout {
  readonly format: WeightFormat;
  /** Rows are padded with zeros to a multiple of this many elements, so that every load is 16 bytes. */
  readonly padK: number;
  readonly bitsPerWeight: number;
  readonly quantized: boolean;
  /** Elements one thread of the few-rows kernel takes per step: 16 bytes of weights (32 for f32). */
  readonly step: 8 | 16;
}

const LAYOUTS: Record<WeightFormat, FormatLayout> = {
  f32: { format: "f32", padK: 8, bitsPerWeight: 32, quantized: false, step: 8 },
  f16: { format: "f16", padK: 8, bitsPerWeight: 16, quantized: false, step: 8 },
  bf16: { format: "bf16", padK: 8, bitsPerWeight: 16, quantized: false, step: 8 },
  q8: { format: "q8", padK: QUANT_BLOCK, bitsPerWeight: 8, quantized: true, step: 16 },
  q4: { format: "q4", padK: QUANT_BLOCK, bitsPerWeight: 4, quantized: true, step: 16 },
};

export function layoutOf(format: WeightFormat): FormatLayout {
  return LAYOUTS[format];
}

export function isWeightFormat(name: string): name is WeightFormat {
  return (WEIGHT_FORMATS as readonly string[]).includes(name);
}

/** @throws R1Error E_QUANTIZATION naming the format found */
export function parseWeightFormat(name: string): WeightFormat {
  if (isWeightFormat(name)) return name;
  throw new R1Error("E_QUANTIZATION", `weight format ${name}: expected one of ${WEIGHT_FORMATS.join(", ")}`);
}

/** Activation rows are padded to this many elements, which suits every weight format's K. */
export const ACTIVATION_PAD = QUANT_BLOCK;

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** K padded for the format. */
export function paddedK(format: WeightFormat, k: number): number {
  return roundUp(k, layoutOf(format).padK);
}

/** Bytes of one padded row of weights, scales not counted. */
export function rowBytes(format: WeightFormat, k: number): number {
  return (paddedK(format, k) * layoutOf(format).bitsPerWeight) / 8;
}

/** Quantization blocks of one padded row. */
export function blocksPerRow(k: number): number {
  return roundUp(k, QUANT_BLOCK) / QUANT_BLOCK;
}

/**
 * Bytes of the scales buffer for `rows` rows: f16 scales, two to a word, followed (with zero points) by
 * u8 zero points, four to a word. Both run over all blocks of all rows without padding between rows.
 */
export function scaleBytes(rows: number, k: number, zeroPoints: boolean): number {
  const blocks = rows * blocksPerRow(k);
  return scaleWords(blocks) * 4 + (zeroPoints ? Math.ceil(blocks / 4) * 4 : 0);
}

/** Words that the scales of `blocks` blocks take. */
export function scaleWords(blocks: number): number {
  return Math.ceil(blocks / 2);
}
