import { TemplateError, typeError } from "./error.ts";
import { fixed, parseFloatText, parseInteger, truncate } from "./numbers.ts";
import { between, str } from "./repr.ts";
import { sliced } from "./slice.ts";
import { charsOf, isSafe, isText, join, lengthOf, mapPieces, plain } from "./text.ts";
import { repeated } from "./text-methods.ts";
import { splitLines, textArg } from "./text-split.ts";
import { lengthError } from "./tests.ts";
import { indexOf, intOf, isInt, isNumber, PyObject, sizeOf, truthy, typeName, Undefined } from "./values.ts";
import type { Value } from "./values.ts";

/** Python's `+`, which the interpreter has. */
interface Adder {
  add(a: Value, b: Value): Value;
}

export function toInt(value: Value, otherwise: Value, base: number): Value {
  if (isText(value)) {
    const whole = parseInteger(plain(value), base);
    if (whole !== undefined) return whole;
    const float = parseFloatText(plain(value));
    return float === undefined || !Number.isFinite(float) ? otherwise : truncate(float);
  }
  if (value instanceof Undefined) throw value.fail();
  if (isInt(value)) return intOf(value);
  return typeof value === "number" && Number.isFinite(value) ? truncate(value) : otherwise;
}

export function toFloat(value: Value, otherwise: Value): Value {
  if (value instanceof Undefined) throw value.fail();
  if (isText(value)) return parseFloatText(plain(value)) ?? otherwise;
  return isNumber(value) ? Number(value) : otherwise;
}

export function indent(value: Value, width: Value, isFirst: boolean, isBlank: boolean, host: Adder): Value {
  const space = isText(width) ? width : repeated(" ", indexOf(width));
  const text = host.add(value, "\n");
  if (!isText(text)) throw typeError("indent needs a string");
  const lines = splitLines(text);
  const [head = "", ...rest] = lines;
  const shifted = rest.map((line) => (isBlank || plain(line) !== "" ? join([space, line]) : line));
  const body = join(between([head, ...shifted], "\n"), isSafe(text));
  return isFirst ? join([space, body], isSafe(text)) : body;
}

export function shortened(value: Value, args: readonly (Value | undefined)[]): Value {
  const [most = 255n, killWords = false, end = "...", leeway = 5n] = args;
  const mark = textArg("end", end);
  const size = indexOf(most);
  if (size < lengthOf(mark)) throw new TemplateError(`expected length >= ${lengthOf(mark)}, got ${size}`);
  const length = isText(value) ? lengthOf(value) : value instanceof PyObject ? sizeOf(value) : undefined;
  if (length === undefined) throw lengthError(value);
  if (length <= size + (leeway === null ? 5 : indexOf(leeway))) return value;
  const text = textArg("truncate()", value);
  const cut = join(charsOf(text).slice(0, size - lengthOf(mark)));
  if (truthy(killWords)) return join([cut, mark]);
  const space = plain(cut).lastIndexOf(" ");
  return join(
    [space < 0 ? cut : sliced(cut, 0n, BigInt(lengthOf(plain(cut).slice(0, space))), null), mark].filter(isText),
  );
}

export function fileSize(value: Value, isBinary: boolean): Value {
  const float = toFloat(value, null);
  if (float === null) throw typeError(`filesizeformat needs a number, not ${typeName(value)}`);
  const bytes = isNumber(float) ? Number(float) : Number.NaN;
  const base = isBinary ? 1024 : 1000;
  if (bytes === 1) return "1 Byte";
  if (bytes < base) return `${truncate(bytes)} Bytes`;
  const units = isBinary
    ? ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
    : ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
  let unit = base ** 2;
  for (const [i, name] of units.entries()) {
    if (bytes < unit || i === units.length - 1) return `${fixed((base * bytes) / unit, 1)} ${name}`;
    unit *= base;
  }
  return "";
}

/** Words begin after white space and brackets, as Jinja2's `title` has it (Python's differs). */
export function titled(value: Value): Value {
  const text = str(value);
  let atStart = true;
  return join(
    charsOf(text).map((char) => {
      const isBreak = /[-\s({[<]/.test(plain(char));
      const changed =
        atStart && !isBreak ? mapPieces(char, (one) => one.toUpperCase()) : mapPieces(char, (one) => one.toLowerCase());
      atStart = isBreak;
      return changed;
    }),
  );
}
