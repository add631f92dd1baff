import type { CommandBatch } from "./commands.ts";
import { STAGING_USAGE } from "./arena.ts";
import type { BufferScope } from "./arena.ts";
import type { GpuContext } from "./device.ts";

/**
 * Copies small results to the host through staging buffers made once.
 * Two buffers alternate, so that the next step can be submitted while the last one's result is still mapped.
 */
export class Readback {
  readonly #context: GpuContext;
  readonly #staging: readonly GPUBuffer[];
  #next = 0;

  /** @param maxBytes the largest single readback */
  constructor(context: GpuContext, scope: BufferScope, maxBytes: number, depth = 2) {
    this.#context = context;
    this.#staging = Array.from({ length: depth }, (_, i) => scope.create(`staging${i}`, maxBytes, STAGING_USAGE));
  }

  /** Adds the copy to a batch; call the returned function after `submit` to wait for the bytes. */
  enqueue(batch: CommandBatch, source: GPUBuffer, bytes: number, offset = 0): () => Promise<Uint8Array<ArrayBuffer>> {
    const staging = this.#staging[this.#next % this.#staging.length];
    this.#next++;
    if (!staging) throw new RangeError("no staging buffer");
    batch.copy(source, offset, staging, 0, bytes);
    return async () => {
      await mapForReading(this.#context, staging, bytes);
      const copy = new Uint8Array(staging.getMappedRange(0, bytes).slice(0));
      staging.unmap();
      this.#context.counters.bytesRead += bytes;
      this.#context.assertHealthy();
      return copy;
    };
  }

  /** Copies `bytes` of a buffer to the host in a submission of its own. */
  async read(source: GPUBuffer, bytes: number, offset = 0): Promise<Uint8Array<ArrayBuffer>> {
    const batch = this.#context.commands();
    const wait = this.enqueue(batch, source, bytes, offset);
    batch.submit();
    return wait();
  }
}

const FIREFOX_POLL_MS = 1;

async function mapForReading(context: GpuContext, staging: GPUBuffer, bytes: number): Promise<void> {
  const mapped = staging.mapAsync(1 /* READ */, 0, bytes);
  let poll: ReturnType<typeof setInterval> | undefined;
  // Firefox looks at pending maps only every 100 ms unless work is submitted (bugzilla 1870699), so we submit nothing, often.
  if (isFirefox()) poll = setInterval(() => context.device.queue.submit([]), FIREFOX_POLL_MS);
  try {
    await mapped;
  } catch (cause) {
    // A lost device is told apart from other failures only after its `lost` promise has run.
    await Promise.resolve();
    context.assertHealthy();
    throw cause;
  } finally {
    clearInterval(poll);
  }
}

function isFirefox(): boolean {
  return typeof navigator !== "undefined" && /firefox/i.test(navigator.userAgent);
}
