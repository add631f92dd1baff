import { ggmlBytes, GGML_TYPES } from "./ggml-type.ts";
import type { GgmlType } from "./ggml-type.ts";
import type { GgufNumbers } from "./metadata.ts";

/** A metadata value after the type that the file gives it. */
export type WrittenValue =
  | readonly ["u32" | "i32" | "f32", number]
  | readonly ["bool", boolean]
  | readonly ["string", string]
  | readonly ["strings", readonly string[]]
  | readonly ["i32s" | "f32s", readonly number[]]
  /** As another file had them. */
  | readonly ["numbers", GgufNumbers];

export interface WrittenTensor {
  readonly name: string;
  readonly dtype: GgmlType;
  /** Outermost dimension first, as everywhere here; the file has them the other way round. */
  readonly shape: readonly number[];
}

/** Tensors begin at multiples of this: the format's default, which needs no key. */
const ALIGNMENT = 32;
const VERSION = 3;
const TYPE_IDS = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;

/**
 * The bytes of a GGUF file of version 3 before its tensors' data, padded to where these begin. Each tensor's data is to be
 * followed by {@link paddingAfter} zeros.
 */
export function ggufHeader(
  metadata: ReadonlyMap<string, WrittenValue>,
  tensors: readonly WrittenTensor[],
): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  out.bytes(new TextEncoder().encode("GGUF"));
  out.u32(VERSION);
  out.u64(tensors.length);
  out.u64(metadata.size);
  for (const [key, value] of metadata) {
    out.string(key);
    writeValue(out, value);
  }
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    out.string(name);
    out.u32(shape.length);
    for (const size of shape.toReversed()) out.u64(size);
    out.u32(GGML_TYPES[dtype].id);
    out.u64(offset);
    const bytes = tensorBytes({ dtype, shape });
    offset += bytes + paddingAfter(bytes);
  }
  out.bytes(new Uint8Array(paddingAfter(out.length)));
  return out.take();
}

export function tensorBytes({ dtype, shape }: Pick<WrittenTensor, "dtype" | "shape">): number {
  return ggmlBytes(
    dtype,
    shape.reduce((product, size) => product * size, 1),
  );
}

/** Zeros that follow so many bytes. */
export function paddingAfter(bytes: number): number {
  return (ALIGNMENT - (bytes % ALIGNMENT)) % ALIGNMENT;
}

function writeValue(out: ByteWriter, [type, value]: WrittenValue): void {
  switch (type) {
    case "strings":
      writeArray(out, "string", value, (text) => out.string(text));
      break;
    case "i32s":
      writeArray(out, "i32", value, (number) => out.i32(number));
      break;
    case "f32s":
      writeArray(out, "f32", value, (number) => out.f32(number));
      break;
    case "numbers":
      writeNumbers(out, value);
      break;
    case "string":
      out.u32(TYPE_IDS.string);
      out.string(value);
      break;
    case "bool":
      out.u32(TYPE_IDS.bool);
      out.bytes(Uint8Array.of(Number(value)));
      break;
    default:
      out.u32(TYPE_IDS[type]);
      out[type](value);
  }
}

/** Types of arrays in the file by how they are held (truth values as bytes, which `MetadataReader` reads alike). */
const ARRAY_TYPES: ReadonlyMap<string, number> = new Map([
  ["Uint8Array", 0],
  ["Int8Array", 1],
  ["Uint16Array", 2],
  ["Int16Array", 3],
  ["Uint32Array", 4],
  ["Int32Array", 5],
  ["Float32Array", 6],
  ["BigUint64Array", 10],
  ["BigInt64Array", 11],
  ["Float64Array", 12],
]);

function writeNumbers(out: ByteWriter, numbers: GgufNumbers): void {
  out.u32(TYPE_IDS.array);
  out.u32(ARRAY_TYPES.get(numbers[Symbol.toStringTag]) ?? 0);
  out.u64(numbers.length);
  out.bytes(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
}

function writeArray<T>(
  out: ByteWriter,
  type: keyof typeof TYPE_IDS,
  values: readonly T[],
  write: (value: T) => void,
): void {
  out.u32(TYPE_IDS.array);
  out.u32(TYPE_IDS[type]);
  out.u64(values.length);
  for (const value of values) write(value);
}

/** Little-endian bytes that grow. */
class ByteWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  bytes(bytes: Uint8Array): void {
    // What follows may be in a grown buffer.
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.length);
    this.bytes(bytes);
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  i32(value: number): void {
    const at = this.#room(4);
    this.#view.setInt32(at, value, true);
  }

  f32(value: number): void {
    const at = this.#room(4);
    this.#view.setFloat32(at, value, true);
  }

  u64(value: number): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(value), true);
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #room(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}
