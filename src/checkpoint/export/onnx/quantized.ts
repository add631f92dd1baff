import type { Checkpoint } from "../../checkpoint.ts";
import { fromFloats } from "../../floats.ts";
import { floatSlabs } from "../model.ts";
import type { ExportTensor } from "../model.ts";
import type { OnnxInitializer } from "./graph.ts";

/** Values that share a scale, along a row. */
export const BLOCK = 32;
const BLOCK_BYTES = BLOCK / 2;
/** Without zero points, the value that MatMulNBits takes for 0. */
const ZERO = 8;

/** Bytes that a slab of whole rows becomes. */
type Pack = (values: Float32Array, columns: number) => Uint8Array<ArrayBuffer>;

/**
 * A matrix [out, in] as MatMulNBits takes it: blocks of 32 values along a row in 4 bits, x ≈ (q − 8) · scale, the first of
 * two values in a byte's low half; and a f32 scale for each block. The scale puts the value furthest from 0 on −8. It is
 * read twice, slab by slab, so that it need not be whole in memory.
 */
export function quantized(
  checkpoint: Checkpoint,
  tensor: ExportTensor,
): { readonly weights: OnnxInitializer; readonly scales: OnnxInitializer } {
  const [rows = 0, columns = 0] = tensor.shape;
  const blocks = Math.ceil(columns / BLOCK);
  const initializer = (
    suffix: string,
    type: OnnxInitializer["type"],
    shape: readonly number[],
    size: number,
    pack: Pack,
  ): OnnxInitializer => ({
    name: `${tensor.name}_${suffix}`,
    type,
    shape,
    data: {
      size,
      async *chunks(signal) {
        for await (const slab of floatSlabs(checkpoint, tensor, columns, signal)) yield pack(slab, columns);
      },
    },
  });
  const count = rows * blocks;
  return {
    weights: initializer("Q4", "uint8", [rows, blocks, BLOCK_BYTES], count * BLOCK_BYTES, packBlocks),
    scales: initializer("scales", "float", [count], count * 4, packScales),
  };
}

function packScales(values: Float32Array, columns: number): Uint8Array<ArrayBuffer> {
  return fromFloats(Float32Array.from(blocksOf(values, columns), scaleOf), "F32");
}

function packBlocks(values: Float32Array, columns: number): Uint8Array<ArrayBuffer> {
  const blocks = blocksOf(values, columns);
  const bytes = new Uint8Array(blocks.length * BLOCK_BYTES);
  blocks.forEach((block, at) => {
    const scale = scaleOf(block);
    for (let i = 0; i < BLOCK; i++) {
      const level = scale === 0 ? 0 : Math.round((block[i] ?? 0) / scale);
      const q = Math.min(15, Math.max(0, level + ZERO));
      const byte = at * BLOCK_BYTES + (i >> 1);
      bytes[byte] = (bytes[byte] ?? 0) | (q << (4 * (i & 1)));
    }
  });
  return bytes;
}

/** The blocks of whole rows; a row's last one may be short. */
function blocksOf(values: Float32Array, columns: number): Float32Array[] {
  const blocks: Float32Array[] = [];
  for (let row = 0; row < values.length; row += columns) {
    for (let at = 0; at < columns; at += BLOCK) {
      blocks.push(values.subarray(row + at, row + Math.min(columns, at + BLOCK)));
    }
  }
  return blocks;
}

function scaleOf(block: Float32Array): number {
  const furthest = block.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  return Math.fround(furthest / -ZERO);
}
