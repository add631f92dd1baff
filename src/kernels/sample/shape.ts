import { R1Error } from "../../errors.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { MAX_VOCAB } from "./result.ts";

/** Rows of logits as they lie in their buffer: [maxRows, logitStride] f32, the first `vocab` of each row valid. */
export interface LogitRows {
  readonly maxRows: number;
  readonly vocab: number;
  /** f32 from one row to the next; a multiple of 4. What lies beyond `vocab` is never looked at. */
  readonly logitStride: number;
  readonly logits: GPUBuffer;
}

/**
 * @throws R1Error E_LIMIT for more rows, ids or bytes than the device can take
 * @throws R1Error E_INTERNAL for a stride or buffer that does not fit
 */
export function checkLogitRows(context: GpuContext, { maxRows, vocab, logitStride, logits }: LogitRows): void {
  const { limits } = context;
  if (vocab < 1 || vocab > MAX_VOCAB) {
    throw new R1Error("E_LIMIT", `sampling from ${vocab} ids; from 1 to ${MAX_VOCAB} are possible`, { vocab });
  }
  if (maxRows < 1 || maxRows > limits.maxComputeWorkgroupsPerDimension) {
    const most = limits.maxComputeWorkgroupsPerDimension;
    throw new R1Error("E_LIMIT", `sampling ${maxRows} rows; from 1 to ${most} are possible`, { maxRows });
  }
  if (logitStride % 4 !== 0 || logitStride < vocab) {
    throw new R1Error(
      "E_INTERNAL",
      `rows of logits ${logitStride} apart; expected a multiple of 4 of at least ${vocab}`,
    );
  }
  checkSize("logits", logits, maxRows * logitStride * 4);
  if (logits.size > limits.maxStorageBufferBindingSize) {
    throw new R1Error(
      "E_LIMIT",
      `${logits.size} bytes of logits; this device binds ${limits.maxStorageBufferBindingSize} at most`,
      { bytes: logits.size },
    );
  }
}

/** @throws R1Error E_INTERNAL when the buffer holds fewer bytes than it must */
export function checkSize(name: string, buffer: GPUBuffer, bytes: number): void {
  if (buffer.size < bytes) {
    throw new R1Error("E_INTERNAL", `the ${name} buffer has ${buffer.size} bytes; ${bytes} are needed`);
  }
}
