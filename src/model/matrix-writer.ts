import { R1Error } from "../errors.ts";
import type { GpuContext } from "../gpu/device.ts";
import { isQuantFormat } from "../kernels/quantize/quantize.ts";
import type { FloatFormat, MatrixQuantizer } from "../kernels/quantize/quantize.ts";
import { isWeightFormat, layoutOf, paddedK, roundUp, rowBytes, scaleRegions } from "../kernels/weights/format.ts";
import type { MatrixFormat } from "../kernels/weights/format.ts";
import type { WeightChunk, WeightMatrix } from "../kernels/weights/matrix.ts";
import { packWeights } from "../kernels/weights/pack.ts";
import type { QuantizedRows } from "./ggml-blocks.ts";

/** Rows of a tensor as read from a checkpoint. */
export interface RowBlock {
  /** Which of the stacked tensors (0 unless the matrix stacks several). */
  readonly part: number;
  readonly start: number;
  readonly count: number;
  /** Bytes already in the rows' format and stride, f32 values [count, k] to convert, … */
  readonly raw?: Uint8Array<ArrayBuffer>;
  readonly values?: Float32Array<ArrayBuffer>;
  /** … or, for quantized chunks, floats [count, k] as the file has them, or rows that are quantized already. */
  readonly stored?: StoredRows;
  readonly quantized?: QuantizedRows;
}

export interface StoredRows {
  readonly format: FloatFormat;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Fills a weight matrix piece by piece; what it quantizes is quantized on the GPU. A quantized chunk gets all of its rows
 * so, or all quantized already: the latter's scales are uploaded by `finish`.
 */
export class MatrixWriter {
  readonly #context: GpuContext;
  readonly #matrix: WeightMatrix;
  readonly #quantize: MatrixQuantizer | undefined;
  /** Scales of rows that were quantized already, by chunk: pieces do not end at word boundaries, so they are joined here. */
  readonly #scales = new Map<WeightChunk, Uint8Array<ArrayBuffer>>();

  /** @param quantize for chunks that are quantized here */
  constructor(context: GpuContext, matrix: WeightMatrix, quantize?: MatrixQuantizer) {
    this.#context = context;
    this.#matrix = matrix;
    this.#quantize = quantize;
  }

  write(block: RowBlock): void {
    const { k, chunks } = this.#matrix;
    const { raw, values, quantized } = block;
    for (const chunk of chunks) {
      const start = Math.max(block.start, chunk.start);
      const count = Math.min(block.start + block.count, chunk.start + chunk.count) - start;
      if (count <= 0) continue;
      const bytes = rowBytes(chunk.format, k);
      const stored = block.stored ?? (values && isQuantFormat(chunk.format) ? f32Rows(values) : undefined);
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
    const { k } = this.#matrix;
    const bytes = rowBytes(chunk.format, k);
    this.#context.write(chunk.data, data.subarray(skip * bytes, (skip + count) * bytes), row * bytes);
    if (!chunk.scales) throw new R1Error("E_INTERNAL", "a quantized chunk without scales");
    const all = this.#scales.get(chunk) ?? new Uint8Array(chunk.scales.size);
    const rows = chunk.data.size / bytes;
    let region = 0;
    for (const [i, each] of scaleRegions(chunk.format, k, false).entries()) {
      const part = scales[i]?.subarray(skip * each, (skip + count) * each);
      if (part) all.set(part, region + row * each);
      region += roundUp(rows * each, 4);
    }
    this.#scales.set(chunk, all);
  }

  #pack({ format, data }: WeightChunk, row: number, values: Float32Array, count: number): void {
    const { k } = this.#matrix;
    if (!isWeightFormat(format)) throw new R1Error("E_INTERNAL", `values cannot be converted to ${format}`);
    this.#context.write(data, packWeights(format, values, count, k).data, row * rowBytes(format, k));
  }
}

/** Whether a checkpoint's bytes can be uploaded as they are: same element type and no padding between rows. */
export function bytesFit(format: MatrixFormat, k: number, dtype: string): boolean {
  return !layoutOf(format).quantized && format.toUpperCase() === dtype && paddedK(format, k) === k;
}

function f32Rows({ buffer, byteOffset, byteLength }: Float32Array<ArrayBuffer>): StoredRows {
  return { format: "f32", bytes: new Uint8Array(buffer, byteOffset, byteLength) };
}
