import { throwIfAborted } from "../errors.ts";
import { checkRange } from "./source.ts";
import type { ModelFolder } from "./source.ts";
import type { NamedTensorData } from "./safetensors/write.ts";

export { buildSafetensors, frameSafetensors } from "./safetensors/write.ts";
export type TestTensor = NamedTensorData;

/** A read of a file in memory. */
export interface TestRead {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** A folder in memory that records what is read. */
export interface MemoryFolder extends ModelFolder {
  readonly reads: readonly TestRead[];
}

export function memoryFolder(files: Readonly<Record<string, Uint8Array | string>>, name = "memory"): MemoryFolder {
  const contents = new Map(
    Object.entries(files).map(([file, data]) => [
      file,
      typeof data === "string" ? new TextEncoder().encode(data) : data,
    ]),
  );
  const reads: TestRead[] = [];
  return {
    name,
    reads,
    async open(file, signal) {
      throwIfAborted(signal);
      const bytes = contents.get(file);
      return (
        bytes && {
          name: file,
          size: bytes.length,
          async read(offset, length, readSignal) {
            throwIfAborted(readSignal);
            reads.push({ file, offset, length });
            checkRange({ name: file, size: bytes.length }, offset, length);
            return Uint8Array.from(bytes.subarray(offset, offset + length));
          },
        }
      );
    },
  };
}
