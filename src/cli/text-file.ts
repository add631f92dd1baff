import { readFileSync } from "node:fs";
import { systemError } from "../checkpoint/node/system-error.ts";
import { decodeUtf8 } from "../train/data/jsonl.ts";

/** @throws R1Error E_FILE_MISSING, E_FILE_READ */
export function readFileBytes(path: string, name = path): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw systemError(name, cause, "read");
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
