import { isR1Error } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import type { GpuContext } from "../gpu/device.ts";

/** The news of a loss may come this long after the first failure that it causes. */
const NEWS_MS = 250;

/** What a command on a lost device may fail with before the loss is known. */
const ECHOES: ReadonlySet<ErrorCode> = new Set(["E_GPU_VALIDATION", "E_GPU_INTERNAL", "E_SHADER", "E_OUT_OF_MEMORY"]);

/**
 * Waits for work on a device, or for the device's loss: on a lost device some promises are never settled, and others fail
 * with errors that only echo the loss.
 * @param gpu undefined for work that needs none
 * @throws R1Error E_DEVICE_LOST, and what the work throws
 */
export async function untilLost<T>(gpu: GpuContext | undefined, work: Promise<T>): Promise<T> {
  if (!gpu) return work;
  let stopListening = (): void => undefined;
  const loss = new Promise<never>((_, reject) => {
    stopListening = gpu.onLost(reject);
  });
  try {
    return await Promise.race([work, loss]);
  } catch (error) {
    if (!isR1Error(error) || ECHOES.has(error.code)) await Promise.race([loss, pause(NEWS_MS)]);
    throw error;
  } finally {
    stopListening();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
