import type { BufferScope } from "../../gpu/arena.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { R1Error } from "../../errors.ts";
import { rowBytes, roundUp, scaleBytes } from "./format.ts";
import type { MatrixFormat } from "./format.ts";
import type { PackedWeights } from "./pack.ts";

/** Rows [start, start + count) of a matrix in one binding-sized buffer. */
export interface WeightChunk {
  readonly format: MatrixFormat;
  readonly start: number;
  readonly count: number;
  readonly data: GPUBuffer;
  readonly scales?: GPUBuffer;
}

/**
 * A weight matrix [rows, k] on the GPU, split by rows so that no chunk is larger than a storage binding, and where rows of
 * another format begin.
 */
export interface WeightMatrix {
  readonly zeroPoints: boolean;
  readonly rows: number;
  readonly k: number;
  readonly chunks: readonly WeightChunk[];
}

export interface MatrixOptions {
  /** Chunks begin at multiples of this many rows (a head, say), so that rows belonging together stay together. */
  readonly rowsTogether?: number;
  /** Several matrices of equal width stacked in each chunk (gate and up): how many. */
  readonly stacked?: number;
  readonly zeroPoints?: boolean;
  /** Bytes of a chunk at most; by default what the device can bind. */
  readonly maxChunkBytes?: number;
}

/** Rows of a chunk at most: the few-rows kernel has a workgroup for every four of them in one dimension of its grid. */
const MAX_CHUNK_ROWS = 65_535 * 4;

/** What of a device's limits decides how a matrix is split. */
export type BufferLimits = Pick<GPUSupportedLimits, "maxStorageBufferBindingSize" | "maxBufferSize">;

/** Rows of a matrix, one below the other, that lie in one format. */
export interface RowRun {
  readonly format: MatrixFormat;
  readonly rows: number;
}

/** A chunk before it is allocated. */
export interface ChunkSize {
  readonly format: MatrixFormat;
  readonly start: number;
  readonly count: number;
  readonly dataBytes: number;
  /** 0 for unquantized formats. */
  readonly scaleBytes: number;
}

/**
 * How a matrix is split; see {@link allocateMatrix}.
 * @throws R1Error E_LIMIT when even `rowsTogether` rows exceed a binding
 */
export function splitMatrix(
  limits: BufferLimits,
  name: string,
  format: MatrixFormat,
  rows: number,
  k: number,
  options: MatrixOptions = {},
): readonly ChunkSize[] {
  const { rowsTogether = 1, stacked = 1, zeroPoints = false } = options;
  const bytes = rowBytes(format, k);
  const { maxStorageBufferBindingSize, maxBufferSize } = limits;
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize, options.maxChunkBytes ?? Infinity);
  const most = Math.min(Math.floor(limit / bytes), MAX_CHUNK_ROWS);
  const fit = Math.floor(most / (stacked * rowsTogether)) * rowsTogether;
  if (fit === 0) {
    throw new R1Error("E_LIMIT", `${name}: ${rowsTogether} rows of ${bytes} bytes exceed a binding of ${limit} bytes`);
  }
  // Equal chunks, rather than full ones and a small last one, keep every dispatch busy.
  const pieces = Math.ceil(rows / fit);
  const each = Math.min(fit, roundUp(Math.ceil(rows / pieces), rowsTogether));
  return Array.from({ length: Math.ceil(rows / each) }, (_, i) => {
    const start = i * each;
    const count = Math.min(each, rows - start);
    return {
      format,
      start,
      count,
      dataBytes: count * stacked * bytes,
      scaleBytes: scaleBytes(format, count * stacked, k, zeroPoints),
    };
  });
}

/** As {@link splitMatrix}, of rows in several formats: chunks begin where the format changes. */
export function splitRuns(
  limits: BufferLimits,
  name: string,
  runs: readonly RowRun[],
  k: number,
  options: MatrixOptions = {},
): readonly ChunkSize[] {
  let above = 0;
  return runs.flatMap(({ format, rows }) => {
    const first = above;
    above += rows;
    const chunks = splitMatrix(limits, name, format, rows, k, options);
    return chunks.map((chunk) => ({ ...chunk, start: first + chunk.start }));
  });
}

/**
 * Allocates an empty matrix of the runs' rows. With `stacked` = s, `rows` counts one of them, and chunk i holds rows
 * [start, start + count) of the first, then of the second, ….
 * @throws R1Error E_LIMIT when even `rowsTogether` rows exceed a binding
 */
export function allocateMatrix(
  context: GpuContext,
  scope: BufferScope,
  name: string,
  runs: readonly RowRun[],
  k: number,
  options: MatrixOptions = {},
): WeightMatrix {
  const chunks = splitRuns(context.limits, name, runs, k, options).map((size): WeightChunk => {
    const { format, start, count, dataBytes } = size;
    const data = scope.create(`${name}[${start}]`, dataBytes);
    if (size.scaleBytes === 0) return { format, start, count, data };
    return { format, start, count, data, scales: scope.create(`${name}[${start}].scales`, size.scaleBytes) };
  });
  const rows = runs.reduce((sum, run) => sum + run.rows, 0);
  return { zeroPoints: options.zeroPoints ?? false, rows, k, chunks };
}

/** The formats in which a matrix's rows lie, each once. */
export function formatsOf({
  chunks,
}: {
  readonly chunks: readonly Pick<WeightChunk, "format">[];
}): readonly MatrixFormat[] {
  return [...new Set(chunks.map(({ format }) => format))];
}

/** Uploads packed weights as a one-chunk matrix. */
export function uploadMatrix(
  context: GpuContext,
  scope: BufferScope,
  name: string,
  packed: PackedWeights,
): WeightMatrix {
  const { format, rows, k, zeroPoints } = packed;
  const data = scope.create(name, packed.data.byteLength);
  context.write(data, packed.data);
  const chunk: WeightChunk = { format, start: 0, count: rows, data };
  if (!packed.scales) return { rows, k, zeroPoints, chunks: [chunk] };
  const scales = scope.create(`${name}.scales`, packed.scales.byteLength);
  context.write(scales, packed.scales);
  return { rows, k, zeroPoints, chunks: [{ ...chunk, scales }] };
}
