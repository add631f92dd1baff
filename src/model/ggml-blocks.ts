import type { ReadableDtype } from "../checkpoint/gguf/dequantize/dequantize.ts";
import { GGML_TYPES } from "../checkpoint/gguf/ggml-type.ts";
import type { MatrixFormat } from "../kernels/weights/format.ts";
import { q4KBlock, q6KBlock } from "./k-quant-blocks.ts";
import type { Rearrange } from "./k-quant-blocks.ts";

/** Rows in a quantized weight format, as it lies on the device. */
export interface QuantizedRows {
  readonly data: Uint8Array<ArrayBuffer>;
  /** What each of the format's `scaleRegions` gets. */
  readonly scales: readonly Uint8Array<ArrayBuffer>[];
}

/** GGML types whose blocks hold the same numbers as a weight format's, in another order. */
const SAME_BLOCKS = { Q8_0: "q8", Q4_0: "q4", Q4_K: "q4_k", Q6_K: "q6_k" } as const satisfies Partial<
  Record<ReadableDtype, MatrixFormat>
>;
type SameBlocks = keyof typeof SAME_BLOCKS;

export function hasSameBlocks(dtype: ReadableDtype): dtype is SameBlocks {
  return Object.hasOwn(SAME_BLOCKS, dtype);
}

export function sameBlocksFormat(dtype: ReadableDtype): MatrixFormat | undefined {
  return hasSameBlocks(dtype) ? SAME_BLOCKS[dtype] : undefined;
}

interface BlockOrder {
  /** Bytes of a block in each of the scales' regions. */
  readonly scaleBytes: readonly number[];
  readonly rearrange: Rearrange;
}

const ORDERS: Record<SameBlocks, BlockOrder> = {
  Q8_0: { scaleBytes: [2], rearrange: q8Block },
  Q4_0: { scaleBytes: [2], rearrange: q4Block },
  Q4_K: { scaleBytes: [16], rearrange: q4KBlock },
  Q6_K: { scaleBytes: [16, 2], rearrange: q6KBlock },
};

/** Whole blocks in the order of the device: scales apart from levels. No value changes. */
export function repackBlocks(dtype: SameBlocks, bytes: Uint8Array<ArrayBuffer>): QuantizedRows {
  const { bytes: size } = GGML_TYPES[dtype];
  const { scaleBytes, rearrange } = ORDERS[dtype];
  const blocks = bytes.length / size;
  const levels = size - scaleBytes.reduce((sum, each) => sum + each, 0);
  const data = new Uint8Array(blocks * levels);
  const scales = scaleBytes.map((each) => new Uint8Array(blocks * each));
  const [from, to] = [viewOf(bytes), viewOf(data)];
  const regions = scales.map(viewOf);
  for (let block = 0; block < blocks; block++) rearrange(from, block * size, to, regions, block);
  return { data, scales };
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

const HALF = 16;
const SCALE_BYTES = 2;
const Q8_BYTES = 32;

function q8Block(of: DataView, from: number, to: DataView, [scales]: readonly DataView[], block: number): void {
  scales?.setUint16(block * SCALE_BYTES, of.getUint16(from));
  for (let i = 0; i < Q8_BYTES; i += 4) to.setUint32(block * Q8_BYTES + i, of.getUint32(from + SCALE_BYTES + i));
}

/** From low halves for the first 16 levels and high halves for the last to two neighbours in a byte. */
function q4Block(of: DataView, from: number, to: DataView, [scales]: readonly DataView[], block: number): void {
  scales?.setUint16(block * SCALE_BYTES, of.getUint16(from));
  for (let i = 0; i < HALF; i += 2) {
    const [first, second] = [of.getUint8(from + SCALE_BYTES + i), of.getUint8(from + SCALE_BYTES + i + 1)];
    const at = block * HALF + i / 2;
    to.setUint8(at, (first & 15) | ((second & 15) << 4));
    to.setUint8(at + HALF / 2, (first >> 4) | (second & 0xf0));
  }
}
