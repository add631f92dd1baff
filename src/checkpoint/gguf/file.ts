import type { ErrorCode } from "../../errors.ts";
import { quote } from "../quote.ts";
import { foreignFormat } from "../safetensors/foreign.ts";
import type { ByteSource } from "../source.ts";
import { HeaderCursor } from "./cursor.ts";
import { GGML_TYPES, ggmlTypeOf } from "./ggml-type.ts";
import type { GgmlType } from "./ggml-type.ts";
import { LEAST_ENTRY_BYTES, readMetadata } from "./metadata.ts";
import type { GgufMetadata } from "./metadata.ts";

/** A tensor as the file names it, and where its bytes [begin, end) lie, counted from the beginning of the data. */
export interface GgufTensor {
  readonly name: string;
  readonly dtype: GgmlType;
  /** Outermost dimension first, which is the file's order turned round. */
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** One open GGUF file. */
export interface GgufFile {
  readonly source: ByteSource;
  readonly version: number;
  readonly metadata: GgufMetadata;
  /** In the order of their data. */
  readonly tensors: readonly GgufTensor[];
  /** Where tensor data begins in the file. */
  readonly dataStart: number;
}

/** Magic, version and two counts. */
const FIXED_BYTES = 24;
const MAX_TENSORS = 200_000;
const MAX_ENTRIES = 65_536;
/** GGML's own limits. */
const MAX_NAME_BYTES = 63;
const MAX_RANK = 4;
/** Real files have 32. */
const MAX_ALIGNMENT = 2 ** 20;
const DEFAULT_ALIGNMENT = 32;
const ALIGNMENT_KEY = "general.alignment";
/** Shortest tensor entry: an empty name, no dimensions, a type and an offset. */
const LEAST_TENSOR_BYTES = 8 + 4 + 4 + 8;

/**
 * Reads and checks the header of a GGUF file of version 2 or 3 by the rules of llama.cpp: tensors follow each other in the
 * header's order, each at the next multiple of the alignment, in rows of whole blocks. Nothing is allocated by a number
 * that was not held to the file's size or a cap first.
 * @throws R1Error E_FORMAT (another format, byte order or version), E_HEADER_TOO_SMALL, E_HEADER_TOO_LARGE,
 * E_HEADER_INVALID, E_TENSOR_INFO, E_TENSOR_OFFSETS, E_DTYPE, E_FILE_TRUNCATED, and what the source throws
 */
export async function openGguf(source: ByteSource, signal?: AbortSignal): Promise<GgufFile> {
  const cursor = new HeaderCursor(source, signal);
  const version = await readVersion(cursor, source);
  const tensorCount = cursor.size("E_HEADER_INVALID", "number of tensors", MAX_TENSORS);
  const entryCount = cursor.size("E_HEADER_INVALID", "number of metadata entries", MAX_ENTRIES);
  if (tensorCount * LEAST_TENSOR_BYTES + entryCount * LEAST_ENTRY_BYTES > cursor.left) {
    throw cursor.error(
      "E_FILE_TRUNCATED",
      `${tensorCount} tensors and ${entryCount} metadata entries; only ${cursor.left} bytes follow`,
    );
  }
  const metadata = await readMetadata(cursor, entryCount);
  const alignment = alignmentOf(cursor, metadata);
  const tensors = await readTensors(cursor, tensorCount, alignment);
  const dataStart = aligned(cursor.position, alignment);
  const end = tensors.at(-1)?.end ?? 0;
  if (end > 0 && dataStart + end > source.size) {
    throw cursor.error(
      "E_FILE_TRUNCATED",
      `${source.size} bytes; the header describes ${dataStart + end}: the file is cut off`,
    );
  }
  return { source, version, metadata, tensors, dataStart };
}

async function readVersion(cursor: HeaderCursor, source: ByteSource): Promise<number> {
  if (source.size < 8) {
    throw cursor.error("E_HEADER_TOO_SMALL", `${source.size} bytes; a GGUF file has at least ${FIXED_BYTES}`);
  }
  await cursor.fill(8, "the header");
  const first = cursor.bytes(8);
  const magic = String.fromCharCode(...first.subarray(0, 4));
  if (magic !== "GGUF") {
    const found = foreignFormat(first) ?? `a file that begins with ${quote(magic)}`;
    throw cursor.error("E_FORMAT", `found ${found}; expected GGUF`);
  }
  const version = new DataView(first.buffer).getUint32(4, true);
  if (version === 1) {
    throw cursor.error("E_FORMAT", "GGUF version 1, which is no longer in use; convert the model again, to version 3");
  }
  if (version !== 0 && (version & 0xffff) === 0)
    throw cursor.error("E_FORMAT", "a big-endian GGUF file; expected little-endian");
  if (version !== 2 && version !== 3) throw cursor.error("E_FORMAT", `GGUF version ${version}; expected 2 or 3`);
  if (cursor.lacks(16)) await cursor.fill(16, "the header");
  return version;
}

function alignmentOf(cursor: HeaderCursor, metadata: GgufMetadata): number {
  const value = metadata.get(ALIGNMENT_KEY) ?? DEFAULT_ALIGNMENT;
  if (typeof value === "number" && value <= MAX_ALIGNMENT && Number.isInteger(Math.log2(value))) return value;
  const found = typeof value === "object" ? "a list" : quote(String(value));
  throw cursor.error(
    "E_HEADER_INVALID",
    `${ALIGNMENT_KEY}: found ${found}; expected a power of two up to ${MAX_ALIGNMENT}`,
  );
}

async function readTensors(cursor: HeaderCursor, count: number, alignment: number): Promise<GgufTensor[]> {
  const tensors: GgufTensor[] = [];
  const names = new Set<string>();
  let next = 0;
  for (let i = 0; i < count; i++) {
    const tensor = await readTensor(cursor, i, next);
    if (names.has(tensor.name)) throw cursor.error("E_TENSOR_INFO", `tensor ${quote(tensor.name)} is there twice`);
    names.add(tensor.name);
    tensors.push(tensor);
    next = aligned(tensor.end, alignment);
  }
  return tensors;
}

async function readTensor(cursor: HeaderCursor, index: number, expected: number): Promise<GgufTensor> {
  const name = await cursor.name("E_TENSOR_INFO", `name of tensor ${index}`, MAX_NAME_BYTES);
  const field = `tensor ${quote(name)}`;
  const error = (code: ErrorCode, problem: string) => cursor.error(code, `${field}: ${problem}`);
  if (cursor.lacks(4)) await cursor.fill(4, field);
  const rank = cursor.u32();
  if (rank > MAX_RANK) throw error("E_TENSOR_INFO", `found ${rank} dimensions; the limit is ${MAX_RANK}`);
  const rest = rank * 8 + 12;
  if (cursor.lacks(rest)) await cursor.fill(rest, field);
  const sizes: number[] = [];
  for (let i = 0; i < rank; i++) {
    sizes.push(cursor.size("E_TENSOR_INFO", `dimension ${i} of ${field}`, Number.MAX_SAFE_INTEGER));
  }
  const id = cursor.u32();
  const dtype = ggmlTypeOf(id);
  if (!dtype) throw error("E_DTYPE", `found type ${id}, which GGML does not have (any more)`);
  const bytes = tensorBytes(dtype, sizes, error);
  const begin = cursor.size("E_TENSOR_OFFSETS", `offset of ${field}`, Number.MAX_SAFE_INTEGER);
  if (begin !== expected) throw error("E_TENSOR_OFFSETS", `found offset ${begin}; expected ${expected}`);
  const end = begin + bytes;
  if (!Number.isSafeInteger(end)) throw error("E_TENSOR_INFO", "its bytes end beyond any file");
  return { name, dtype, shape: sizes.toReversed(), begin, end };
}

function tensorBytes(
  dtype: GgmlType,
  sizes: readonly number[],
  error: (code: ErrorCode, problem: string) => Error,
): number {
  const { block, bytes } = GGML_TYPES[dtype];
  const row = sizes[0] ?? 1;
  if (row % block !== 0) {
    throw error("E_TENSOR_INFO", `rows of ${row} elements; ${dtype} needs a multiple of ${block}`);
  }
  let total = bytes;
  for (const size of [row / block, ...sizes.slice(1)]) {
    total *= size;
    if (!Number.isSafeInteger(total)) {
      throw error("E_TENSOR_INFO", `[${sizes.toReversed().join(", ")}] of ${dtype} has more bytes than any file`);
    }
  }
  return total;
}

function aligned(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
