import { MAX_DIGITS } from "./limits.ts";
import { decimal, multiply, rational } from "./rational.ts";
import type { Rational } from "./rational.ts";

export interface NumberToken {
  readonly kind: "number";
  readonly text: string;
  readonly value: Rational;
  readonly decimal: boolean;
  /** Digits after the point. */
  readonly decimals: number;
}

export interface NumberOptions {
  /** Reads `1,234` as one number. */
  readonly grouping: boolean;
  /** Reads `3,14` as one number. */
  readonly decimalComma: boolean;
  /** Reads `1e-3` with a signed exponent, which in LaTeX is e minus 3. */
  readonly plain: boolean;
}

interface Scanned {
  readonly end: number;
  /** Undefined for a number with too many digits. */
  readonly token: NumberToken | undefined;
}

const REPEATING = /(\d{0,400}\.\d{0,400})\\(?:overline|bar|dot)\s?(?:\{(\d{1,400})\}|(\d))/y;
/** 0.\dot{1}4285\dot{7}: dots over the first and the last digit that repeat. */
const DOTTED = /(\d{0,400}\.\d{0,400})\\dot\s?\{?(\d)\}?(\d{0,60})\\dot\s?\{?(\d)\}?/y;
const IN_BRACKETS = /(\d{1,400}\.\d{0,400})\((\d{1,100})\)(?=\s{0,9}(?:$|[,;%.)\]}$]))/y;
/** 0.1666…: a block that stands at least twice, or a digit three times. */
const GOES_ON = /(\d{1,20}\.\d{2,40})\s?(?:\.\.\.|\\(?:[lc]?dots|dotsc))/y;
const BLOCK = /^(\d*?)(?:(\d)\2{2,}|(\d{2,12}?)\3+)$/;
const COMMA_GROUPS = /\d{1,3}(?:,\d{3}){1,40}(?![\d,])(?:\.\d+)?/y;
const SPACE_GROUPS = /\d{1,3}(?:[ ]\d{3}){1,40}(?!\d)(?:[.]\d+)?/y;
/** Spaces group, so that the comma is a decimal one: 1 234,56. */
const SPACE_GROUPS_COMMA = /\d{1,3}(?: \d{3}){1,40},\d{1,20}(?![\d,]| \d)/y;
const INDIAN_GROUPS = /\d{1,2}(?:,\d{2}){1,20},\d{3}(?![\d,])(?:\.\d+)?/y;
const MARK_GROUPS = /\d{1,3}(?:(?:'\d{3}){1,40}|(?:_\d{3}){1,40})(?!\d)(?:\.\d+)?/y;
const POINT_GROUPS = /\d{1,3}(?:(?:\.\d{3}){2,40}(?:,\d+)?|(?:\.\d{3}){1,40},\d{1,2})(?![\d,.]*\d)/y;
const COMMA = /\d+,\d+(?![\d,])/y;
const SCIENTIFIC = /(\d+(?:\.\d+)?)[eE]([+-]?\d{1,3})(?![\d.])/y;
const NUMBER = /\d+(?:\.\d+)?|\.\d+|\d+\.(?=\s|$)/y;
const HEXADECIMAL = /([0-9A-F]{1,60})_\{?(1[1-6])\}?(?!\d)/y;
const PREFIXED = /0([xb])([0-9a-fA-F]{1,60})(?![0-9a-zA-Z])/y;
const ORDINAL =
  /(?:st|nd|rd|th)(?![a-zA-Z])|\^?\{?\\(?:text|mathrm|textsuperscript)\{(?:st|nd|rd|th)\}\}?|\^\{?(?:st|nd|rd|th)(?![a-zA-Z])\}?/y;

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

function token(digits: string, repeating = "", exponent = 0): NumberToken | undefined {
  if (digits.length + repeating.length > MAX_DIGITS) return undefined;
  const zeros = "0".repeat(Math.abs(exponent));
  const head = decimal(digits, repeating);
  const factor = decimal(exponent >= 0 ? `1${zeros}` : `0.${zeros.slice(1)}1`);
  const value = head && factor && multiply(head, factor);
  if (!value) return undefined;
  const places = digits.includes(".") ? digits.length - digits.indexOf(".") - 1 : 0;
  return {
    kind: "number",
    text: digits,
    value,
    decimal: repeating === "" && places > 0,
    decimals: Math.max(0, places - exponent),
  };
}

function inBase(digits: string, base: number): NumberToken | undefined {
  const values = Array.from(digits, (digit) => Number.parseInt(digit, 36));
  if (values.some((value) => value >= base)) return undefined;
  const total = values.reduce((sum, value) => sum * BigInt(base) + BigInt(value), 0n);
  const value = rational(total);
  return value && { kind: "number", text: digits, value, decimal: false, decimals: 0 };
}

function scanRepeating(text: string, at: number): Scanned | undefined {
  const dotted = match(DOTTED, text, at);
  if (dotted) {
    const [all, head = "", first = "", middle = "", last = ""] = dotted;
    return { end: at + all.length, token: token(head, first + middle + last) };
  }
  const found = match(REPEATING, text, at) ?? match(IN_BRACKETS, text, at);
  if (found) return { end: at + found[0].length, token: token(found[1] ?? "", found[2] ?? found[3]) };
  const goesOn = match(GOES_ON, text, at);
  if (!goesOn) return undefined;
  const [integer = "", fraction = ""] = (goesOn[1] ?? "").split(".");
  const [, start = "", digit, block] = BLOCK.exec(fraction) ?? [];
  const again = digit ?? block;
  return {
    end: at + goesOn[0].length,
    token: again === undefined ? token(goesOn[1] ?? "") : token(`${integer}.${start}`, again),
  };
}

function grouped(text: string, at: number, { grouping, decimalComma }: NumberOptions): Scanned | undefined {
  const spaces = grouping ? match(SPACE_GROUPS_COMMA, text, at) : undefined;
  if (spaces) return { end: at + spaces[0].length, token: token(spaces[0].replaceAll(" ", "").replace(",", ".")) };
  const indian = match(INDIAN_GROUPS, text, at) ?? match(MARK_GROUPS, text, at);
  const plain = indian ?? (grouping ? (match(COMMA_GROUPS, text, at) ?? match(SPACE_GROUPS, text, at)) : undefined);
  if (plain) return { end: at + plain[0].length, token: token(plain[0].replaceAll(/[ ,'_]/g, "")) };
  const points = match(POINT_GROUPS, text, at);
  if (points) return { end: at + points[0].length, token: token(points[0].replaceAll(".", "").replace(",", ".")) };
  const comma = decimalComma ? match(COMMA, text, at) : undefined;
  return comma && { end: at + comma[0].length, token: token(comma[0].replace(",", ".")) };
}

function scientific(text: string, at: number, plain: boolean): Scanned | undefined {
  const found = match(SCIENTIFIC, text, at);
  const [all = "", digits = "", exponent = ""] = found ?? [];
  if (!found || (!plain && !/^\d/.test(exponent))) return undefined;
  return { end: at + all.length, token: token(digits, "", Number(exponent)) };
}

/** A number that begins at a place of a text; undefined where there is none. */
export function scanNumber(text: string, at: number, options: NumberOptions): Scanned | undefined {
  const hexadecimal = match(HEXADECIMAL, text, at);
  if (hexadecimal)
    return { end: at + hexadecimal[0].length, token: inBase(hexadecimal[1] ?? "", Number(hexadecimal[2])) };
  if (!/[\d.]/.test(text[at] ?? "")) return undefined;
  const prefixed = match(PREFIXED, text, at);
  if (prefixed) return { end: at + prefixed[0].length, token: inBase(prefixed[2] ?? "", prefixed[1] === "x" ? 16 : 2) };
  const special = scanRepeating(text, at) ?? grouped(text, at, options) ?? scientific(text, at, options.plain);
  if (special) return special;
  const number = match(NUMBER, text, at);
  if (!number) return undefined;
  const end = at + number[0].length;
  const ordinal = /^\d+$/.test(number[0]) ? match(ORDINAL, text, end) : undefined;
  return { end: end + (ordinal?.[0].length ?? 0), token: token(number[0].replace(/\.$/, "")) };
}
