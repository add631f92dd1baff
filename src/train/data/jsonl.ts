import { R1Error } from "../../errors.ts";

/** One value of a JSON-lines file. */
export interface JsonlLine {
  /** From 1, blank lines counted. */
  readonly line: number;
  readonly value: unknown;
}

export interface JsonlOptions {
  /** How a complaint names a line; "file, line 3" if left out. */
  readonly where?: (file: string, line: number) => string;
}

const MAX_CHARACTERS = 512 * 2 ** 20;
const LINE_END = /\r\n?|\n/;
const BYTE_ORDER_MARK = "\uFEFF";

/** Unicode's other encodings, by how their files begin; the longer marks first. */
const OTHER_ENCODINGS = [
  { name: "UTF-32", mark: [0xff, 0xfe, 0, 0] },
  { name: "UTF-32", mark: [0, 0, 0xfe, 0xff] },
  { name: "UTF-16", mark: [0xff, 0xfe] },
  { name: "UTF-16", mark: [0xfe, 0xff] },
] as const;

function encodingError(file: string, name: string): R1Error {
  return new R1Error("E_FORMAT", `${file}: found text in ${name}; expected UTF-8`, { file, encoding: name });
}

/**
 * Text of a file that may come from any program: UTF-8, with or without a byte-order mark.
 * @throws R1Error E_FORMAT for UTF-16, UTF-32 and what is no UTF-8, naming the file and what it is
 */
export function decodeUtf8(bytes: Uint8Array, file: string): string {
  const other = OTHER_ENCODINGS.find(({ mark }) => mark.every((byte, i) => bytes[i] === byte));
  if (other) throw encodingError(file, other.name);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    // What is no UTF-8 is a TypeError, by the standard; else the text is longer than a string can be.
    const found =
      cause instanceof TypeError ? "bytes that are no UTF-8; expected UTF-8" : `${bytes.length} bytes; expected fewer`;
    throw new R1Error("E_FORMAT", `${file}: found ${found}`, { file }, { cause });
  }
}

/** UTF-16 that was decoded as UTF-8 all the same, as a page's text of a file is. */
function refuseDecodedUtf16(text: string, file: string): void {
  const start = text.slice(0, 64);
  if (start.startsWith("\uFFFD\uFFFD") || start.includes("\0")) throw encodingError(file, "UTF-16");
}

/**
 * The values of a JSON-lines file, as any program writes it: byte-order marks (files that were joined have several),
 * line ends of Unix, Windows and old Macs, blank lines, with or without a line end after the last line.
 * @throws R1Error E_JSON for a line that is no JSON, naming file and line; E_FORMAT for another encoding or a text of
 *   more than 512 Mi characters
 */
export function readJsonl(text: string, file: string, { where = namedLine }: JsonlOptions = {}): readonly JsonlLine[] {
  if (text.length > MAX_CHARACTERS) throw new R1Error("E_FORMAT", `${file}: more than 512 Mi characters`, { file });
  refuseDecodedUtf16(text, file);
  return text.split(LINE_END).flatMap((source, i): JsonlLine[] => {
    const json = source.startsWith(BYTE_ORDER_MARK) ? source.slice(1) : source;
    if (json.trim() === "") return [];
    const line = i + 1;
    try {
      return [{ line, value: JSON.parse(json) as unknown }];
    } catch (cause) {
      const message = `${where(file, line)}: no valid JSON`;
      throw new R1Error("E_JSON", message, { file, line }, { cause });
    }
  });
}

function namedLine(file: string, line: number): string {
  return `${file}, line ${line}`;
}

/** A row of a dataset. */
export interface DatasetRow {
  readonly line: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Rows of a dataset: JSON lines that are objects.
 * @throws R1Error as {@link readJsonl}; E_JSON for a line that is no object, E_FORMAT for a file without rows
 */
export function readDatasetRows(text: string, file: string): readonly DatasetRow[] {
  const rows = readJsonl(text, file).map(({ line, value }): DatasetRow => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new R1Error("E_JSON", `${namedLine(file, line)}: expected a JSON object`, { file, line });
    }
    return { line, fields: { ...value } };
  });
  if (rows.length === 0) throw new R1Error("E_FORMAT", `${file}: no rows`, { file });
  return rows;
}
