import { R1Error } from "../../errors.ts";
import { quote } from "../quote.ts";
import { keyField } from "./cursor.ts";
import type { HeaderCursor } from "./cursor.ts";

/** Numbers of an array as the file stores them; 64-bit ones as bigints, truth values as bytes. */
export type GgufNumbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** 64-bit integers are numbers where these are exact, else bigints. */
export type GgufValue = string | number | bigint | boolean | readonly string[] | GgufNumbers;

export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** Keys are at most this long by the specification. */
const MAX_KEY_BYTES = 65_535;
/** Above the merges of any vocabulary; the largest has half a million. */
export const MAX_ARRAY_LENGTH = 4_000_000;
/** A chat template, or a whole `tokenizer.json` as some converters embed it. */
const MAX_STRING_BYTES = 48 * 2 ** 20;
/** Shortest metadata entry: an empty key, a type and one byte. */
export const LEAST_ENTRY_BYTES = 8 + 4 + 1;

const STRING = 8;
const ARRAY = 9;

interface NumberType {
  readonly bytes: number;
  readonly one: (cursor: HeaderCursor) => number | bigint | boolean;
  readonly many: (buffer: ArrayBuffer) => GgufNumbers;
}

/** By the type's number in the file (gguf.h, `enum gguf_type`). */
const NUMBER_TYPES: ReadonlyMap<number, NumberType> = new Map<number, NumberType>([
  [0, { bytes: 1, one: (cursor) => cursor.u8(), many: (buffer) => new Uint8Array(buffer) }],
  [1, { bytes: 1, one: (cursor) => cursor.i8(), many: (buffer) => new Int8Array(buffer) }],
  [2, { bytes: 2, one: (cursor) => cursor.u16(), many: (buffer) => new Uint16Array(buffer) }],
  [3, { bytes: 2, one: (cursor) => cursor.i16(), many: (buffer) => new Int16Array(buffer) }],
  [4, { bytes: 4, one: (cursor) => cursor.u32(), many: (buffer) => new Uint32Array(buffer) }],
  [5, { bytes: 4, one: (cursor) => cursor.i32(), many: (buffer) => new Int32Array(buffer) }],
  [6, { bytes: 4, one: (cursor) => cursor.f32(), many: (buffer) => new Float32Array(buffer) }],
  [7, { bytes: 1, one: (cursor) => cursor.u8() !== 0, many: (buffer) => new Uint8Array(buffer) }],
  [10, { bytes: 8, one: (cursor) => exact(cursor.u64()), many: (buffer) => new BigUint64Array(buffer) }],
  [11, { bytes: 8, one: (cursor) => exact(cursor.i64()), many: (buffer) => new BigInt64Array(buffer) }],
  [12, { bytes: 8, one: (cursor) => cursor.f64(), many: (buffer) => new Float64Array(buffer) }],
]);

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Values are shown and compared; what is not UTF-8 in them need not make a file useless. */
const LENIENT = new TextDecoder("utf-8", { ignoreBOM: true });

/** @throws R1Error E_HEADER_INVALID, E_HEADER_TOO_LARGE, E_FILE_TRUNCATED, and what the source throws */
export async function readMetadata(cursor: HeaderCursor, count: number): Promise<GgufMetadata> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = await cursor.name("E_HEADER_INVALID", `key of metadata ${i}`, MAX_KEY_BYTES);
    if (metadata.has(key)) throw cursor.error("E_HEADER_INVALID", `${keyField(key)} is there twice`);
    if (cursor.lacks(4)) await cursor.fill(4, keyField(key));
    metadata.set(key, await readValue(cursor, cursor.u32(), keyField(key)));
  }
  return metadata;
}

async function readValue(cursor: HeaderCursor, type: number, field: string): Promise<GgufValue> {
  if (type === STRING) return readString(cursor, field);
  if (type === ARRAY) return readArray(cursor, field);
  const numbers = numberType(cursor, type, field);
  if (cursor.lacks(numbers.bytes)) await cursor.fill(numbers.bytes, field);
  return numbers.one(cursor);
}

