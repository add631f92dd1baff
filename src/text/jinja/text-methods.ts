import { bind } from "./call.ts";
import { pythonError, typeError, valueError } from "./error.ts";
import { formatText, pad } from "./format.ts";
import type { Lookup } from "./format.ts";
import { bounds } from "./slice.ts";
import {
  charOffset,
  charsOf,
  cut,
  isText,
  join,
  lengthOf,
  mapPieces,
  MAX_CHARS,
  plain,
  PYTHON_SPACE,
  unitOffset,
} from "./text.ts";
import type { Text } from "./text.ts";
import { split, splitFromRight, splitLines, strip, textArg } from "./text-split.ts";
import { Dict, indexOf, isInt, iterate, List, Tuple, typeName } from "./values.ts";
import type { Kwargs, Value } from "./values.ts";

type Method = (self: Text, args: readonly Value[], kwargs: Kwargs, lookup: Lookup) => Value;

export function replaceText(text: Text, old: Text, by: Text, count: number): Text {
  const string = plain(text);
  const mark = plain(old);
  const most = count < 0 ? Number.POSITIVE_INFINITY : count;
  const parts: Text[] = [];
  if (mark === "") {
    const chars = charsOf(text);
    for (let i = 0; i <= chars.length; i++) {
      if (i < most) parts.push(by);
      const char = chars[i];
      if (char !== undefined) parts.push(char);
    }
    return join(parts);
  }
  let at = 0;
  let done = 0;
  for (let next = string.indexOf(mark); next >= 0 && done < most; next = string.indexOf(mark, at)) {
    parts.push(cut(text, at, next), by);
    at = next + mark.length;
    done++;
  }
  parts.push(cut(text, at));
  return join(parts);
}

export function repeated(text: Text, times: number): Text {
  const count = Math.max(0, times);
  const { length } = plain(text);
  if (length * count > MAX_CHARS) throw pythonError("MemoryError", `a text of ${length * count} characters`);
  return typeof text === "string" ? text.repeat(count) : join(Array.from({ length: count }, () => text));
}

export function joined(separator: Text, items: Iterable<Value>): Text {
  const parts: Text[] = [];
  let i = 0;
  for (const item of items) {
    if (!isText(item)) throw typeError(`sequence item ${i}: expected str instance, ${typeName(item)} found`);
    if (i++ > 0) parts.push(separator);
    parts.push(item);
  }
  return join(parts);
}

export function capitalized(text: Text): Text {
  const [first, ...rest] = charsOf(text);
  if (first === undefined) return text;
  return join([mapPieces(first, titleCase), mapPieces(join(rest), (piece) => piece.toLowerCase())]);
}

/** Digraphs have a form of their own at the beginning of a word. */
function titleCase(char: string): string {
  if (/^[\u01c4-\u01cc]$/.test(char)) return "\u01c5\u01c8\u01cb".charAt(Math.floor((char.charCodeAt(0) - 0x1c4) / 3));
  const upper = char.toUpperCase();
  return char === "ß" || (upper.length > 1 && /^[\ufb00-\ufb06]$/.test(char))
    ? upper.charAt(0) + upper.slice(1).toLowerCase()
    : upper;
}

const CASED = /^[\p{Lu}\p{Ll}\p{Lt}]$/u;

function title(text: Text): Text {
  let inWord = false;
  return join(
    charsOf(text).map((char) => {
      const wasInWord = inWord;
      inWord = CASED.test(plain(char));
      return mapPieces(char, wasInWord ? (one) => one.toLowerCase() : titleCase);
    }),
  );
}

function swapCase(text: Text): Text {
  return mapPieces(text, (piece) =>
    Array.from(piece, (char) => {
      const upper = char.toUpperCase();
      return char === upper ? char.toLowerCase() : upper;
    }).join(""),
  );
}

/** Whether a text has cased letters, and all of them are of the case asked for. */
export function isCase(text: Text, wanted: "upper" | "lower"): boolean {
  const string = plain(text);
  const other = wanted === "upper" ? /[\p{Ll}\p{Lt}]/u : /[\p{Lu}\p{Lt}]/u;
  return !other.test(string) && (wanted === "upper" ? /\p{Lu}/u : /\p{Ll}/u).test(string);
}

function isTitle(text: Text): boolean {
  let inWord = false;
  let any = false;
  for (const char of plain(text)) {
    const upper = /[\p{Lu}\p{Lt}]/u.test(char);
    const lower = /\p{Ll}/u.test(char);
    if ((upper && inWord) || (lower && !inWord)) return false;
    inWord = upper || lower;
    any ||= inWord;
  }
  return any;
}

