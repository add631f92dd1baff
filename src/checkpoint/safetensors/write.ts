import type { TensorDtype } from "./dtype.ts";

/** What a file is to hold under one name. */
export interface NamedTensorData {
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  /** Values in the dtype's own bytes: a Float32Array for F32, a Uint16Array of bits for F16 and BF16. */
  readonly data: ArrayBufferView;
}

/** A safetensors file of these tensors, in their order; the header is padded to 8 bytes, as the reference writer does. */
export function buildSafetensors(
  tensors: Readonly<Record<string, NamedTensorData>>,
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
