import { R1Error } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { parseJson } from "./json.ts";

/** Random-access bytes of one file. */
export interface ByteSource {
  /** For messages. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Exactly `length` bytes, in a buffer of their own that begins with them.
   * @throws R1Error E_FILE_TRUNCATED, E_FILE_READ, E_HTTP, E_ABORTED, E_OUT_OF_MEMORY
   */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

/** A Hugging Face-layout folder, wherever it is. */
export interface ModelFolder {
  readonly name: string;
  /**
   * A file of the folder; undefined when it has no such file.
   * @throws R1Error E_FORMAT for a name that leads out of the folder; E_FILE_READ, E_HTTP, E_ABORTED
   */
  open(file: string, signal?: AbortSignal): Promise<ByteSource | undefined>;
  /** Names of the files directly inside; absent where they cannot be listed, as on a web server. */
  readonly list?: () => Promise<readonly string[]>;
  /** Paths of all its files, where they are known without looking. */
  readonly paths?: () => Promise<readonly string[]>;
  /** Its tensors, where they do not lie in safetensors files. */
  readonly checkpoint?: Checkpoint;
}

const MiB = 2 ** 20;

/** Bytes of a text or JSON file that has no cap of its own. The largest tokenizer.json in use (Gemma 3) has 33 MB. */
export const MAX_JSON_BYTES = 64 * MiB;

/** Caps for files whose real sizes are known to be far smaller: configurations have a few kB, templates tens of kB. */
const MAX_BYTES: ReadonlyMap<string, number> = new Map([
  ["config.json", MiB],
  ["generation_config.json", MiB],
  ["adapter_config.json", MiB],
  ["chat_template.jinja", MiB],
  ["tokenizer_config.json", 8 * MiB],
  // DeepSeek-R1 itself, 671 billion parameters in 163 shards, has an index of 8.9 MB.
  ["model.safetensors.index.json", 32 * MiB],
]);

/**
 * A UTF-8 text file; undefined when the folder has none.
 * @param maxBytes by default the file's own cap
 * @throws R1Error E_FORMAT when it is too large or not UTF-8, and what {@link ByteSource.read} throws
 */
export function readText(
  folder: ModelFolder,
  file: string,
  maxBytes?: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  return readUtf8(folder, file, "E_FORMAT", maxBytes, signal);
}

/**
 * A JSON file; undefined when the folder has none.
 * @throws R1Error E_JSON when it is not JSON, E_FORMAT when it is too large, and what {@link ByteSource.read} throws
 */
export async function readJson(
  folder: ModelFolder,
  file: string,
  maxBytes?: number,
  signal?: AbortSignal,
): Promise<unknown> {
  const text = await readUtf8(folder, file, "E_JSON", maxBytes, signal);
  return text === undefined ? undefined : parseJson(text, file);
}

async function readUtf8(
  folder: ModelFolder,
  file: string,
  notUtf8: ErrorCode,
  maxBytes: number = MAX_BYTES.get(file) ?? MAX_JSON_BYTES,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const source = await folder.open(file, signal);
  if (!source) return undefined;
  if (source.size > maxBytes) {
    throw new R1Error("E_FORMAT", `${file}: ${source.size} bytes; the limit is ${maxBytes}`, { file });
  }
  const bytes = await source.read(0, source.size, signal);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new R1Error(notUtf8, `${file}: found bytes that are not UTF-8; expected text`, { file }, { cause: error });
  }
}

/**
 * Holds a read to the file's size: every source calls it before it allocates.
 * @throws R1Error E_FILE_TRUNCATED
 */
export function checkRange(source: Pick<ByteSource, "name" | "size">, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= source.size) return;
  throw new R1Error(
    "E_FILE_TRUNCATED",
    `${source.name}: ${length} bytes from byte ${offset} are needed; the file has ${source.size} bytes`,
    { file: source.name, size: source.size },
  );
}

/** @throws R1Error E_OUT_OF_MEMORY */
export function allocate(name: string, length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (error) {
    throw new R1Error(
      "E_OUT_OF_MEMORY",
      `${name}: no memory for ${length} bytes at once`,
      { file: name },
      { cause: error },
    );
  }
}

/** The file ended before its own size: cut off or changed while it was read. */
export function endedEarly(name: string, found: number, expected: number): R1Error {
  return new R1Error("E_FILE_TRUNCATED", `${name}: the data ended after ${found} of ${expected} bytes`, { file: name });
}
