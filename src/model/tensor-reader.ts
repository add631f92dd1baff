import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { FLOAT_BYTES, floatDtypeOf, toFloats } from "../checkpoint/floats.ts";
import type { FloatDtype } from "../checkpoint/floats.ts";
import { R1Error, throwIfAborted } from "../errors.ts";
import type { GpuContext } from "../gpu/device.ts";
import { isQuantFormat } from "../kernels/quantize/quantize.ts";
import type { FloatFormat } from "../kernels/quantize/quantize.ts";
import type { WeightFormat } from "../kernels/weights/format.ts";
import type { WeightMatrix } from "../kernels/weights/matrix.ts";
import { bytesFitMatrix } from "./matrix-writer.ts";
import type { RowBlock } from "./matrix-writer.ts";
import type { WantedTensor } from "./tensor-names.ts";
import type { LoadOptions } from "./weights.ts";

/** File bytes in host memory at a time: small beside any tensor for which memory matters. */
const SLAB_BYTES = 4 << 20;
/** Bytes handed to the queue before waiting for it, so that its staging copies do not pile up. */
const SETTLE_BYTES = 32 << 20;

const FORMAT_OF: Record<FloatDtype, FloatFormat> = { F32: "f32", F16: "f16", BF16: "bf16" };

/** Reads tensors in slabs, as they are or as f32, and keeps count for the progress and for the queue. */
export class TensorReader {
  readonly #context: GpuContext;
  readonly #checkpoint: Checkpoint;
  readonly #options: LoadOptions;
  readonly #totalBytes: number;
  #loadedBytes = 0;
  #unsettledBytes = 0;

  /** @param wanted all that will be read, for the progress's total */
  constructor(context: GpuContext, checkpoint: Checkpoint, wanted: readonly WantedTensor[], options: LoadOptions) {
    this.#context = context;
    this.#checkpoint = checkpoint;
    this.#options = options;
    this.#totalBytes = wanted.reduce((sum, { name }) => sum + (checkpoint.tensors.get(name)?.bytes ?? 0), 0);
  }

  /** A whole (small) tensor as f32. */
  async floats({ name }: WantedTensor): Promise<Float32Array> {
    return toFloats(await this.#read(name), this.#dtype(name));
  }

  /** Hands a tensor [rows, k] on block by block, in the matrix's own bytes where that is what the file holds. */
  async intoMatrix(
    { name, shape }: WantedTensor,
    matrix: WeightMatrix,
    write: (block: Omit<RowBlock, "part">) => void,
  ): Promise<void> {
    const [rows = 0, k = 0] = shape;
    const dtype = this.#dtype(name);
    const rowBytes = k * FLOAT_BYTES[dtype];
    const most = Math.max(1, Math.floor(SLAB_BYTES / rowBytes));
    for (let start = 0; start < rows; start += most) {
      const count = Math.min(most, rows - start);
      const bytes = await this.#read(name, start * rowBytes, (start + count) * rowBytes);
      if (bytesFitMatrix(matrix, dtype)) write({ start, count, raw: bytes });
      else if (isQuantFormat(matrix.format)) write({ start, count, stored: { format: FORMAT_OF[dtype], bytes } });
      else write({ start, count, values: toFloats(bytes, dtype) });
      this.#unsettledBytes += bytes.byteLength;
      if (this.#unsettledBytes >= SETTLE_BYTES) await this.settle();
    }
  }

  /** The parts' own format or, where they differ, the widest, so that nothing is lost. */
  commonFormat(parts: readonly WantedTensor[]): WeightFormat {
    const dtypes = new Set(parts.map(({ name }) => this.#dtype(name)));
    const [first] = dtypes;
    return first === undefined || dtypes.size > 1 ? "f32" : FORMAT_OF[first];
  }

  /** The formats in which a matrix that is to be quantized is handed on. */
  storedFormats(parts: readonly WantedTensor[]): readonly FloatFormat[] {
    return [...new Set(parts.map(({ name }) => FORMAT_OF[this.#dtype(name)]))];
  }

  /** Waits until the queue has taken all that was written. */
  async settle(): Promise<void> {
    this.#unsettledBytes = 0;
    // Without a submission the writes may wait for one.
    this.#context.device.queue.submit([]);
    await this.#context.device.queue.onSubmittedWorkDone();
    this.#context.assertHealthy();
  }

  async #read(name: string, begin?: number, end?: number): Promise<Uint8Array<ArrayBuffer>> {
    const { signal, onProgress } = this.#options;
    throwIfAborted(signal);
    const bytes = await this.#checkpoint.read(name, begin, end, signal);
    this.#loadedBytes += bytes.byteLength;
    onProgress?.(this.#loadedBytes, this.#totalBytes);
    return bytes;
  }

  #dtype(name: string): FloatDtype {
    const tensor = this.#checkpoint.tensors.get(name);
    if (!tensor) throw new R1Error("E_TENSOR_MISSING", `tensor ${name} is missing`, { name });
    return floatDtypeOf(tensor);
  }
}
