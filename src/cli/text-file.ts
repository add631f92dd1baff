import { readFileSync } from "node:fs";
import { R1Error } from "../errors.ts";
import { decodeUtf8 } from "../train/data/jsonl.ts";

/** @throws R1Error E_FILE_MISSING, E_FILE_READ */
export function readFileBytes(path: string, name = path): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const message = missing ? `${name}: no such file` : `${name}: cannot be read: ${String(cause)}`;
    throw new R1Error(missing ? "E_FILE_MISSING" : "E_FILE_READ", message, { file: name }, { cause });
  }
}

/**
 * Text of a file in UTF-8, with or without a byte-order mark.
 * @param name what a complaint calls it; the path if left out
 * @throws R1Error E_FILE_MISSING, E_FILE_READ; E_FORMAT for another encoding
 */
export function readTextFile(path: string, name = path): string {
  return decodeUtf8(readFileBytes(path, name), name);
}