function every(pattern: RegExp): Method {
  return (self) => pattern.test(plain(self));
}

/** Where the text stands that is looked for, in Python's offsets; undefined where it does not. */
function find(self: Text, args: readonly Value[], last: boolean): number | undefined {
  const mark = plain(textArg("sub", args[0]));
  const [from, to] = part(self, args[1], args[2]);
  if (from > to) return undefined;
  const string = plain(self).slice(0, to);
  const at = last ? string.lastIndexOf(mark) : string.indexOf(mark, from);
  return at < from || at < 0 ? undefined : charOffset(self, at);
}

/** A part given by Python's offsets, in JavaScript's; the first lies behind the second for an empty one. */
function part(self: Text, start: Value | undefined, end: Value | undefined): readonly [number, number] {
  const length = lengthOf(self);
  const [from, to] = bounds(length, start ?? null, end ?? null, 1);
  if (start !== undefined && start !== null && isInt(start) && Number(start) > length) return [1, 0];
  return [unitOffset(self, from), unitOffset(self, to)];
}

function affix(self: Text, args: readonly Value[], name: "startswith" | "endswith"): boolean {
  const [from, to] = part(self, args[1], args[2]);
  if (from > to) return false;
  const string = plain(self).slice(from, to);
  const [wanted] = args;
  const list = wanted instanceof Tuple ? wanted.items : [wanted];
  return list.some((one) => {
    const text = plain(textArg(`${name} first arg`, one));
    return name === "startswith" ? string.startsWith(text) : string.endsWith(text);
  });
}

function limit(value: Value | undefined): number {
  return value === undefined ? -1 : indexOf(value);
}

function fillOf(value: Value | undefined): string {
  if (value === undefined) return " ";
  const fill = plain(textArg("fill character", value));
  if (lengthOf(fill) !== 1) throw typeError("The fill character must be exactly one character long");
  return fill;
}

function padded(align: string): Method {
  return (self, args, kwargs) => {
    const [width, fill] = bind("justify", ["width", "fillchar?"], args, kwargs);
    return pad(self, indexOf(width ?? null), align, fillOf(fill));
  };
}

/** Where `str.center` puts the odd space: on the left where the width is odd. */
export function centered(self: Text, width: number, fill = " "): Text {
  const missing = width - lengthOf(self);
  if (missing <= 0) return self;
  const before = Math.floor(missing / 2) + (missing & width & 1);
  return join([pad("", before, "<", fill), self, pad("", missing - before, "<", fill)]);
}

function partition(self: Text, mark: Text, at: number): Tuple {
  const length = plain(mark).length;
  return new Tuple([cut(self, 0, at), cut(self, at, at + length), cut(self, at + length)]);
}

function caseOf(change: (text: string) => string): Method {
  return (self) => mapPieces(self, change);
}

