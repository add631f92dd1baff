import { quote } from "../quote.ts";
import { isFileName } from "../file-name.ts";
import { named } from "./proto-reader.ts";
import type { ProtoReader } from "./proto-reader.ts";

/** TensorProto.DataType: its name, and bits of a value; strings have none. */
export const ONNX_DTYPES: Readonly<Record<number, readonly [name: string, bits: number]>> = {
  1: ["float", 32],
  2: ["uint8", 8],
  3: ["int8", 8],
  4: ["uint16", 16],
  5: ["int16", 16],
  6: ["int32", 32],
  7: ["int64", 64],
  8: ["string", 0],
  9: ["bool", 8],
  10: ["float16", 16],
  11: ["double", 64],
  12: ["uint32", 32],
  13: ["uint64", 64],
  14: ["complex64", 64],
  15: ["complex128", 128],
  16: ["bfloat16", 16],
  17: ["float8e4m3fn", 8],
  18: ["float8e4m3fnuz", 8],
  19: ["float8e5m2", 8],
  20: ["float8e5m2fnuz", 8],
  21: ["uint4", 4],
  22: ["int4", 4],
  23: ["float4e2m1", 4],
  24: ["float8e8m0", 8],
  25: ["uint2", 2],
  26: ["int2", 2],
};

const MAX_RANK = 64;
/** Longer names are no names. */
export const MAX_NAME = 4096;
/** More than WebAssembly can address. */
const MAX_TENSOR_BYTES = 2 ** 32;

/** A tensor's values in a file beside the graph. */
export interface ExternalData {
  readonly tensor: string;
  /** Path from the graph's folder, as it stands in the graph. */
  readonly location: string;
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/** A constant of a graph, its values unread. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly number[];
  /** Where its bytes lie in the graph's file, where they do. */
  readonly raw: readonly [begin: number, end: number] | undefined;
  readonly external: ExternalData | undefined;
}

/** Values that are given one by one, and what types these are. */
const TYPED: Readonly<Record<number, readonly [field: string, types: readonly number[]]>> = {
  4: ["float_data", [1, 14]],
  5: ["int32_data", [2, 3, 4, 5, 6, 9, 10, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26]],
  6: ["string_data", [8]],
  7: ["int64_data", [7]],
  10: ["double_data", [11, 15]],
  11: ["uint64_data", [12, 13]],
};

/**
 * Reads a TensorProto and holds it to itself: its values are as many as its dims say.
 * @throws R1Error E_TENSOR_INFO, E_TENSOR_OFFSETS, E_FORMAT, E_FILE_TRUNCATED
 */
