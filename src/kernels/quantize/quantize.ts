import type { BufferScope } from "../../gpu/arena.ts";
import { UNIFORM_USAGE } from "../../gpu/arena.ts";
import type { GpuContext } from "../../gpu/device.ts";
import type { Kernel } from "../../gpu/pipelines.ts";
import { Readback } from "../../gpu/readback.ts";
import { R1Error } from "../../errors.ts";
import { linearGrid } from "../bound-kernel.ts";
import { packUniform } from "../buffers.ts";
import { blocksPerRow } from "../weights/format.ts";
import type { MatrixFormat } from "../weights/format.ts";
import type { WeightChunk } from "../weights/matrix.ts";
import { beyondF16 } from "../weights/pack.ts";
import { quantizeSource, THREADS } from "./source.ts";
import type { FloatFormat, QuantFormat } from "./source.ts";

export type { FloatFormat, QuantFormat } from "./source.ts";

/** Stored bytes on the device at a time; a row of the widest model takes no more. */
export const STAGING_BYTES = 4 << 20;
/** Matrices of one model at most, for the list of those that cannot be quantized. */
const MAX_MATRICES = 4096;
const OP_BYTES = 32;

const FLOAT_SIZES: Record<FloatFormat, number> = { f32: 4, f16: 2, bf16: 2 };

/** Bytes that a {@link Quantizer} takes while it is in use. */
export function quantizerBytes(): number {
  return STAGING_BYTES + 2 * MAX_MATRICES * 4 + OP_BYTES;
}

export function isQuantFormat(format: MatrixFormat): format is QuantFormat {
  return format === "q8" || format === "q4";
}

/** Rows to quantize, and where they go. */
export interface QuantizeJob {
  readonly from: FloatFormat;
  /** [rows, k] little-endian, no padding between rows. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rows: number;
  /** The chunk's row that the first of them becomes; its scales are zeros so far. */
  readonly row: number;
}

/** Submits the work for rows of one matrix; their bytes may be used again afterwards. */
export type MatrixQuantizer = (chunk: WeightChunk, job: QuantizeJob) => void;

/**
 * Quantizes weights on the GPU as they come in, piece by piece through one staging buffer. Its reference is `packWeights`,
 * bit for bit.
 */
export class Quantizer {
  readonly #context: GpuContext;
  readonly #scope: BufferScope;
  readonly #matrices: { readonly name: string; readonly format: QuantFormat }[] = [];
  #buffers: QuantizerBuffers | undefined;

  constructor(context: GpuContext) {
    this.#context = context;
    this.#scope = context.arena.scope("quantizer");
  }

  /**
   * Compiles what a matrix needs; the first takes the buffers too.
   * @param name for the error of {@link check}
   * @param from the formats in which its rows may come
   */
  async matrix(name: string, to: QuantFormat, k: number, from: readonly FloatFormat[]): Promise<MatrixQuantizer> {
    const kernels = await Promise.all(
      from.map(async (format) => [format, await this.#context.pipelines.get(quantizeSource(format, to))] as const),
    );
    const slot = this.#matrices.push({ name, format: to }) - 1;
    if (slot >= MAX_MATRICES) throw new R1Error("E_LIMIT", `more than ${MAX_MATRICES} matrices to quantize`);
    const byFormat = new Map(kernels);
    const buffers = (this.#buffers ??= allocate(this.#context, this.#scope));
    return (chunk, job) => {
      const kernel = byFormat.get(job.from);
      if (!kernel) throw new R1Error("E_INTERNAL", `${name}: no kernel for ${job.from} weights`);
      this.#run(kernel, buffers, chunk, job, k, slot);
    };
  }

  /**
   * Waits for all that was quantized.
   * @throws R1Error E_QUANTIZATION for weights so large that their block's scale is no f16
   */
  async check(): Promise<void> {
    if (!this.#buffers) return;
    const { readback, largest: source } = this.#buffers;
    const bytes = await readback.read(source, this.#matrices.length * 4);
    const largest = new Float32Array(bytes.buffer);
    for (const [slot, { name, format }] of this.#matrices.entries()) {
      if (largest[slot] !== 0) throw beyondF16(format, largest[slot] ?? Number.NaN, name);
    }
  }

  dispose(): void {
    this.#scope.dispose();
  }

  #run(
    kernel: Kernel,
    { staging, op, largest }: QuantizerBuffers,
    { data, scales }: WeightChunk,
    { from, bytes, rows, row }: QuantizeJob,
    k: number,
    slot: number,
  ): void {
    const size = FLOAT_SIZES[from] * k;
    const most = Math.floor(STAGING_BYTES / size);
    if (most === 0) throw new R1Error("E_LIMIT", `a row of ${size} bytes; at most ${STAGING_BYTES} can be quantized`);
    if (!scales) throw new R1Error("E_INTERNAL", "a quantized matrix without scales");
    const binding = this.#context.bind(kernel, [op, staging, data, scales, largest]);
    const perRow = blocksPerRow(k);
    for (let start = 0; start < rows; start += most) {
      const count = Math.min(most, rows - start);
      const blocks = count * perRow;
      this.#context.write(staging, wholeWords(bytes.subarray(start * size, (start + count) * size)));
      this.#context.write(op, packUniform([k, perRow, blocks, (row + start) * perRow, slot]));
      const batch = this.#context.commands();
      batch.dispatch(kernel, binding, linearGrid(blocks, THREADS));
      batch.submit();
    }
  }
}

interface QuantizerBuffers {
  readonly staging: GPUBuffer;
  readonly op: GPUBuffer;
  readonly largest: GPUBuffer;
  readonly readback: Readback;
}

function allocate(context: GpuContext, scope: BufferScope): QuantizerBuffers {
  return {
    staging: scope.create("source", STAGING_BYTES),
    op: scope.create("op", OP_BYTES, UNIFORM_USAGE),
    largest: scope.create("largest", MAX_MATRICES * 4),
    readback: new Readback(context, scope, MAX_MATRICES * 4, 1),
  };
}

/** Copies to the device are whole words; what a piece of an odd number of halves ends with is never read. */
function wholeWords(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength % 4 === 0) return bytes;
  const padded = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
  padded.set(bytes);
  return padded;
}
