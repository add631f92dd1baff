import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { systemError } from "../checkpoint/node/system-error.ts";
import { R1Error } from "../errors.ts";
import { decodeUtf8 } from "../train/data/jsonl.ts";

/** Of a pipe or a device, which may never end. */
const MAX_STREAM_BYTES = 256 * 2 ** 20;
const PIECE_BYTES = 2 ** 20;

/** @throws R1Error E_FILE_MISSING, E_FILE_READ; E_FORMAT for a device or pipe that does not end */
export function readFileBytes(path: string, name = path): Buffer {
  try {
    const file = openSync(path, "r");
    try {
      return fstatSync(file).isFile() ? readFileSync(file) : readStream(file, name);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw systemError(name, cause, "read");
  }
}

/** Of what has no size: /dev/stdin is one, /dev/zero another. */
function readStream(file: number, name: string): Buffer {
  const pieces: Buffer[] = [];
  for (let total = 0; ;) {
    const piece = Buffer.alloc(PIECE_BYTES);
    const bytes = readSync(file, piece);
    if (bytes === 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, bytes));
    total += bytes;
    if (total <= MAX_STREAM_BYTES) continue;
    const message = `${name}: found a device or pipe that goes on; expected at most ${MAX_STREAM_BYTES} bytes of text`;
    throw new R1Error("E_FORMAT", message, { file: name });
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
