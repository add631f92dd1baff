import { R1Error } from "../errors.ts";
import type { GpuCounters } from "./counters.ts";

/** Storage buffer that kernels read and write and that copies may enter and leave. */
export const STORAGE_USAGE = 0x80 /* STORAGE */ | 0x8 /* COPY_DST */ | 0x4; /* COPY_SRC */
/** Small parameter block. */
export const UNIFORM_USAGE = 0x40 /* UNIFORM */ | 0x8; /* COPY_DST */
/** Host-readable end of a readback. */
export const STAGING_USAGE = 0x1 /* MAP_READ */ | 0x8; /* COPY_DST */

/**
 * Owns every buffer of a device and knows how many are alive, so that a leak is a number in a test.
 * Buffers are made in scopes (a model's weights, a session's cache) that are freed together.
 */
export class BufferArena {
  #liveBuffers = 0;
  #liveBytes = 0;
  #peakBytes = 0;
  readonly #device: GPUDevice;
  readonly #counters: GpuCounters;

  constructor(device: GPUDevice, counters: GpuCounters) {
    this.#device = device;
    this.#counters = counters;
  }

  get liveBuffers(): number {
    return this.#liveBuffers;
  }

  /** Bytes of all living buffers. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** The most bytes that were alive at any time. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  scope(label: string): BufferScope {
    return new BufferScope(label, (name, bytes, usage) => this.#create(name, bytes, usage));
  }

  #create(label: string, bytes: number, usage: number): OwnedBuffer {
    const size = Math.max(16, Math.ceil(bytes / 4) * 4);
    const limit = this.#device.limits.maxBufferSize;
    if (size > limit) {
      throw new R1Error("E_LIMIT", `${label}: a buffer of ${size} bytes; this device allows ${limit}`, {
        bytes: size,
        limit,
      });
    }
    const buffer = this.#device.createBuffer({ label, size, usage });
    this.#counters.buffersCreated++;
    this.#liveBuffers++;
    this.#liveBytes += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    let alive = true;
    return {
      buffer,
      destroy: () => {
        if (!alive) return;
        alive = false;
        this.#liveBuffers--;
        this.#liveBytes -= size;
        buffer.destroy();
      },
    };
  }
}

interface OwnedBuffer {
  readonly buffer: GPUBuffer;
  destroy(): void;
}

/** A set of buffers that live and die together. */
export class BufferScope {
  readonly label: string;
  readonly #make: (label: string, bytes: number, usage: number) => OwnedBuffer;
  readonly #owned: OwnedBuffer[] = [];
  #disposed = false;

  constructor(label: string, make: (label: string, bytes: number, usage: number) => OwnedBuffer) {
    this.label = label;
    this.#make = make;
  }

  /**
   * @param bytes size, rounded up to 4; WebGPU fills new buffers with zeros
   * @throws R1Error E_LIMIT when the device's `maxBufferSize` is smaller
   */
  create(name: string, bytes: number, usage: number = STORAGE_USAGE): GPUBuffer {
    if (this.#disposed) throw new R1Error("E_INTERNAL", `${this.label}: used after it was freed`);
    const owned = this.#make(`${this.label}/${name}`, bytes, usage);
    this.#owned.push(owned);
    return owned.buffer;
  }

  dispose(): void {
    this.#disposed = true;
    for (const owned of this.#owned.splice(0)) owned.destroy();
  }
}
