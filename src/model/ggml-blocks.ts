import type { ReadableDtype } from "../checkpoint/gguf/dequantize/dequantize.ts";
import { GGML_TYPES } from "../checkpoint/gguf/ggml-type.ts";
import type { WeightFormat } from "../kernels/weights/format.ts";

/** Rows in a quantized weight format, as `packWeights` makes them. */
export interface QuantizedRows {
  readonly data: Uint8Array<ArrayBuffer>;
  /** f16 bits of each block's scale. */
  readonly scales: Uint16Array<ArrayBuffer>;
}

/** GGML types whose blocks hold the same numbers as a weight format's, in another order. */
const SAME_BLOCKS = { Q8_0: "q8", Q4_0: "q4" } as const satisfies Partial<Record<ReadableDtype, WeightFormat>>;
type SameBlocks = keyof typeof SAME_BLOCKS;

export function hasSameBlocks(dtype: ReadableDtype): dtype is SameBlocks {
  return Object.hasOwn(SAME_BLOCKS, dtype);
}

export function sameBlocksFormat(dtype: ReadableDtype): WeightFormat | undefined {
  return hasSameBlocks(dtype) ? SAME_BLOCKS[dtype] : undefined;
}

const HALF = 16;
const SCALE_BYTES = 2;

/** Blocks of Q8_0 or Q4_0 as q8 or q4: scales apart from levels, and Q4_0's halves of a block side by side. No value changes. */
export function repackBlocks(dtype: SameBlocks, bytes: Uint8Array<ArrayBuffer>): QuantizedRows {
  const { bytes: size } = GGML_TYPES[dtype];
  const blocks = bytes.length / size;
  const levels = size - SCALE_BYTES;
  const data = new Uint8Array(blocks * levels);
  const scales = new Uint16Array(blocks);
  for (let block = 0; block < blocks; block++) {
    const from = block * size;
    scales[block] = (bytes[from] ?? 0) | ((bytes[from + 1] ?? 0) << 8);
    const of = bytes.subarray(from + SCALE_BYTES, from + size);
    if (dtype === "Q8_0") data.set(of, block * levels);
    else interleave(of, data.subarray(block * levels, (block + 1) * levels));
  }
  return { data, scales };
}

/** From low halves for the first 16 levels and high halves for the last to two neighbours in a byte. */
function interleave(of: Uint8Array, to: Uint8Array): void {
  for (let i = 0; i < HALF; i += 2) {
    const [first = 0, second = 0] = [of[i], of[i + 1]];
    to[i / 2] = (first & 15) | ((second & 15) << 4);
    to[(HALF + i) / 2] = (first >> 4) | (second & 0xf0);
  }
}
