import { R1Error } from "../../errors.ts";

/**
 * What weights can be converted to on the way in. `f32`, `f16` and `bf16` are stored as they are; `q8` and `q4` hold
 * integers in blocks of 32 along K with an f16 scale and, on request, an integer zero point per block.
 */
export const WEIGHT_FORMATS = ["f32", "f16", "bf16", "q8", "q4"] as const;
export type WeightFormat = (typeof WEIGHT_FORMATS)[number];

/**
 * GGML's blocks of 256 along K with 4.5 and 6.5625 bits a weight, whose values are kept to the bit; see `k-quant-wgsl.ts`
 * for how they lie. Only files bring them: nothing is converted to them.
 */
export const K_QUANT_FORMATS = ["q4_k", "q6_k"] as const;
export type KQuantFormat = (typeof K_QUANT_FORMATS)[number];

/** How the rows of a weight matrix [N, K] lie in GPU memory. */
export type MatrixFormat = WeightFormat | KQuantFormat;

/** Elements per quantization block along K. */
export const QUANT_BLOCK = 32;
/** Elements per block of a K-quant. */
export const K_QUANT_BLOCK = 256;

export interface FormatLayout {
  readonly format: MatrixFormat;
  /** Rows are padded with zeros to a multiple of this many elements, so that every load is a whole vector. */
  readonly padK: number;
  /** Scales not counted. */
  readonly bitsPerWeight: number;
  readonly quantized: boolean;
  /** Elements one thread of the few-rows kernel takes per step. */
  readonly step: 8 | 16 | 32;
  /** Bytes of one element of the binding. */
  readonly loadBytes: 8 | 16;
}

const FLOAT = { padK: 8, quantized: false, step: 8, loadBytes: 16 } as const;
const BLOCKS = { padK: QUANT_BLOCK, quantized: true, step: 16 } as const;
const K_QUANT = { padK: K_QUANT_BLOCK, quantized: true, step: 32, loadBytes: 16 } as const;

const LAYOUTS: Record<MatrixFormat, FormatLayout> = {
  f32: { format: "f32", bitsPerWeight: 32, ...FLOAT },
  f16: { format: "f16", bitsPerWeight: 16, ...FLOAT },
  bf16: { format: "bf16", bitsPerWeight: 16, ...FLOAT },
  q8: { format: "q8", bitsPerWeight: 8, loadBytes: 16, ...BLOCKS },
  q4: { format: "q4", bitsPerWeight: 4, loadBytes: 8, ...BLOCKS },
  q4_k: { format: "q4_k", bitsPerWeight: 4, ...K_QUANT },
  q6_k: { format: "q6_k", bitsPerWeight: 6, ...K_QUANT },
};

export function layoutOf(format: MatrixFormat): FormatLayout {
  return LAYOUTS[format];
}

export function isWeightFormat(name: string): name is WeightFormat {
  return (WEIGHT_FORMATS as readonly string[]).includes(name);
}

export function isKQuantFormat(name: string): name is KQuantFormat {
  return (K_QUANT_FORMATS as readonly string[]).includes(name);
}

/** @throws R1Error E_QUANTIZATION naming the format found */
export function parseWeightFormat(name: string): WeightFormat {
  if (isWeightFormat(name)) return name;
  const kept = isKQuantFormat(name) ? "; a GGUF file's own blocks are kept where no format is given" : "";
  throw new R1Error("E_QUANTIZATION", `weight format ${name}: expected one of ${WEIGHT_FORMATS.join(", ")}${kept}`);
}

/** Activation rows are padded to this many elements, which suits every weight format's K. */
export const ACTIVATION_PAD = QUANT_BLOCK;

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/**
 * K padded for the format.
 * @throws R1Error E_QUANTIZATION for a K-quant's rows of broken blocks: files cannot have them, and padding would go beyond
 *   the activations' own
 */
export function paddedK(format: MatrixFormat, k: number): number {
  if (isKQuantFormat(format) && k % K_QUANT_BLOCK !== 0) {
    throw new R1Error("E_QUANTIZATION", `rows of ${k} weights; ${format} needs a multiple of ${K_QUANT_BLOCK}`);
  }
  return roundUp(k, layoutOf(format).padK);
}

/** Bytes of one padded row of weights, scales not counted. */
export function rowBytes(format: MatrixFormat, k: number): number {
  return (paddedK(format, k) * layoutOf(format).bitsPerWeight) / 8;
}

/** Blocks of 32 in one padded row. */
export function blocksPerRow(k: number): number {
  return roundUp(k, QUANT_BLOCK) / QUANT_BLOCK;
}

/**
 * The scales buffer holds regions one after another, each running over all rows without padding between them and ending
 * at a whole word. q8, q4: f16 scales, then (with zero points) u8 zero points. q4_k: the first 16 bytes of GGML's blocks.
 * q6_k: 16 signed bytes a block, then f16 scales of these.
 * @returns bytes of one row in each region
 */
export function scaleRegions(format: MatrixFormat, k: number, zeroPoints: boolean): readonly number[] {
  if (!layoutOf(format).quantized) return [];
  const blocks = paddedK(format, k) / layoutOf(format).padK;
  if (format === "q4_k") return [16 * blocks];
  if (format === "q6_k") return [16 * blocks, 2 * blocks];
  return zeroPoints ? [2 * blocks, blocks] : [2 * blocks];
}

/** Bytes of the scales buffer for `rows` rows; 0 for unquantized formats. */
export function scaleBytes(format: MatrixFormat, rows: number, k: number, zeroPoints: boolean): number {
  return scaleRegions(format, k, zeroPoints).reduce((sum, bytes) => sum + roundUp(rows * bytes, 4), 0);
}

/** What kernels must know of a matrix's rows to find a weight and its scale. */
export interface RowLayout {
  /** Elements of a padded row. */
  readonly padded: number;
  /** Loads of the few-rows kernel in a row. */
  readonly steps: number;
  /** Elements of the weights' binding in a row. */
  readonly ld: number;
  /** Blocks in a row that have scales of their own. */
  readonly blocks: number;
  /** Where the scales' second region begins, in words. */
  readonly secondWords: number;
}

/** @param rows that the buffer holds */
export function rowLayout(format: MatrixFormat, rows: number, k: number): RowLayout {
  const { step, padK, loadBytes } = layoutOf(format);
  const padded = paddedK(format, k);
  const [first = 0] = scaleRegions(format, k, false);
  return {
    padded,
    steps: padded / step,
    ld: rowBytes(format, k) / loadBytes,
    blocks: padded / padK,
    secondWords: Math.ceil((rows * first) / 4),
  };
}
