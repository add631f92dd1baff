import { typeError, valueError } from "./error.ts";
import { cut, isText, plain, PYTHON_SPACE } from "./text.ts";
import type { Text } from "./text.ts";
import { typeName, Undefined } from "./values.ts";
import type { Value } from "./values.ts";

/** A string among a function's arguments. @throws TemplateError for anything else */
export function textArg(name: string, value: Value | undefined): Text {
  if (value !== undefined && isText(value)) return value;
  if (value instanceof Undefined) throw value.fail();
  throw typeError(`${name} must be str, not ${value === undefined ? "missing" : typeName(value)}`);
}

const LEADING = new RegExp(`^[${PYTHON_SPACE}]+`);
const SPACE_RUN = new RegExp(`[${PYTHON_SPACE}]+`, "g");

export type Side = "both" | "left" | "right";

/** `strip`, `lstrip`, `rstrip`: of white space, or of any of the characters given. */
export function strip(text: Text, chars: Value | undefined, side: Side): Text {
  const string = plain(text);
  let from = 0;
  let to = string.length;
  if (chars === undefined || chars === null) {
    if (side !== "right") from = LEADING.exec(string)?.[0].length ?? 0;
    if (side !== "left") while (to > from && isSpace(string.charAt(to - 1))) to--;
    return cut(text, from, to);
  }
  const drop = new Set(plain(textArg("strip arg", chars)));
  const all = Array.from(string);
  let first = 0;
  let last = all.length;
  if (side !== "right") for (; first < last && drop.has(all[first] ?? ""); first++) from += all[first]?.length ?? 0;
  if (side !== "left") for (; last > first && drop.has(all[last - 1] ?? ""); last--) to -= all[last - 1]?.length ?? 0;
  return cut(text, from, to);
}

function isSpace(char: string): boolean {
  return LEADING.test(char);
}

export function split(text: Text, separator: Value | undefined, maxSplit: number): Text[] {
  const string = plain(text);
  const most = maxSplit < 0 ? Number.POSITIVE_INFINITY : maxSplit;
  const found: Text[] = [];
  let at = 0;
  if (separator === undefined || separator === null) {
    at = LEADING.exec(string)?.[0].length ?? 0;
    SPACE_RUN.lastIndex = at;
    while (at < string.length) {
      const run = found.length < most ? SPACE_RUN.exec(string) : null;
      if (!run) {
        found.push(cut(text, at));
        break;
      }
      found.push(cut(text, at, run.index));
      at = run.index + run[0].length;
    }
    SPACE_RUN.lastIndex = 0;
    return found;
  }
  const mark = plain(textArg("sep", separator));
  if (mark === "") throw valueError("empty separator");
  for (let next = string.indexOf(mark); next >= 0 && found.length < most; next = string.indexOf(mark, at)) {
    found.push(cut(text, at, next));
    at = next + mark.length;
  }
  found.push(cut(text, at));
  return found;
}

export function splitFromRight(text: Text, separator: Value | undefined, maxSplit: number): Text[] {
  if (maxSplit < 0) return split(text, separator, maxSplit);
  const found: Text[] = [];
  const string = plain(text);
  let end = string.length;
  if (separator === undefined || separator === null) {
    const isAt = (i: number): boolean => isSpace(string.charAt(i));
    while (end > 0 && isAt(end - 1)) end--;
    while (end > 0 && found.length < maxSplit) {
      let start = end;
      while (start > 0 && !isAt(start - 1)) start--;
      if (start === 0) break;
      found.unshift(cut(text, start, end));
      end = start;
      while (end > 0 && isAt(end - 1)) end--;
    }
    const rest = cut(text, 0, end);
    return plain(strip(rest, undefined, "left")) === "" ? found : [rest, ...found];
  }
  const mark = plain(textArg("sep", separator));
  if (mark === "") throw valueError("empty separator");
  while (found.length < maxSplit) {
    const at = end < mark.length ? -1 : string.lastIndexOf(mark, end - mark.length);
    if (at < 0) break;
    found.unshift(cut(text, at + mark.length, end));
    end = at;
  }
  return [cut(text, 0, end), ...found];
}

/** File, group and record separators end a line as well. */
const SEPARATORS = "\x1c-\x1e";
const LINE_END = new RegExp(`\r\n|[\n\r\v\f${SEPARATORS}\x85\u2028\u2029]`, "g");

export function splitLines(text: Text, keepEnds = false): Text[] {
  const string = plain(text);
  const found: Text[] = [];
  let at = 0;
  for (const end of string.matchAll(LINE_END)) {
    const after = end.index + end[0].length;
    found.push(cut(text, at, keepEnds ? after : end.index));
    at = after;
  }
  if (at < string.length) found.push(cut(text, at));
  return found;
}
