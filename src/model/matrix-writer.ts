import type { GpuContext } from "../gpu/device.ts";
import { blocksPerRow, layoutOf, paddedK, rowBytes, scaleBytes } from "../kernels/weights/format.ts";
import type { WeightChunk, WeightMatrix } from "../kernels/weights/matrix.ts";
import { packWeights } from "../kernels/weights/pack.ts";
import type { QuantizedRows } from "./ggml-blocks.ts";

/** Rows of a tensor as read from a checkpoint. */
export interface RowBlock {
  /** Which of the stacked tensors (0 unless the matrix stacks several). */
  readonly part: number;
  readonly start: number;
  readonly count: number;
  /** Bytes already in the matrix's format and row stride, rows already quantized, or f32 values [count, k] to convert. */
  readonly raw?: Uint8Array<ArrayBuffer>;
  readonly quantized?: QuantizedRows;
  readonly values?: Float32Array;
}

/** Fills a weight matrix piece by piece; `finish` uploads what is collected (quantization scales). */
export class MatrixWriter {
  readonly #context: GpuContext;
  readonly #matrix: WeightMatrix;
  /** One chunk's scales, by chunk: pieces do not end at word boundaries, so they are joined here first. */
  readonly #scales: readonly Uint16Array<ArrayBuffer>[];

  /** @param parts tensors stacked in each chunk */
  constructor(context: GpuContext, matrix: WeightMatrix, parts: number) {
    this.#context = context;
    this.#matrix = matrix;
    const { quantized } = layoutOf(matrix.format);
    this.#scales = quantized
      ? matrix.chunks.map((chunk) => new Uint16Array(scaleBytes(chunk.count * parts, matrix.k, false) / 2))
      : [];
  }

  write(block: RowBlock): void {
    const { format, k, chunks } = this.#matrix;
    const bytes = rowBytes(format, k);
    chunks.forEach((chunk, i) => {
      const start = Math.max(block.start, chunk.start);
      const count = Math.min(block.start + block.count, chunk.start + chunk.count) - start;
      if (count <= 0) return;
      const skip = start - block.start;
      const row = block.part * chunk.count + start - chunk.start;
      if (block.raw) {
        this.#context.write(chunk.data, block.raw.subarray(skip * bytes, (skip + count) * bytes), row * bytes);
      } else if (block.quantized) {
        const perRow = blocksPerRow(k);
        const { data, scales } = block.quantized;
        this.#put(chunk, i, row, {
          data: data.subarray(skip * bytes, (skip + count) * bytes),
          scales: scales.subarray(skip * perRow, (skip + count) * perRow),
        });
      } else if (block.values) {
        this.#pack(chunk, i, row, block.values.subarray(skip * k, (skip + count) * k), count);
      }
    });
  }

  finish(): void {
    this.#matrix.chunks.forEach((chunk, i) => {
      const scales = this.#scales[i];
      if (chunk.scales && scales) this.#context.write(chunk.scales, scales);
    });
  }

  #pack(chunk: WeightChunk, index: number, row: number, values: Float32Array, count: number): void {
    const { format, k } = this.#matrix;
    const { data, scales } = packWeights(format, values, count, k);
    const bits = scales && new Uint16Array(scales.buffer, 0, count * blocksPerRow(k));
    this.#put(chunk, index, row, { data, scales: bits ?? new Uint16Array() });
  }

  #put(chunk: WeightChunk, index: number, row: number, { data, scales }: QuantizedRows): void {
    const { format, k } = this.#matrix;
    this.#context.write(chunk.data, data, row * rowBytes(format, k));
    this.#scales[index]?.set(scales, row * blocksPerRow(k));
  }
}

/** Whether a checkpoint's bytes can be uploaded as they are: same element type and no padding between rows. */
export function bytesFitMatrix(matrix: WeightMatrix, dtype: string): boolean {
  return matrix.format.toUpperCase() === dtype && paddedK(matrix.format, matrix.k) === matrix.k;
}
