import { pythonError, typeError, valueError } from "./error.ts";
import { fixed, floatRepr, scientific, truncate } from "./numbers.ts";
import { codeEscape, repr, str } from "./repr.ts";
import { charsOf, cut, isText, join, lengthOf, mapPieces, plain } from "./text.ts";
import type { Text } from "./text.ts";
import { Dict, floatOf, intOf, isInt, isNumber, keyError, Tuple, typeName, Undefined } from "./values.ts";
import type { Kwargs, Value } from "./values.ts";

/** Longest field that a format may pad to. */
const MAX_WIDTH = 1_000_000;

const CONVERSION = /%(?:\(([^)]*)\))?([-+ #0]*)(\*|\d+)?(\.(?:\*|\d+)?)?[hlL]?(.)?/gs;

/** Python's `text % values`. @throws TemplateError */
export function percent(template: Text, values: Value): Text {
  const source = plain(template);
  const isTuple = values instanceof Tuple;
  const given: readonly Value[] = isTuple ? values.items : [values];
  const parts: Text[] = [];
  let next = 0;
  let at = 0;
  let usesKeys = false;
  const take = (): Value => {
    // A mapping that is used by its keys has no values by position.
    const value = usesKeys ? undefined : given[next++];
    if (value === undefined) throw typeError("not enough arguments for format string");
    return value;
  };
  const number = (text: string | undefined): number | undefined => {
    if (text !== "*") return text === undefined ? undefined : bounded(Number(text));
    const value = take();
    if (!isInt(value)) throw typeError("* wants int");
    return bounded(Number(value));
  };
  for (const found of source.matchAll(CONVERSION)) {
    const [whole, key, flags = "", widthText, precisionText, type] = found;
    parts.push(cut(template, at, found.index));
    at = found.index + whole.length;
    if (type === undefined) throw valueError("incomplete format");
    let width = number(widthText);
    const precision = precisionText === "." ? 0 : number(precisionText?.slice(1));
    if (type === "%") {
      parts.push("%");
      continue;
    }
    let left = flags.includes("-");
    if (width !== undefined && width < 0) {
      left = true;
      width = -width;
    }
    let value: Value;
    if (key === undefined) value = take();
    else {
      if (!(values instanceof Dict)) throw typeError("format requires a mapping");
      usesKeys = true;
      const named = values.get(key);
      if (named === undefined) throw keyError(plain(repr(key)));
      value = named;
    }
    const text = converted(type, value, flags, precision);
    parts.push(isText(text) ? pad(text, width, left ? "<" : ">", " ") : padNumber(text, width, left, flags));
  }
  parts.push(cut(template, at));
  // A mapping, or a list, may be given without being used.
  const mayRemain =
    usesKeys || values instanceof Dict || (!isTuple && !isText(values) && !isNumber(values) && values !== null);
  if (next < given.length && !mayRemain) {
    throw typeError("not all arguments converted during string formatting");
  }
  return join(parts);
}

interface Digits {
  readonly sign: string;
  readonly digits: string;
}

function converted(type: string, value: Value, flags: string, precision: number | undefined): Text | Digits {
  switch (type) {
    case "s":
      return clipped(str(value), precision);
    case "r":
      return clipped(repr(value), precision);
    case "a":
      return clipped(ascii(repr(value)), precision);
    case "c":
      if (isInt(value)) return String.fromCodePoint(Number(value));
      if (isText(value) && lengthOf(value) === 1) return value;
      throw typeError("%c requires int or char");
    case "d":
    case "i":
    case "u": {
      if (!isNumber(value)) throw typeError(`%${type} format: a real number is required, not ${typeName(value)}`);
      const whole = isInt(value) ? intOf(value) : truncate(value);
      return withSign(whole < 0n, (whole < 0n ? -whole : whole).toString().padStart(precision ?? 0, "0"), flags);
    }
    case "x":
    case "X":
    case "o": {
      if (!isInt(value)) throw typeError(`%${type} format: an integer is required, not ${typeName(value)}`);
      const whole = intOf(value);
      const digits = (whole < 0n ? -whole : whole).toString(type === "o" ? 8 : 16).padStart(precision ?? 0, "0");
      const prefix = flags.includes("#") ? (type === "o" ? "0o" : "0x") : "";
      const text = type === "X" ? (prefix + digits).toUpperCase() : prefix + digits;
      return withSign(whole < 0n, text, flags);
    }
    case "e":
    case "E":
    case "f":
    case "F":
    case "g":
    case "G": {
      if (!isNumber(value)) throw typeError(`must be real number, not ${typeName(value)}`);
      const number = floatOf(value);
      const text = floatText(Math.abs(number), type, precision ?? 6, flags.includes("#"));
      return withSign(number < 0 || Object.is(number, -0), text, flags);
    }
    default:
      throw valueError(`unsupported format character '${type}'`);
  }
}

function clipped(text: Text, precision: number | undefined): Text {
  return precision === undefined || lengthOf(text) <= precision ? text : join(charsOf(text).slice(0, precision));
}

function ascii(text: Text): Text {
  return mapPieces(text, (piece) => piece.replace(/\P{ASCII}/gu, codeEscape));
}

function withSign(isNegative: boolean, digits: string, flags: string): Digits {
  return { sign: isNegative ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "", digits };
}

function padNumber({ sign, digits }: Digits, width: number | undefined, left: boolean, flags: string): Text {
  if (!left && flags.includes("0") && width !== undefined && /^[0-9]/.test(digits)) {
    const prefix = /^0[xXoO]/.exec(digits)?.[0] ?? "";
    return sign + prefix + digits.slice(prefix.length).padStart(width - sign.length - prefix.length, "0");
  }
  return pad(sign + digits, width, left ? "<" : ">", " ");
}

/** A float that is not negative, by one of C's conversions. */
function floatText(value: number, type: string, precision: number, alternate: boolean): string {
  const isUpper = type === type.toUpperCase();
  const cased = (text: string): string => (isUpper ? text.toUpperCase() : text);
  if (!Number.isFinite(value)) return cased(Number.isNaN(value) ? "nan" : "inf");
  switch (type.toLowerCase()) {
    case "f":
      return fixed(value, precision) + (alternate && precision === 0 ? "." : "");
    case "e":
      return cased(scientific(value, precision));
    default:
      return cased(general(value, precision, alternate));
  }
}

function general(value: number, precision: number, alternate: boolean): string {
  const digits = precision === 0 ? 1 : precision;
  const exponent = value === 0 ? 0 : Number(scientific(value, digits - 1).split("e")[1]);
  const short = (text: string): string =>
    alternate || !text.includes(".") ? text : text.replace(/0+$/, "").replace(/\.$/, "");
  if (exponent < -4 || exponent >= digits) {
    const [mantissa = "", power = ""] = scientific(value, digits - 1).split("e");
    return `${short(mantissa)}e${power}`;
  }
  return short(fixed(value, digits - 1 - exponent));
}

function bounded(width: number): number {
  if (Math.abs(width) > MAX_WIDTH) throw valueError(`a width of ${width}; the limit is ${MAX_WIDTH}`);
  return width;
}

/** Padded to a width; `=` pads after the sign. */
export function pad(text: Text, width: number | undefined, align: string, fill: string): Text {
  const missing = bounded(width ?? 0) - lengthOf(text);
  if (missing <= 0) return text;
  if (align === "<") return join([text, fill.repeat(missing)]);
  if (align === ">") return join([fill.repeat(missing), text]);
  if (align === "=") {
    const sign = /^[-+ ]/.exec(plain(text))?.[0] ?? "";
    return join([sign, fill.repeat(missing), cut(text, sign.length)]);
  }
  const before = Math.floor(missing / 2);
  return join([fill.repeat(before), text, fill.repeat(missing - before)]);
}

/** How a field of `str.format` is looked up: as an attribute and as an item, by the template's own rules. */
export interface Lookup {
  attribute(object: Value, name: string): Value;
  item(object: Value, key: Value): Value;
}

/** Python's `text.format(…)`. @throws TemplateError */
export function formatText(
  template: Text,
  args: readonly Value[],
  kwargs: Kwargs | Dict,
  lookup: Lookup,
  depth = 2,
): Text {
  if (depth < 0) throw valueError("Max string recursion exceeded");
  const source = plain(template);
  const counter = { next: 0 };
  return formatParts(template, source, args, kwargs, lookup, depth, counter);
}

function formatParts(
  template: Text,
  source: string,
  args: readonly Value[],
  kwargs: Kwargs | Dict,
  lookup: Lookup,
  depth: number,
  counter: { next: number },
): Text {
  if (depth < 0) throw valueError("Max string recursion exceeded");
  const parts: Text[] = [];
  let at = 0;
  while (at < source.length) {
    const char = source[at];
    if (char !== "{" && char !== "}") {
      let end = at;
      while (end < source.length && source[end] !== "{" && source[end] !== "}") end++;
      parts.push(cut(template, at, end));
      at = end;
      continue;
    }
    if (source[at + 1] === char) {
      parts.push(cut(template, at, at + 1));
      at += 2;
      continue;
    }
    if (char === "}") throw valueError("Single '}' encountered in format string");
    const end = closingBrace(source, at);
    parts.push(replacement(source.slice(at + 1, end), args, kwargs, lookup, depth, counter));
    at = end + 1;
  }
  return join(parts);
}

function closingBrace(source: string, open: number): number {
  let level = 0;
  for (let at = open; at < source.length; at++) {
    if (source[at] === "{") level++;
    else if (source[at] === "}" && --level === 0) return at;
  }
  throw valueError("expected '}' before end of string");
}

function replacement(
  field: string,
  args: readonly Value[],
  kwargs: Kwargs | Dict,
  lookup: Lookup,
  depth: number,
  counter: { next: number },
): Text {
  // The name ends at the first mark outside brackets.
  const mark = /^(?:[^[\]!:]|\[[^\]]*\])*/.exec(field)?.[0].length ?? 0;
  const name = field.slice(0, mark);
  const conversion = field[mark] === "!" ? field[mark + 1] : undefined;
  const rest = field.slice(conversion === undefined ? mark : mark + 2);
  const specSource = rest.startsWith(":") ? rest.slice(1) : "";
  let value = fieldValue(name, args, kwargs, lookup, counter);
  if (conversion === "s") value = str(value);
  else if (conversion === "r") value = repr(value);
  else if (conversion === "a") value = ascii(repr(value));
  else if (conversion !== undefined) throw valueError(`Unknown conversion specifier '${conversion}'`);
  const spec = formatParts(specSource, specSource, args, kwargs, lookup, depth - 1, counter);
  return formatValue(value, plain(spec));
}

function fieldValue(
  name: string,
  args: readonly Value[],
  kwargs: Kwargs | Dict,
  lookup: Lookup,
  counter: { next: number },
): Value {
  const first = /^[^.[]*/.exec(name)?.[0] ?? "";
  let value: Value | undefined;
  if (first === "" || /^\d+$/.test(first)) {
    value = args[first === "" ? counter.next++ : Number(first)];
    if (value === undefined) {
      throw pythonError("IndexError", "Replacement index out of range for positional args tuple");
    }
  } else value = kwargs.get(first);
  if (value === undefined) throw keyError(`'${first}'`);
  for (const [, attribute, key] of name.slice(first.length).matchAll(/\.([^.[]+)|\[([^\]]+)\]/g)) {
    if (attribute !== undefined) value = lookup.attribute(value, attribute);
    else if (key !== undefined) value = lookup.item(value, /^\d+$/.test(key) ? BigInt(key) : key);
  }
  return value;
}

const SPEC = /^(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d+)?([_,])?(?:\.(\d+))?([a-zA-Z%])?$/su;

/** Python's `format(value, spec)`. @throws TemplateError */
export function formatValue(value: Value, spec: string): Text {
  if (spec === "") return str(value);
  const found = SPEC.exec(spec);
  if (!found || !(isText(value) || isNumber(value))) {
    if (value instanceof Undefined) throw value.fail();
    throw isText(value) || isNumber(value)
      ? valueError(`Invalid format specifier '${spec}' for object of type '${typeName(value)}'`)
      : typeError(`unsupported format string passed to ${typeName(value)}.__format__`);
  }
  const [, fillChar, alignChar, sign = "", , alternate, zero, widthText, grouping = "", precisionText, type] = found;
  const width = widthText === undefined ? undefined : bounded(Number(widthText));
  const precision = precisionText === undefined ? undefined : bounded(Number(precisionText));
  const fill = fillChar ?? (zero === undefined ? " " : "0");
  if (isText(value)) {
    if (type !== undefined && type !== "s") {
      throw valueError(`Unknown format code '${type}' for object of type 'str'`);
    }
    if (sign !== "" || alternate !== undefined || grouping !== "" || alignChar === "=") {
      throw valueError("format specifier not allowed for a string");
    }
    return pad(clipped(value, precision), width, alignChar ?? "<", fill);
  }
  const { isNegative, digits } = numberText(value, type, precision, alternate !== undefined);
  const shown = isNegative ? "-" : sign === "-" ? "" : sign;
  const align = alignChar ?? (zero === undefined ? ">" : "=");
  if (grouping === "") return pad(shown + digits, width, align, fill);
  const whole = /^[0-9]+/.exec(digits)?.[0] ?? "";
  const size = type !== undefined && "bxXo".includes(type) ? 4 : 3;
  const room = fill === "0" && align === "=" ? (width ?? 0) - shown.length - (digits.length - whole.length) : 0;
  let padded = grouped(whole, grouping, size);
  // Zeros that pad are grouped as well.
  for (let length = whole.length; padded.length < room; length++) {
    padded = grouped(whole.padStart(length, "0"), grouping, size);
    if (padded.startsWith(grouping)) padded = `0${padded}`;
  }
  return pad(shown + padded + digits.slice(whole.length), width, align, fill);
}

function grouped(digits: string, separator: string, size: number): string {
  const groups: string[] = [];
  for (let end = digits.length; end > 0; end -= size) groups.unshift(digits.slice(Math.max(0, end - size), end));
  return groups.join(separator);
}

function numberText(
  value: bigint | boolean | number,
  type: string | undefined,
  precision: number | undefined,
  alternate: boolean,
): { readonly isNegative: boolean; readonly digits: string } {
  if (isInt(value) && (type === undefined || "bcdoxXn".includes(type))) {
    if (precision !== undefined) throw valueError("Precision not allowed in integer format specifier");
    const whole = intOf(value);
    if (type === "c") return { isNegative: false, digits: String.fromCodePoint(Number(whole)) };
    const radix = { b: 2, o: 8, x: 16, X: 16 }[type ?? "d"] ?? 10;
    const text = (whole < 0n ? -whole : whole).toString(radix);
    const prefix = alternate && radix !== 10 ? `0${type ?? ""}` : "";
    return { isNegative: whole < 0n, digits: type === "X" ? prefix + text.toUpperCase() : prefix + text };
  }
  const number = floatOf(value);
  const isNegative = number < 0 || Object.is(number, -0);
  const size = Math.abs(number);
  if (type === undefined) {
    if (precision === undefined) return { isNegative, digits: floatRepr(size) };
    const text = Number.isFinite(size) ? general(size, precision, alternate) : floatRepr(size);
    // Without a type a float always shows that it is one.
    return { isNegative, digits: /^\d+$/.test(text) ? `${text}.0` : text };
  }
  if (type === "%") return { isNegative, digits: `${floatText(size * 100, "f", precision ?? 6, alternate)}%` };
  if (!"eEfFgGn".includes(type)) throw valueError(`Unknown format code '${type}' for object of type 'float'`);
  return { isNegative, digits: floatText(size, type === "n" ? "g" : type, precision ?? 6, alternate) };
}
