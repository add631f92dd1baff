import { throwIfAborted } from "../../../errors.ts";
import type { Checkpoint } from "../../checkpoint.ts";
import { fromFloats, toFloats } from "../../floats.ts";
import { ggmlBytes, GGML_TYPES } from "../../gguf/ggml-type.ts";
import { elementCount, floatSlabs, readFinite } from "../model.ts";
import type { ExportTensor } from "../model.ts";
import type { OnnxInitializer } from "./graph.ts";

/** Values that share a scale, along a row. */
export const BLOCK = 32;
const BLOCK_BYTES = BLOCK / 2;
/** Without zero points, the value that MatMulNBits takes for 0. */
const ZERO = 8;
/** GGML's blocks that hold the same numbers as MatMulNBits': 32 values with a scale, x = (q − 8) · scale. */
const SAME_BLOCKS = "Q4_0";
/** An f16 at the beginning of a block. */
const SCALE_BYTES = 2;
const Q4_0_BYTES = GGML_TYPES[SAME_BLOCKS].bytes;

/** Bytes that a slab of whole rows becomes. */
type Pack = (values: Float32Array, columns: number) => Uint8Array<ArrayBuffer>;

/**
 * A matrix [out, in] as MatMulNBits takes it: blocks of 32 values along a row in 4 bits, x ≈ (q − 8) · scale, the first of
 * two values in a byte's low half; and a f32 scale for each block. The scale puts the value furthest from 0 on −8. It is
 * read twice, slab by slab, so that it need not be whole in memory. A matrix in Q4_0 keeps its blocks: no value changes.
 */
export function quantized(
  checkpoint: Checkpoint,
  tensor: ExportTensor,
): { readonly weights: OnnxInitializer; readonly scales: OnnxInitializer } {
  const [rows = 0, columns = 0] = tensor.shape;
  const keepsBlocks = checkpoint.tensors.get(tensor.name)?.dtype === SAME_BLOCKS && columns % BLOCK === 0;
  const blocks = Math.ceil(columns / BLOCK);
  const initializer = (
    suffix: string,
    type: OnnxInitializer["type"],
    shape: readonly number[],
    size: number,
    pack: Pack,
    repack: Repack,
  ): OnnxInitializer => ({
    name: `${tensor.name}_${suffix}`,
    type,
    shape,
    data: {
      size,
      async *chunks(signal) {
        if (keepsBlocks) {
          yield* repacked(checkpoint, tensor, repack, signal);
          return;
        }
        for await (const slab of floatSlabs(checkpoint, tensor, columns, signal)) yield pack(slab, columns);
      },
    },
  });
  const count = rows * blocks;
  return {
    weights: initializer("Q4", "uint8", [rows, blocks, BLOCK_BYTES], count * BLOCK_BYTES, packBlocks, repackLevels),
    scales: initializer("scales", "float", [count], count * 4, packScales, repackScales),
  };
}

/** What whole blocks of Q4_0 become. */
type Repack = (blocks: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

/** Blocks that are read at a time. */
const SLAB_BLOCKS = 1 << 16;

async function* repacked(
  checkpoint: Checkpoint,
  { name, shape }: ExportTensor,
  repack: Repack,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const total = ggmlBytes(SAME_BLOCKS, elementCount(shape));
  const step = SLAB_BLOCKS * Q4_0_BYTES;
  for (let begin = 0; begin < total; begin += step) {
    throwIfAborted(signal);
    yield repack(await readFinite(checkpoint, name, begin, Math.min(total, begin + step), signal));
  }
}

function repackScales(blocks: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const scales = blocks.filter((_, i) => i % Q4_0_BYTES < SCALE_BYTES);
  return fromFloats(toFloats(scales, "F16"), "F32");
}

/** Q4_0 has the first half of a block in low halves and the second in high ones; here neighbours share a byte. */
function repackLevels(blocks: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const count = blocks.length / Q4_0_BYTES;
  const out = new Uint8Array(count * BLOCK_BYTES);
  for (let at = 0; at < count; at++) {
    const levels = blocks.subarray(at * Q4_0_BYTES + SCALE_BYTES, (at + 1) * Q4_0_BYTES);
    for (let i = 0; i < BLOCK_BYTES; i += 2) {
      const [first = 0, second = 0] = [levels[i], levels[i + 1]];
      out[at * BLOCK_BYTES + i / 2] = (first & 15) | ((second & 15) << 4);
      out[at * BLOCK_BYTES + (BLOCK_BYTES + i) / 2] = (first >> 4) | (second & 0xf0);
    }
  }
  return out;
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
