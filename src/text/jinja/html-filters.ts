import { typeError, valueError } from "./error.ts";
import { between, repr, str } from "./repr.ts";
import { asSafe, cut, isSafe, isText, join, lengthOf, mapPieces, MAX_CHARS, plain, withSpans } from "./text.ts";
import type { Text } from "./text.ts";
import { splitLines } from "./text-split.ts";
import { Dict, indexOf, iterate, iteratorOf, listOf, truthy, typeName, Undefined } from "./values.ts";
import type { Value } from "./values.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "'": "&#39;",
  '"': "&#34;",
};

/** As MarkupSafe's `escape`: HTML stays as it is. */
export function escapeHtml(text: Text): Text {
  if (isSafe(text)) return text;
  return asSafe(
    mapPieces(text, (piece) => piece.replace(/[&<>'"]/g, (char) => ENTITIES[char] ?? char)),
    true,
  );
}

const NAMED_ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
};

export function stripTags(text: Text): Text {
  const bare = plain(text)
    .replace(/<!--[^]*?-->/g, "")
    .replace(/<[^>]*>/g, "")
    .split(/\s+/)
    .filter((word) => word !== "")
    .join(" ");
  const whole = bare.replace(
    /&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi,
    (entity, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return NAMED_ENTITIES[name] ?? entity;
      const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : entity;
    },
  );
  // Which words were the reader's is no longer known: all are taken for theirs.
  return isText(text) && typeof text !== "string" && text.spans.length > 0
    ? withSpans(whole, [0, whole.length])
    : whole;
}

function quoteUrl(text: Text, isQuery: boolean): Text {
  const keep = isQuery ? /[^A-Za-z0-9_.~-]/gu : /[^A-Za-z0-9_.~/-]/gu;
  const encoder = new TextEncoder();
  return mapPieces(text, (piece) =>
    piece.replace(keep, (char) => {
      if (isQuery && char === " ") return "+";
      return Array.from(encoder.encode(char), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(
        "",
      );
    }),
  );
}

function pairOf(value: Value): readonly [Value, Value] {
  const [key, item, ...rest] = listOf(value);
  if (key === undefined || item === undefined) throw valueError("not enough values to unpack (expected 2)");
  if (rest.length > 0) throw valueError("too many values to unpack (expected 2)");
  return [key, item];
}

export function urlEncode(value: Value): Value {
  if (isText(value)) return quoteUrl(value, false);
  if (iteratorOf(value) === undefined) return quoteUrl(str(value), false);
  const entries = value instanceof Dict ? Array.from(value.entries()) : Array.from(iterate(value), pairOf);
  const pairs = entries.map(([key, item]) => join([quoteUrl(str(key), true), "=", quoteUrl(str(item), true)]));
  return join(between(pairs, "&"));
}

export function xmlAttributes(value: Value, withSpace: boolean): Value {
  if (!(value instanceof Dict)) throw typeError(`xmlattr needs a mapping, not ${typeName(value)}`);
  const parts: Text[] = [];
  for (const [key, item] of value.entries()) {
    if (item === null || item instanceof Undefined) continue;
    const name = str(key);
    if (/[\s/>=]/.test(plain(name))) throw valueError(`Invalid character in attribute name: ${plain(repr(key))}`);
    parts.push(join([escapeHtml(name), '="', escapeHtml(str(item)), '"']));
  }
  const joined = asSafe(join(between(parts, " ")), false);
  return withSpace && parts.length > 0 ? join([" ", joined]) : joined;
}

const LINK = /^(?:https?:\/\/|www\.)[^\s]+$|^(?:[\w-]+\.)+(?:com|net|int|edu|gov|org|info|mil)(?:[/?#][^\s]*)?$/i;
const MAIL = /^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/;

/** Links in a text, as Jinja2's `urlize` writes them. */
export function urlize(text: Text, args: readonly (Value | undefined)[]): Text {
  const [limit = null, isNofollow = false, target = null, rel = null] = args;
  const rels = new Set([
    "noopener",
    ...(rel === null ? [] : plain(str(rel)).split(/\s+/)),
    ...(truthy(isNofollow) ? ["nofollow"] : []),
  ]);
  const attributes = ` rel="${[...rels]
    .filter((one) => one !== "")
    .toSorted()
    .join(" ")}"${target === null ? "" : ` target="${plain(escapeHtml(str(target)))}"`}`;
  const shown = (url: Text): Text => {
    const most = limit === null ? MAX_CHARS : indexOf(limit);
    return plain(url).length > most ? join([cut(url, 0, most), "..."]) : url;
  };
  const source = asSafe(escapeHtml(text), false);
  const string = plain(source);
  const parts: Text[] = [];
  let at = 0;
  for (const word of string.matchAll(/\S+/g)) {
    const head = /^(?:\(|<|&lt;)*/.exec(word[0])?.[0] ?? "";
    const tail = /(?:[.,)>\n]|&gt;)*$/.exec(word[0])?.[0] ?? "";
    const middle = word[0].slice(head.length, word[0].length - tail.length);
    const from = word.index + head.length;
    const isLink = LINK.test(middle);
    if (!isLink && !MAIL.test(middle)) continue;
    const scheme = isLink ? (/^https?:\/\//i.test(middle) ? "" : "https://") : "mailto:";
    const link = cut(source, from, from + middle.length);
    parts.push(cut(source, at, from), `<a href="${scheme}`, link, `"${isLink ? attributes : ""}>`, shown(link), "</a>");
    at = from + middle.length;
  }
  parts.push(cut(source, at));
  return join(parts);
}

/** `wordwrap`: each line for itself, by Python's `textwrap`. */
export function wordWrap(text: Text, width: number, breakWords: boolean, mark: Text, breakHyphens: boolean): Text {
  if (width <= 0) throw valueError(`invalid width ${width} (must be > 0)`);
  const lines = splitLines(text).flatMap((line) => {
    const wrapped = wrapLine(line, width, breakWords, breakHyphens);
    return wrapped.length === 0 ? [""] : wrapped;
  });
  return join(between(lines, mark));
}

function wrapLine(line: Text, width: number, breakWords: boolean, breakHyphens: boolean): Text[] {
  const string = plain(line);
  const chunks: { from: number; to: number }[] = [];
  for (const { 0: chunk, index } of string.matchAll(/\s+|\S+/g)) {
    let at = index;
    const pieces =
      breakHyphens && !/^\s/.test(chunk)
        ? (chunk.match(/(?:[^-]|-(?![\p{L}]))*?[\p{L}\w]-(?=[\p{L}])|.+/gsu) ?? [chunk])
        : [chunk];
    for (const piece of pieces) {
      chunks.push({ from: at, to: at + piece.length });
      at += piece.length;
    }
  }
  const lines: Text[] = [];
  const isBlank = (at: number): boolean => /^\s*$/.test(string.slice(chunks[at]?.from, chunks[at]?.to));
  let next = 0;
  while (next < chunks.length) {
    if (lines.length > 0 && isBlank(next)) next++;
    const parts: Text[] = [];
    let length = 0;
    const firstChunk = next;
    while (next < chunks.length) {
      const { from, to } = chunks[next] ?? { from: 0, to: 0 };
      const size = lengthOf(string.slice(from, to));
      if (length + size <= width) {
        parts.push(cut(line, from, to));
        length += size;
        next++;
        continue;
      }
      if (size > width && (breakWords || parts.length === 0)) {
        const room = breakWords ? Math.max(1, width - length) : size;
        const end = from + Array.from(string.slice(from, to)).slice(0, room).join("").length;
        parts.push(cut(line, from, end));
        chunks[next] = { from: end, to };
        if (end === to) next++;
      }
      break;
    }
    while (parts.length > 0 && /^\s*$/.test(plain(parts.at(-1) ?? ""))) parts.pop();
    if (parts.length > 0) lines.push(join(parts));
    else if (next === firstChunk) next++;
  }
  return lines;
}
