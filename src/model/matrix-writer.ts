import type { GpuContext } from "../gpu/device.ts";
import type { FloatFormat, MatrixQuantizer } from "../kernels/quantize/quantize.ts";
import { blocksPerRow, paddedK, rowBytes } from "../kernels/weights/format.ts";
import type { WeightChunk, WeightMatrix } from "../kernels/weights/matrix.ts";
import { packWeights } from "../kernels/weights/pack.ts";
import type { QuantizedRows } from "./ggml-blocks.ts";

/** Rows of a tensor as read from a checkpoint. */
export interface RowBlock {
  /** Which of the stacked tensors (0 unless the matrix stacks several). */
  readonly part: number;
  readonly start: number;
  readonly count: number;
  /** Bytes already in the matrix's format and row stride, f32 values [count, k] to convert, … */
  readonly raw?: Uint8Array<ArrayBuffer>;
  readonly values?: Float32Array<ArrayBuffer>;
  /** … or, for a quantized matrix, floats [count, k] as the file has them, or rows that are quantized already. */
  readonly stored?: StoredRows;
  readonly quantized?: QuantizedRows;
}

export interface StoredRows {
  readonly format: FloatFormat;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Fills a weight matrix piece by piece; what it quantizes is quantized on the GPU. A quantized matrix gets all of its rows
 * so, or all quantized already: the latter's scales are uploaded by `finish`.
 */
export class MatrixWriter {
  readonly #context: GpuContext;
  readonly #matrix: WeightMatrix;
  readonly #quantize: MatrixQuantizer | undefined;
  /** Scales of rows that were quantized already, by chunk: pieces do not end at word boundaries, so they are joined here. */
  readonly #scales = new Map<WeightChunk, Uint16Array<ArrayBuffer>>();

  /** @param quantize for a quantized matrix */
  constructor(context: GpuContext, matrix: WeightMatrix, quantize?: MatrixQuantizer) {
    this.#context = context;
    this.#matrix = matrix;
    this.#quantize = quantize;
  }

  write(block: RowBlock): void {
    const { format, k, chunks } = this.#matrix;
    const { raw, values, quantized } = block;
    const bytes = rowBytes(format, k);
    const stored = block.stored ?? (values && this.#quantize ? f32Rows(values) : undefined);
    for (const chunk of chunks) {
      const start = Math.max(block.start, chunk.start);
      const count = Math.min(block.start + block.count, chunk.start + chunk.count) - start;
      if (count <= 0) continue;
      const skip = start - block.start;
      const row = block.part * chunk.count + start - chunk.start;
      if (raw) this.#context.write(chunk.data, raw.subarray(skip * bytes, (skip + count) * bytes), row * bytes);
      else if (quantized) this.#put(chunk, row, quantized, skip, count);
      else if (stored) {
        const size = stored.bytes.byteLength / block.count;
        const rows = stored.bytes.subarray(skip * size, (skip + count) * size);
        this.#quantize?.(chunk, { from: stored.format, bytes: rows, rows: count, row });
      } else if (values) this.#pack(chunk, row, values.subarray(skip * k, (skip + count) * k), count);
    }
  }

  finish(): void {
    for (const [chunk, scales] of this.#scales) if (chunk.scales) this.#context.write(chunk.scales, scales);
  }

  #put(chunk: WeightChunk, row: number, { data, scales }: QuantizedRows, skip: number, count: number): void {
    const { format, k } = this.#matrix;
    const [bytes, blocks] = [rowBytes(format, k), blocksPerRow(k)];
    this.#context.write(chunk.data, data.subarray(skip * bytes, (skip + count) * bytes), row * bytes);
    const all = this.#scales.get(chunk) ?? new Uint16Array((chunk.scales?.size ?? 0) / 2);
    all.set(scales.subarray(skip * blocks, (skip + count) * blocks), row * blocks);
    this.#scales.set(chunk, all);
  }

  #pack(chunk: WeightChunk, row: number, values: Float32Array, count: number): void {
    const { format, k } = this.#matrix;
    this.#context.write(chunk.data, packWeights(format, values, count, k).data, row * rowBytes(format, k));
  }
}

/** Whether a checkpoint's bytes can be uploaded as they are: same element type and no padding between rows. */
export function bytesFitMatrix(matrix: WeightMatrix, dtype: string): boolean {
  return matrix.format.toUpperCase() === dtype && paddedK(matrix.format, matrix.k) === matrix.k;
}

function f32Rows({ buffer, byteOffset, byteLength }: Float32Array<ArrayBuffer>): StoredRows {
  return { format: "f32", bytes: new Uint8Array(buffer, byteOffset, byteLength) };
}
