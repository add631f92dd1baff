import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { requireFinite } from "../checkpoint/finite.ts";
import { isFloatDtype, requireF16Range } from "../checkpoint/floats.ts";
import { dequantize, readableDtypeOf } from "../checkpoint/gguf/dequantize/dequantize.ts";
import type { ReadableDtype } from "../checkpoint/gguf/dequantize/dequantize.ts";
import { ggmlBytes } from "../checkpoint/gguf/ggml-type.ts";
import { R1Error, throwIfAborted } from "../errors.ts";
import type { GpuContext } from "../gpu/device.ts";
import { isQuantFormat } from "../kernels/quantize/quantize.ts";
import type { FloatFormat } from "../kernels/quantize/quantize.ts";
import { FLOAT_FORMATS } from "./device-format.ts";
import type { TensorFormat } from "./device-format.ts";
import { hasSameBlocks, repackBlocks } from "./ggml-blocks.ts";
import { bytesFit } from "./matrix-writer.ts";
import type { RowBlock } from "./matrix-writer.ts";
import type { WantedTensor } from "./tensor-names.ts";
import type { LoadOptions } from "./weights.ts";

/** File bytes in host memory at a time: small beside any tensor for which memory matters. */
const SLAB_BYTES = 4 << 20;
/** Bytes handed to the queue before waiting for it, so that its staging copies do not pile up. */
const SETTLE_BYTES = 32 << 20;

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

  /** A whole (small) tensor as f32. @throws R1Error E_NOT_FINITE */
  async floats(tensor: WantedTensor): Promise<Float32Array> {
    const dtype = this.#dtype(tensor.name);
    const bytes = await this.#read(tensor.name);
    requireFinite(tensor, dtype, bytes);
    return dequantize(dtype, bytes);
  }

  /**
   * Hands a tensor [rows, k] on block by block, in the device's own bytes where that is what the file holds.
   * @param to how its rows lie in the matrix
   * @throws R1Error E_NOT_FINITE naming the first value that is not, before its block is handed on; E_QUANTIZATION for a value
   *   that would become infinite as f16
   */
  async rows(
    tensor: WantedTensor,
    { format, kept }: TensorFormat,
    write: (block: Omit<RowBlock, "part">) => void,
  ): Promise<void> {
    const { name, shape } = tensor;
    const [rows = 0, k = 0] = shape;
    const dtype = this.#dtype(name);
    const rowBytes = ggmlBytes(dtype, k);
    const most = Math.max(1, Math.floor(SLAB_BYTES / rowBytes));
    for (let start = 0; start < rows; start += most) {
      const count = Math.min(most, rows - start);
      const bytes = await this.#read(name, start * rowBytes, (start + count) * rowBytes);
      requireFinite(tensor, dtype, bytes, start * k);
      if (bytesFit(format, k, dtype)) write({ start, count, raw: bytes });
      else if (kept && hasSameBlocks(dtype)) write({ start, count, quantized: repackBlocks(dtype, bytes) });
      else if (isQuantFormat(format) && isFloatDtype(dtype)) {
        write({ start, count, stored: { format: FLOAT_FORMATS[dtype], bytes } });
      } else {
        const values = dequantize(dtype, bytes);
        if (format === "f16" && dtype !== "F16") requireF16Range(values, name);
        write({ start, count, values });
      }
      this.#unsettledBytes += bytes.byteLength;
      if (this.#unsettledBytes >= SETTLE_BYTES) await this.settle();
    }
  }

  /** The formats in which a matrix that is to be quantized is handed on. */
  storedFormats(parts: readonly WantedTensor[]): readonly FloatFormat[] {
    const formatOf = (dtype: ReadableDtype): FloatFormat => (isFloatDtype(dtype) ? FLOAT_FORMATS[dtype] : "f32");
    return [...new Set(parts.map(({ name }) => formatOf(this.#dtype(name))))];
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

  #dtype(name: string): ReadableDtype {
    const tensor = this.#checkpoint.tensors.get(name);
    if (!tensor) throw new R1Error("E_TENSOR_MISSING", `tensor ${name} is missing`, { name });
    return readableDtypeOf(tensor);
  }
}
