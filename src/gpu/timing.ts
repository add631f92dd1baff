import { R1Error } from "../errors.ts";
import type { BufferScope } from "./arena.ts";
import type { GpuContext } from "./device.ts";
import { Readback } from "./readback.ts";

/** Times the first compute pass of a command batch on the GPU's own clock. */
export class GpuTimer {
  readonly #set: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #readback: Readback;
  #used = false;

  /** @throws R1Error E_LIMIT when the device has no `timestamp-query` */
  constructor(context: GpuContext, scope: BufferScope) {
    if (!context.features.timestamps) throw new R1Error("E_LIMIT", "this device has no timestamp queries");
    this.#set = context.device.createQuerySet({ type: "timestamp", count: 2 });
    this.#resolved = scope.create("timestamps", 16, 0x200 /* QUERY_RESOLVE */ | 0x4 /* COPY_SRC */);
    this.#readback = new Readback(context, scope, 16);
  }

  passWrites(): GPUComputePassTimestampWrites | undefined {
    if (this.#used) return undefined;
    this.#used = true;
    return { querySet: this.#set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
  }

  resolve(encoder: GPUCommandEncoder): void {
    if (this.#used) encoder.resolveQuerySet(this.#set, 0, 2, this.#resolved, 0);
  }

  /** @returns milliseconds between the beginning and the end of the timed pass */
  async read(): Promise<number> {
    const bytes = await this.#readback.read(this.#resolved, 16);
    this.#used = false;
    const [begin = 0n, end = 0n] = new BigUint64Array(bytes.buffer, 0, 2);
    return Number(end - begin) / 1e6;
  }

  destroy(): void {
    this.#set.destroy();
  }
}
