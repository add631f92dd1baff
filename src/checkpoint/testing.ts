import { throwIfAborted } from "../errors.ts";
import type { TensorDtype } from "./safetensors/dtype.ts";
import { checkRange } from "./source.ts";
import type { ModelFolder } from "./source.ts";

export interface TestTensor {
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  /** Values in the dtype's own bytes: a Float32Array for F32, a Uint16Array of bits for F16 and BF16. */
  readonly data: ArrayBufferView;
}

/** A safetensors file of these tensors, in their order; the header is padded to 8 bytes, as the reference writer does. */
export function buildSafetensors(
  tensors: Readonly<Record<string, TestTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: [string, unknown][] = metadata ? [["__metadata__", metadata]] : [];
  let end = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header.push([name, { dtype, shape, data_offsets: [end, end + data.byteLength] }]);
    end += data.byteLength;
  }
  const joined = new Uint8Array(end);
  let at = 0;
  for (const { data } of Object.values(tensors)) {
    joined.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  return frameSafetensors(padded, joined);
}

/** A file with this header, whatever it says, after its length, and this data. */
export function frameSafetensors(
  header: Uint8Array | string,
  data: Uint8Array = new Uint8Array(),
): Uint8Array<ArrayBuffer> {
  const bytes = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + bytes.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(bytes.length), true);
  file.set(bytes, 8);
  file.set(data, 8 + bytes.length);
  return file;
}

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