/** Python's string methods. */
export const TEXT_METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["strip", (self, args) => strip(self, args[0], "both")],
  ["lstrip", (self, args) => strip(self, args[0], "left")],
  ["rstrip", (self, args) => strip(self, args[0], "right")],
  [
    "split",
    (self, args, kwargs) => {
      const [separator, most] = bind("split", ["sep?", "maxsplit?"], args, kwargs);
      return new List(split(self, separator, limit(most)));
    },
  ],
  [
    "rsplit",
    (self, args, kwargs) => {
      const [separator, most] = bind("rsplit", ["sep?", "maxsplit?"], args, kwargs);
      return new List(splitFromRight(self, separator, limit(most)));
    },
  ],
  [
    "splitlines",
    (self, args, kwargs) => {
      const [keep] = bind("splitlines", ["keepends?"], args, kwargs);
      return new List(splitLines(self, keep === true || keep === 1n));
    },
  ],
  ["startswith", (self, args) => affix(self, args, "startswith")],
  ["endswith", (self, args) => affix(self, args, "endswith")],
  [
    "removeprefix",
    (self, args) => {
      const prefix = plain(textArg("removeprefix() argument", args[0]));
      return plain(self).startsWith(prefix) ? cut(self, prefix.length) : self;
    },
  ],
  [
    "removesuffix",
    (self, args) => {
      const suffix = plain(textArg("removesuffix() argument", args[0]));
      return suffix !== "" && plain(self).endsWith(suffix) ? cut(self, 0, plain(self).length - suffix.length) : self;
    },
  ],
  [
    "replace",
    (self, args, kwargs) => {
      const [old, by, count] = bind("replace", ["old", "new", "count?"], args, kwargs);
      return replaceText(self, textArg("replace() argument 1", old), textArg("replace() argument 2", by), limit(count));
    },
  ],
  ["upper", caseOf((text) => text.toUpperCase())],
  ["lower", caseOf((text) => text.toLowerCase())],
  ["casefold", caseOf((text) => text.toLowerCase().replaceAll("ß", "ss"))],
  ["swapcase", swapCase],
  ["title", title],
  ["capitalize", capitalized],
  ["join", (self, args) => joined(self, iterate(args[0] ?? null))],
  ["find", (self, args) => BigInt(find(self, args, false) ?? -1)],
  ["rfind", (self, args) => BigInt(find(self, args, true) ?? -1)],
  ["index", (self, args) => foundOr(find(self, args, false))],
  ["rindex", (self, args) => foundOr(find(self, args, true))],
  [
    "count",
    (self, args) => {
      const mark = plain(textArg("sub", args[0]));
      const [from, to] = part(self, args[1], args[2]);
      if (from > to) return 0n;
      const string = plain(self).slice(from, to);
      return BigInt(mark === "" ? lengthOf(string) + 1 : string.split(mark).length - 1);
    },
  ],
  [
    "partition",
    (self, args) => {
      const mark = textArg("sep", args[0]);
      if (plain(mark) === "") throw valueError("empty separator");
      const at = plain(self).indexOf(plain(mark));
      return at < 0 ? new Tuple([self, "", ""]) : partition(self, mark, at);
    },
  ],
  [
    "rpartition",
    (self, args) => {
      const mark = textArg("sep", args[0]);
      if (plain(mark) === "") throw valueError("empty separator");
      const at = plain(self).lastIndexOf(plain(mark));
      return at < 0 ? new Tuple(["", "", self]) : partition(self, mark, at);
    },
  ],
  ["ljust", padded("<")],
  ["rjust", padded(">")],
  [
    "center",
    (self, args, kwargs) => {
      const [width, fill] = bind("center", ["width", "fillchar?"], args, kwargs);
      return centered(self, indexOf(width ?? null), fillOf(fill));
    },
  ],
  [
    "zfill",
    (self, args) => {
      const width = indexOf(args[0] ?? null);
      const missing = width - lengthOf(self);
      if (missing <= 0) return self;
      const sign = /^[-+]/.test(plain(self)) ? 1 : 0;
      return join([cut(self, 0, sign), repeated("0", missing), cut(self, sign)]);
    },
  ],
  [
    "expandtabs",
    (self, args, kwargs) => {
      const [size] = bind("expandtabs", ["tabsize?"], args, kwargs);
      return expandTabs(self, size === undefined ? 8 : indexOf(size));
    },
  ],
  ["format", (self, args, kwargs, lookup) => formatText(self, args, kwargs, lookup)],
  [
    "format_map",
    (self, args, _, lookup) => {
      const [mapping] = args;
      if (!(mapping instanceof Dict)) throw typeError("format_map() takes a mapping");
      return formatText(self, [], mapping, lookup);
    },
  ],
  ["isdigit", every(/^[\p{Nd}\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468]+$/u)],
  ["isdecimal", every(/^\p{Nd}+$/u)],
  ["isnumeric", every(/^[\p{N}一二三四五六七八九十百千万億兆〇零]+$/u)],
  ["isalpha", every(/^\p{L}+$/u)],
  ["isalnum", every(/^[\p{L}\p{N}]+$/u)],
  ["isspace", every(new RegExp(`^[${PYTHON_SPACE}]+$`))],
  ["isascii", every(/^\p{ASCII}*$/u)],
  ["isidentifier", every(/^[\p{ID_Start}_]\p{ID_Continue}*$/u)],
  ["isprintable", every(/^(?: |[^\p{C}\p{Z}])*$/u)],
  ["isupper", (self) => isCase(self, "upper")],
  ["islower", (self) => isCase(self, "lower")],
  ["istitle", (self) => isTitle(self)],
]);

function foundOr(at: number | undefined): bigint {
  if (at === undefined) throw valueError("substring not found");
  return BigInt(at);
}

function expandTabs(self: Text, size: number): Text {
  let column = 0;
  return join(
    charsOf(self).map((char) => {
      const string = plain(char);
      if (string === "\t") {
        const spaces = size > 0 ? size - (column % size) : 0;
        column += spaces;
        return " ".repeat(spaces);
      }
      column = string === "\n" || string === "\r" ? 0 : column + 1;
      return char;
    }),
  );
}