async function readString(cursor: HeaderCursor, field: string): Promise<string> {
  if (cursor.lacks(8)) await cursor.fill(8, field);
  const length = cursor.size("E_HEADER_INVALID", `length of ${field}`, MAX_STRING_BYTES);
  if (cursor.lacks(length)) await cursor.fill(length, field);
  return cursor.text(length, LENIENT);
}

async function readArray(cursor: HeaderCursor, field: string): Promise<readonly string[] | GgufNumbers> {
  if (cursor.lacks(12)) await cursor.fill(12, field);
  const type = cursor.u32();
  const count = cursor.size("E_HEADER_INVALID", `length of ${field}`, MAX_ARRAY_LENGTH);
  if (type === STRING) return readStrings(cursor, count, field);
  if (type === ARRAY) throw cursor.error("E_HEADER_INVALID", `${field}: found an array of arrays`);
  const numbers = numberType(cursor, type, field);
  const bytes = count * numbers.bytes;
  if (cursor.lacks(bytes)) await cursor.fill(bytes, field);
  return numbers.many(cursor.bytes(bytes).buffer);
}

async function readStrings(cursor: HeaderCursor, count: number, field: string): Promise<readonly string[]> {
  // Each string has at least its length: a count that the file cannot hold is refused before the list grows.
  if (count * 8 > cursor.left) {
    throw cursor.error("E_FILE_TRUNCATED", `${field}: ${count} strings; only ${cursor.left} bytes follow`);
  }
  const strings: string[] = [];
  for (let i = 0; i < count; i++) {
    if (cursor.lacks(8)) await cursor.fill(8, field);
    const length = cursor.size("E_HEADER_INVALID", `length of a string of ${field}`, MAX_STRING_BYTES);
    if (cursor.lacks(length)) await cursor.fill(length, field);
    strings.push(cursor.text(length, LENIENT));
  }
  return strings;
}

function numberType(cursor: HeaderCursor, type: number, field: string): NumberType {
  const found = NUMBER_TYPES.get(type);
  if (found) return found;
  throw cursor.error("E_HEADER_INVALID", `${field}: found value type ${type}; expected a number from 0 to 12`);
}

/** Checked fields of a file's metadata. */
export class MetadataReader {
  readonly file: string;
  readonly #metadata: GgufMetadata;

  constructor(metadata: GgufMetadata, file: string) {
    this.#metadata = metadata;
    this.file = file;
  }

  has(key: string): boolean {
    return this.#metadata.has(key);
  }

  string(key: string): string | undefined {
    return this.#typed(key, "text", (value) => typeof value === "string");
  }

  number(key: string): number | undefined {
    return this.#typed(key, "a number", (value) => typeof value === "number");
  }

  /** A whole number from 0. */
  integer(key: string): number | undefined {
    return this.#typed(
      key,
      "a whole number from 0",
      (value): value is number => typeof value === "number" && Number.isInteger(value) && value >= 0,
    );
  }

  boolean(key: string): boolean | undefined {
    return this.#typed(key, "true or false", (value) => typeof value === "boolean");
  }

  strings(key: string): readonly string[] | undefined {
    return this.#typed(key, "a list of texts", (value): value is readonly string[] => Array.isArray(value));
  }

  numbers(key: string): ArrayLike<number> | undefined {
    return this.#typed(key, "a list of numbers", isNumbers);
  }

  /** @throws R1Error E_CONFIG for a value of another type */
  #typed<T extends GgufValue>(key: string, expected: string, is: (value: GgufValue) => value is T): T | undefined {
    const value = this.#metadata.get(key);
    if (value === undefined || is(value)) return value;
    throw this.error(key, `found ${typeof value === "string" ? quote(value) : shown(value)}; expected ${expected}`);
  }

  error(key: string, problem: string): R1Error {
    return new R1Error("E_CONFIG", `${this.file}: ${keyField(key)}: ${problem}`, { file: this.file, field: key });
  }
}

function isNumbers(value: GgufValue): value is Exclude<GgufNumbers, BigInt64Array | BigUint64Array> {
  return ArrayBuffer.isView(value) && !(value instanceof BigInt64Array || value instanceof BigUint64Array);
}

/** A value as a line of text; of an array, how long it is. */
export function shown(value: GgufValue): string {
  if (typeof value === "object") return `${value.length} ${Array.isArray(value) ? "strings" : "numbers"}`;
  return String(value);
}