export function readTensor(reader: ProtoReader): OnnxTensor {
  let name = "";
  let type = 0;
  let location = 0;
  let raw: [number, number] | undefined;
  const dims: number[] = [];
  const entries = new Map<string, string>();
  const counts = new Map<number, number>();
  const addCount = (field: number, count: number): void => void counts.set(field, (counts.get(field) ?? 0) + count);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        reader.integers("dims", (size) => {
          if (dims.length === MAX_RANK) throw reader.error("E_TENSOR_INFO", `found more than ${MAX_RANK} dims`);
          dims.push(size);
        });
        break;
      case 2:
        type = reader.integer("data_type");
        break;
      case 3:
        throw reader.error("E_TENSOR_INFO", "found a segment; expected a whole tensor");
      case 4:
        addCount(field, reader.fixed("float_data", 4));
        break;
      case 5:
      case 7:
      case 11:
        reader.integers(TYPED[field]?.[0] ?? "", () => addCount(field, 1));
        break;
      case 6:
        reader.range("string_data");
        addCount(field, 1);
        break;
      case 8:
        name = reader.text("name", MAX_NAME);
        break;
      case 9:
        if (raw) throw reader.error("E_FORMAT", "found raw_data twice");
        raw = reader.range("raw_data");
        break;
      case 10:
        addCount(field, reader.fixed("double_data", 8));
        break;
      case 13:
        readEntry(reader.message("external_data", `${reader.what} external_data`), entries);
        break;
      case 14:
        location = reader.integer("data_location");
        break;
      default:
        reader.skip();
    }
  }
  const what = named("tensor", name);
  const dtype = ONNX_DTYPES[type];
  if (!dtype) throw reader.error("E_TENSOR_INFO", `${what} data_type: found ${type}; expected one of ONNX's, 1 to 26`);
  const wrong = dims.find((size) => size < 0 || !Number.isSafeInteger(size));
  if (wrong !== undefined) throw reader.error("E_TENSOR_INFO", `${what} dims: found ${wrong}; expected sizes`);
  const [typeName, bits] = dtype;
  const count = dims.reduce((product, size) => product * size, 1);
  const bytes = Math.ceil((count * bits) / 8);
  if (!(Math.max(bytes, count) <= MAX_TENSOR_BYTES)) {
    throw reader.error(
      "E_TENSOR_INFO",
      `${what}: dims [${dims.join()}] of ${typeName} are ${bytes} bytes; the limit is ${MAX_TENSOR_BYTES}`,
    );
  }
  if (location !== 0 && location !== 1) {
    throw reader.error("E_TENSOR_INFO", `${what} data_location: found ${location}; expected 0 or 1`);
  }
  const said = `dims [${dims.join()}] of ${typeName}`;
  if (location === 1) {
    if (raw || counts.size > 0) throw reader.error("E_FORMAT", `${what}: found values here and in another file`);
    if (bits === 0) throw reader.error("E_TENSOR_INFO", `${what}: found strings in another file; expected numbers`);
    return { name, type, dims, raw, external: externalData(reader, what, name, entries, bytes, said) };
  }
  if (raw && counts.size > 0) throw reader.error("E_FORMAT", `${what}: found values in raw_data and in another field`);
  if (raw) {
    const found = raw[1] - raw[0];
    if (bits === 0) throw reader.error("E_TENSOR_INFO", `${what}: found strings in raw_data; expected string_data`);
    if (found !== bytes)
      throw reader.error("E_TENSOR_OFFSETS", `${what} raw_data: found ${found} bytes; ${said} are ${bytes}`);
    return { name, type, dims, raw, external: undefined };
  }
  const [first, second] = counts.keys();
  if (first === undefined) {
    if (count > 0) throw reader.error("E_TENSOR_OFFSETS", `${what}: found no values; ${said} are ${count}`);
    return { name, type, dims, raw, external: undefined };
  }
  const [field = "", types = []] = TYPED[first] ?? [];
  if (second !== undefined) throw reader.error("E_FORMAT", `${what}: found values in ${field} and in another field`);
  if (!types.includes(type)) throw reader.error("E_TENSOR_INFO", `${what}: found ${typeName} values in ${field}`);
  // Small types lie several to an int32; a complex number is two floats.
  const perValue = bits < 8 && bits > 0 ? bits / 8 : type === 14 || type === 15 ? 2 : 1;
  const expected = Math.ceil(count * perValue);
  const found = counts.get(first) ?? 0;
  if (found !== expected) {
    throw reader.error("E_TENSOR_OFFSETS", `${what} ${field}: found ${found} values; ${said} are ${expected}`);
  }
  return { name, type, dims, raw, external: undefined };
}

/** A StringStringEntryProto. */
function readEntry(reader: ProtoReader, entries: Map<string, string>): void {
  let key = "";
  let value = "";
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) key = reader.text("key", MAX_NAME);
    else if (field === 2) value = reader.text("value", MAX_NAME);
    else reader.skip();
  }
  if (entries.has(key)) throw reader.error("E_FORMAT", `found ${quote(key)} twice`);
  entries.set(key, value);
}

function externalData(
  reader: ProtoReader,
  what: string,
  tensor: string,
  entries: ReadonlyMap<string, string>,
  bytes: number,
  said: string,
): ExternalData {
  const integer = (key: string, otherwise: number): number => {
    const text = entries.get(key);
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
    throw reader.error(
      "E_TENSOR_OFFSETS",
      `${what} external_data ${key}: found ${quote(text)}; expected a whole number`,
    );
  };
  const location = entries.get("location");
  if (location === undefined) throw reader.error("E_TENSOR_OFFSETS", `${what} external_data: found no location`);
  if (!isLocation(location)) {
    throw reader.error(
      "E_FORMAT",
      `${what} external_data location: found ${quote(location)}; expected the name of a file beside the graph`,
    );
  }
  const length = integer("length", bytes);
  if (length !== bytes) {
    throw reader.error("E_TENSOR_OFFSETS", `${what} external_data length: found ${length}; ${said} are ${bytes}`);
  }
  return { tensor, location, offset: integer("offset", 0), length };
}

/** A path that stays within the graph's folder: no drive, no address, no way up. */
function isLocation(location: string): boolean {
  const path = location.startsWith("./") ? location.slice(2) : location;
  return location.length <= MAX_NAME && path.split("/").every(isFileName);
}
