import { statSync } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { R1Error, throwIfAborted } from "../../errors.ts";
import { pathSegments } from "../file-name.ts";
import { allocate, checkRange, endedEarly } from "../source.ts";
import type { ByteSource, ModelFolder } from "../source.ts";
import { systemCode, systemError } from "./system-error.ts";

/** Bytes per system call: below its limit of 2 GiB, and often enough to notice an abort. */
const READ_BYTES = 32 * 2 ** 20;

/**
 * A folder on disk.
 * @throws R1Error E_FILE_MISSING for a directory that is not there
 */
export function nodeFolder(directory: string): ModelFolder {
  if (!isFolder(directory)) {
    throw new R1Error("E_FILE_MISSING", `${directory}: no such folder`, { file: directory });
  }
  return {
    name: basename(resolve(directory)),
    async open(file, signal) {
      throwIfAborted(signal);
      const name = pathSegments(file).join("/");
      return fileSource(name, join(directory, name));
    },
    list: () =>
      readdir(directory).catch((error: unknown) => {
        throw systemError(directory, error, "read");
      }),
  };
}

async function fileSource(name: string, path: string): Promise<ByteSource | undefined> {
  const size = await fileSize(name, path);
  if (size === undefined) return undefined;
  return {
    name,
    size,
    async read(offset, length, signal) {
      throwIfAborted(signal);
      checkRange({ name, size }, offset, length);
      const bytes = allocate(name, length);
      const filled = await fill(bytes, offset, path, signal).catch((error: unknown) => {
        throw readError(name, error);
      });
      throwIfAborted(signal);
      if (filled !== length) throw endedEarly(name, offset + filled, offset + length);
      return bytes;
    },
  };
}

/** Bytes of the file; undefined when there is none. */
async function fileSize(name: string, path: string): Promise<number | undefined> {
  try {
    const info = await stat(path);
    if (info.isFile()) return info.size;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemCode(error) ?? "")) return undefined;
    throw readError(name, error);
  }
  // A pipe or a device would be read for ever.
  throw new R1Error("E_FILE_READ", `${name}: found a folder or device; expected a file`, { file: name });
}

/** Opened for each read: sources need no closing, and reads are large. Stops early at the end or when aborted. */
async function fill(bytes: Uint8Array, offset: number, path: string, signal: AbortSignal | undefined): Promise<number> {
  const handle = await open(path);
  try {
    let at = 0;
    while (at < bytes.length && signal?.aborted !== true) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(READ_BYTES, bytes.length - at), offset + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return at;
  } finally {
    await handle.close();
  }
}

function isFolder(directory: string): boolean {
  try {
    return statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    throw systemError(directory, error, "read");
  }
}

/** A file that is gone while it is read was there before: it is not missing from the folder. */
function readError(name: string, error: unknown): R1Error {
  const known = systemError(name, error, "read");
  if (known.code !== "E_FILE_MISSING") return known;
  const code = systemCode(error);
  return new R1Error("E_FILE_READ", `${name}: the file could not be read (${code})`, { file: name }, { cause: error });
}
