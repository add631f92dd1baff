import { typeError, valueError } from "./error.ts";
import { floatRepr } from "./numbers.ts";
import { asSafe, charsOf, isSafe, isText, join, lengthOf, mapPieces, plain } from "./text.ts";
import type { Text } from "./text.ts";
import {
  Callable,
  compare,
  Dict,
  DictView,
  isNumber,
  List,
  Namespace,
  Range,
  Tuple,
  typeName,
  Undefined,
} from "./values.ts";
import type { PyObject, Value } from "./values.ts";

const MAX_DEPTH = 200;

/** Python's `str(value)`: what printing gives. */
export function str(value: Value): Text {
  if (isText(value)) return value;
  if (value instanceof Undefined) return "";
  return repr(value);
}

/** Python's `repr(value)`: what stands for a value within lists and dictionaries. */
export function repr(value: Value, depth = 0): Text {
  if (depth > MAX_DEPTH) throw valueError("a value is nested too deeply to be printed");
  if (value === null) return "None";
  if (isText(value)) return quoted(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return floatRepr(value);
  return reprObject(value, depth);
}

function reprObject(value: PyObject, depth: number): Text {
  const inner = (items: readonly Value[]): Text[] =>
    between(
      items.map((item) => repr(item, depth + 1)),
      ", ",
    );
  if (value instanceof List) return join(["[", ...inner(value.items), "]"]);
  if (value instanceof Tuple) return join(["(", ...inner(value.items), value.items.length === 1 ? ",)" : ")"]);
  if (value instanceof Dict) return reprDict(value, depth);
  if (value instanceof DictView) {
    return join([`${value.typeName}([`, ...inner(value.list()), "])"]);
  }
  if (value instanceof Range) {
    return `range(${value.start}, ${value.stop}${value.step === 1n ? "" : `, ${value.step}`})`;
  }
  if (value instanceof Namespace) return join(["<Namespace ", reprDict(value.dict, depth), ">"]);
  if (value instanceof Undefined) return "Undefined";
  if (value instanceof Callable) return `<${value.typeName} ${value.name}>`;
  return `<${value.typeName} object>`;
}

function reprDict(dict: Dict, depth: number): Text {
  const entries = Array.from(dict.entries(), ([key, value]) =>
    join([repr(key, depth + 1), ": ", repr(value, depth + 1)]),
  );
  return join(["{", ...between(entries, ", "), "}"]);
}

export function between(parts: readonly Text[], separator: Text): Text[] {
  return parts.flatMap((part, i) => (i === 0 ? [part] : [separator, part]));
}

const NAMED: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A character by its number, as Python escapes it: `\xff`, `\u3042`, `\U0001f600`. */
export function codeEscape(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

function quoted(text: Text): Text {
  const string = plain(text);
  const quote = string.includes("'") && !string.includes('"') ? '"' : "'";
  const escaped = mapPieces(text, (piece) =>
    piece.replace(/[\\'"\p{C}\p{Z}]/gu, (char) => {
      if (char === " ") return char;
      if (char === "'" || char === '"') return char === quote ? `\\${char}` : char;
      return NAMED[char] ?? codeEscape(char);
    }),
  );
  const whole = join([quote, escaped, quote]);
  return isSafe(text) ? join(["Markup(", asSafe(whole, false), ")"]) : whole;
}

export interface JsonOptions {
  readonly ensureAscii: boolean;
  /** Text put in front of a line once for each level; undefined writes everything on one line. */
  readonly indent: string | undefined;
  readonly itemSeparator: Text;
  readonly keySeparator: Text;
  readonly sortKeys: boolean;
}

/** Python's `json.dumps`. @throws TemplateError for what JSON has no form for */
export function toJson(value: Value, options: JsonOptions, depth = 0): Text {
  if (depth > MAX_DEPTH) throw valueError("a value is nested too deeply for JSON");
  if (value === null) return "null";
  if (isText(value)) return jsonString(value, options);
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return jsonFloat(value);
  if (value instanceof List || value instanceof Tuple) {
    return brackets(
      "[",
      "]",
      value.items.map((item) => toJson(item, options, depth + 1)),
      options,
      depth,
    );
  }
  if (value instanceof Dict) {
    let entries = Array.from(value.entries());
    if (options.sortKeys) entries = entries.toSorted(([a], [b]) => compare(a, b));
    const parts = entries.map(([key, item]) =>
      join([jsonKey(key, options), options.keySeparator, toJson(item, options, depth + 1)]),
    );
    return brackets("{", "}", parts, options, depth);
  }
  throw typeError(`Object of type ${typeName(value)} is not JSON serializable`);
}

function brackets(open: string, close: string, parts: readonly Text[], options: JsonOptions, depth: number): Text {
  if (parts.length === 0) return open + close;
  const { indent, itemSeparator } = options;
  if (indent === undefined) return join([open, ...between(parts, itemSeparator), close]);
  const line = `\n${indent.repeat(depth + 1)}`;
  return join([open, line, ...between(parts, join([itemSeparator, line])), `\n${indent.repeat(depth)}`, close]);
}

function jsonKey(key: Value, options: JsonOptions): Text {
  if (isText(key)) return jsonString(key, options);
  if (key === null) return '"null"';
  if (isNumber(key)) return `"${plain(toJson(key, options))}"`;
  throw typeError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  return floatRepr(value);
}

const JSON_NAMED: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\f": "\\f",
  "\b": "\\b",
};

function jsonString(text: Text, { ensureAscii }: JsonOptions): Text {
  const unit = (char: string): string => JSON_NAMED[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const pattern = ensureAscii ? /["\\]|[^\x20-\x7e]/g : /["\\]|[^\P{Cc}\x7f-\x9f]/gu;
  const escaped = mapPieces(text, (piece) => piece.replace(pattern, unit));
  return join(['"', escaped, '"']);
}

/** Python's `pprint.pformat`: on one line where that fits into 80 columns, with the keys in order. */
export function prettyPrint(value: Value, indent = 0, allowance = 0): Text {
  const flat = repr(sortedKeys(value));
  if (lengthOf(flat) <= 80 - indent - allowance) return flat;
  const line = `,\n${" ".repeat(indent + 1)}`;
  if (value instanceof List || (value instanceof Tuple && value.items.length > 1)) {
    const { items } = value;
    const parts = items.map((item, i) => prettyPrint(item, indent + 1, i === items.length - 1 ? allowance + 1 : 1));
    const [open, close] = value instanceof List ? ["[", "]"] : ["(", ")"];
    return join([open, ...between(parts, line), close]);
  }
  if (value instanceof Dict) {
    const entries = Array.from(value.entries()).toSorted(([a], [b]) => compare(a, b));
    const parts = entries.map(([key, item], i) => {
      const name = repr(key);
      const last = i === entries.length - 1;
      return join([name, ": ", prettyPrint(item, indent + lengthOf(name) + 3, last ? allowance + 1 : 1)]);
    });
    return join(["{", ...between(parts, line), "}"]);
  }
  return flat;
}

function sortedKeys(value: Value): Value {
  if (value instanceof List) return new List(value.items.map(sortedKeys));
  if (value instanceof Tuple) return new Tuple(value.items.map(sortedKeys));
  if (!(value instanceof Dict)) return value;
  const entries = Array.from(value.entries()).toSorted(([a], [b]) => compare(a, b));
  return new Dict(entries.map(([key, item]) => [key, sortedKeys(item)]));
}

/** Characters of a text, each as a value. */
export function charValues(text: Text): Value[] {
  return charsOf(text);
}
