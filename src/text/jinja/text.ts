import { pythonError } from "./error.ts";

/**
 * Strings of a template. What a reader wrote has to be told from what the template writes, whatever the template does with
 * it: a string of which a part is the reader's knows which. All others are plain JavaScript strings.
 */
export type Text = string | MarkedText;

/** Pairs of offsets in UTF-16 units, start and end of each of the reader's parts, in order and apart from each other. */
export type Spans = readonly number[];

const NO_SPANS: Spans = [];

/** Longest text that a template may make on its way; what it gives may have 16 million characters. */
export const MAX_CHARS = 64_000_000;

/** A string with parts of the reader's, or one that counts as HTML (`safe`), which a plain string cannot say. */
export class MarkedText {
  readonly text: string;
  readonly spans: Spans;
  readonly safe: boolean;

  constructor(text: string, spans: Spans, safe = false) {
    this.text = text;
    this.spans = spans;
    this.safe = safe;
  }
}

export function isText(value: unknown): value is Text {
  return typeof value === "string" || value instanceof MarkedText;
}

export function plain(text: Text): string {
  return typeof text === "string" ? text : text.text;
}

export function spansOf(text: Text): Spans {
  return typeof text === "string" ? NO_SPANS : text.spans;
}

export function isSafe(text: Text): boolean {
  return typeof text !== "string" && text.safe;
}

export function withSpans(text: string, spans: Spans, safe = false): Text {
  return spans.length === 0 && !safe ? text : new MarkedText(text, spans, safe);
}

/** The whole string as the reader's. */
export function marked(text: string): Text {
  return text === "" ? text : new MarkedText(text, [0, text.length]);
}

/** The same string as HTML, or as a string like any other. */
export function asSafe(text: Text, safe: boolean): Text {
  return isSafe(text) === safe ? text : withSpans(plain(text), spansOf(text), safe);
}

/** A part of a string, by UTF-16 offsets within it. */
export function cut(text: Text, from: number, to = plain(text).length): Text {
  if (typeof text === "string") return text.slice(from, to);
  const spans: number[] = [];
  for (let i = 2 * firstBehind(text.spans, from); i < text.spans.length; i += 2) {
    const start = Math.max(text.spans[i] ?? 0, from);
    if (start >= to) break;
    const end = Math.min(text.spans[i + 1] ?? 0, to);
    if (start < end) spans.push(start - from, end - from);
  }
  return withSpans(text.text.slice(from, to), spans, text.safe);
}

/** The first part that ends behind a place, by halving: texts are cut into as many pieces as they have parts. */
export function firstBehind(spans: Spans, place: number): number {
  let low = 0;
  let high = spans.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[2 * middle + 1] ?? 0) <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Strings one after another. */
export function join(parts: readonly Text[], safe = false): Text {
  let total = 0;
  for (const part of parts) total += plain(part).length;
  if (total > MAX_CHARS) throw pythonError("MemoryError", `a text of ${total} characters; the limit is ${MAX_CHARS}`);
  if (parts.every((part) => typeof part === "string")) return withSpans(parts.join(""), NO_SPANS, safe);
  const spans: number[] = [];
  let length = 0;
  for (const part of parts) {
    const own = spansOf(part);
    for (let i = 0; i < own.length; i += 2) {
      const [start, end] = [length + (own[i] ?? 0), length + (own[i + 1] ?? 0)];
      // Parts that touch become one, so that copying a text piece by piece leaves no seams.
      if (spans.at(-1) === start) spans[spans.length - 1] = end;
      else spans.push(start, end);
    }
    length += plain(part).length;
  }
  return withSpans(parts.map(plain).join(""), spans, safe);
}

/** Pieces that are wholly the reader's or wholly not, in order. */
export function pieces(text: Text): { readonly text: string; readonly isReaders: boolean }[] {
  if (typeof text === "string") return text === "" ? [] : [{ text, isReaders: false }];
  const found: { text: string; isReaders: boolean }[] = [];
  let at = 0;
  for (let i = 0; i < text.spans.length; i += 2) {
    const [start = 0, end = 0] = [text.spans[i], text.spans[i + 1]];
    if (start > at) found.push({ text: text.text.slice(at, start), isReaders: false });
    found.push({ text: text.text.slice(start, end), isReaders: true });
    at = end;
  }
  if (at < text.text.length) found.push({ text: text.text.slice(at), isReaders: false });
  return found;
}

/** A string with every piece changed, each for itself: for changes that go by single characters. */
export function mapPieces(text: Text, change: (piece: string) => string): Text {
  if (typeof text === "string") return change(text);
  const changed = pieces(text).map((piece) => (piece.isReaders ? marked(change(piece.text)) : change(piece.text)));
  return join(changed, text.safe);
}

const SURROGATE = /[\ud800-\udfff]/;

/** Number of characters as Python counts them, by code points. */
export function lengthOf(text: Text): number {
  const string = plain(text);
  if (!SURROGATE.test(string)) return string.length;
  let count = 0;
  for (const _ of string) count++;
  return count;
}

/** The characters, each a string. */
export function charsOf(text: Text): Text[] {
  const string = plain(text);
  if (typeof text === "string") return Array.from(string);
  let at = 0;
  return Array.from(string, (char) => {
    const from = at;
    at += char.length;
    return cut(text, from, at);
  });
}

/** From Python's offsets to JavaScript's; none lies outside the string. */
export function unitOffset(text: Text, chars: number): number {
  const string = plain(text);
  if (!SURROGATE.test(string)) return Math.min(Math.max(chars, 0), string.length);
  let units = 0;
  let left = chars;
  for (const char of string) {
    if (left-- <= 0) break;
    units += char.length;
  }
  return units;
}

/** From JavaScript's offsets to Python's. */
export function charOffset(text: Text, units: number): number {
  return lengthOf(plain(text).slice(0, units));
}

/** What Python takes for white space (`str.isspace`). */
export const PYTHON_SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
