import { R1Error } from "../../errors.ts";
import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { Readback } from "../../gpu/readback.ts";

/** Where a tensor [rows, k] lies in an entry of the pool: `at` and the distance `ld` between its rows in floats. */
export interface ParameterTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly at: number;
  readonly rows: number;
  readonly k: number;
  readonly ld: number;
}

/** A piece of the pool that kernels bind as one buffer. */
export interface ParameterEntry {
  readonly name: string;
  readonly bytes: number;
  readonly tensors: readonly ParameterTensor[];
  /** The weights that the forward pass reads: the pool's values come from it and return to it after each step. */
  readonly weights?: GPUBuffer;
}

/** Bind groups may begin at multiples of this many bytes of a buffer. */
const ALIGNMENT = 256;

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Bytes of one of a pool's buffers. */
export function poolBytes(entries: readonly Pick<ParameterEntry, "bytes">[]): number {
  return Math.max(
    entries.reduce((sum, { bytes }) => sum + aligned(bytes), 0),
    ALIGNMENT,
  );
}

/** Of a pool with buffers of `bytes`: those of gradients and of each moment, and of all with the readback's. */
export function heldBytes(
  bytes: number,
  holds: "all" | "values",
): { readonly trained: number; readonly total: number } {
  const trained = holds === "all" ? bytes : ALIGNMENT;
  return { trained, total: 2 * bytes + 3 * trained };
}

/**
 * Trainable parameters, their gradients and AdamW's moments, each in one f32 buffer, so that the optimizer takes one
 * dispatch whatever the number of tensors. Paddings lie between tensors; they and their gradients stay zero.
 */
export class ParameterPool {
  readonly values: GPUBuffer;
  readonly gradients: GPUBuffer;
  readonly first: GPUBuffer;
  readonly second: GPUBuffer;
  /** Bytes of each of the four. */
  readonly bytes: number;
  readonly entries: readonly ParameterEntry[];
  readonly #context: GpuContext;
  readonly #offsets = new Map<string, number>();
  readonly #readback: Readback;

  /**
   * @param holds `values` for parameters that are never trained: the other buffers are then left empty
   * @throws R1Error E_LIMIT when the parameters do not fit into one binding of this device
   */
  constructor(
    context: GpuContext,
    scope: BufferScope,
    entries: readonly ParameterEntry[],
    holds: "all" | "values" = "all",
  ) {
    this.#context = context;
    this.entries = entries;
    let end = 0;
    for (const { name, bytes } of entries) {
      this.#offsets.set(name, end);
      end += aligned(bytes);
    }
    this.bytes = poolBytes(entries);
    const limit = context.limits.maxStorageBufferBindingSize;
    if (this.bytes > limit) {
      throw new R1Error(
        "E_LIMIT",
        `${this.bytes} bytes of trainable parameters; this device binds ${limit}. Train LoRA adapters or a smaller model`,
        { bytes: this.bytes, limit },
      );
    }
    this.values = scope.create("parameters", this.bytes);
    const { trained } = heldBytes(this.bytes, holds);
    this.gradients = scope.create("gradients", trained);
    this.first = scope.create("adamw.first", trained);
    this.second = scope.create("adamw.second", trained);
    this.#readback = new Readback(context, scope, this.bytes, 1);
  }

  has(name: string): boolean {
    return this.#offsets.has(name);
  }

  value(name: string): GPUBufferBinding {
    return { buffer: this.values, ...this.#range(name) };
  }

  gradient(name: string): GPUBufferBinding {
    return { buffer: this.gradients, ...this.#range(name) };
  }

  /** Takes the values over from the model's own weights. */
  encodeTake(batch: CommandBatch): void {
    for (const { name, bytes, weights } of this.entries) {
      if (weights) batch.copy(weights, 0, this.values, this.#offset(name), bytes);
    }
  }

  /** Gives the values back to the model's own weights. */
  encodeGive(batch: CommandBatch): void {
    for (const { name, bytes, weights } of this.entries) {
      if (weights) batch.copy(this.values, this.#offset(name), weights, 0, bytes);
    }
  }

  /** Every tensor under its checkpoint name, without padding. */
  async read(
    source: GPUBuffer,
  ): Promise<Map<string, { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> }>> {
    const all = await this.readAll(source);
    const out = new Map<string, { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> }>();
    for (const { name: entry, tensors } of this.entries) {
      const base = this.#offset(entry) / 4;
      for (const { name, shape, at, rows, k, ld } of tensors) {
        const data = new Float32Array(rows * k);
        for (let row = 0; row < rows; row++) {
          const from = base + at + row * ld;
          data.set(all.subarray(from, from + k), row * k);
        }
        out.set(name, { shape, data });
      }
    }
    return out;
  }

  /** A pool as it lies, paddings included. */
  async readAll(source: GPUBuffer): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array((await this.#readback.read(source, this.bytes)).buffer);
  }

  /** Writes tensors [rows, k] by name into `values`; names that are not in the pool are left alone. */
  write(tensors: ReadonlyMap<string, Float32Array>): void {
    for (const { name: entry, tensors: own } of this.entries) {
      const base = this.#offset(entry);
      for (const { name, at, rows, k, ld } of own) {
        const data = tensors.get(name);
        if (!data) continue;
        for (let row = 0; row < rows; row++) {
          this.#context.write(this.values, data.slice(row * k, (row + 1) * k), base + 4 * (at + row * ld));
        }
      }
    }
  }

  #offset(name: string): number {
    const offset = this.#offsets.get(name);
    if (offset === undefined) throw new RangeError(`no parameter ${name}`);
    return offset;
  }

  #range(name: string): { readonly offset: number; readonly size: number } {
    const entry = this.entries.find((other) => other.name === name);
    return { offset: this.#offset(name), size: Math.ceil((entry?.bytes ?? 0) / 16) * 16 };
  }
}
