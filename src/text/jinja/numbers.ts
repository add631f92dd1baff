import { pythonError, typeError, valueError } from "./error.ts";
import { floatOf, intOf, isInt, isNumber, typeName } from "./values.ts";
import type { Value } from "./values.ts";

/** Bits of the largest whole number that a template may compute; longer ones only serve to stop the machine. */
const MAX_BITS = 1_000_000n;

/** A float as Python prints it: the shortest digits that give it back, and an exponent from 1e16 on and below 1e-4. */
export function floatRepr(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  if (value === 0) return "0.0";
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  const exponent10 = Number(exponent);
  if (exponent10 >= 16 || exponent10 < -4) return `${mantissa}e${signed(exponent10)}`;
  const sign = value < 0 ? "-" : "";
  const digits = mantissa.replace(/[-.]/g, "");
  if (exponent10 < 0) return `${sign}0.${"0".repeat(-exponent10 - 1)}${digits}`;
  const whole = digits.slice(0, exponent10 + 1).padEnd(exponent10 + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent10 + 1) || "0"}`;
}

function signed(exponent10: number): string {
  return `${exponent10 < 0 ? "-" : "+"}${String(Math.abs(exponent10)).padStart(2, "0")}`;
}

/**
 * A float with so many digits after the point, rounded half to even by its exact value, as C and Python print it
 * (JavaScript's `toFixed` rounds halves up).
 */
export function fixed(value: number, digits: number): string {
  const { top, bottom } = fraction(Math.abs(value));
  const scaled = roundHalfEven(top * 10n ** BigInt(digits), bottom);
  const text = scaled.toString().padStart(digits + 1, "0");
  const cut = text.length - digits;
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  return `${sign}${text.slice(0, cut)}${digits > 0 ? `.${text.slice(cut)}` : ""}`;
}

/** With one digit before the point and an exponent, rounded as {@link fixed}. */
export function scientific(value: number, digits: number): string {
  if (value === 0) return `${Object.is(value, -0) ? "-" : ""}${fixed(0, digits)}e+00`;
  const { top, bottom } = fraction(Math.abs(value));
  let exponent10 = Math.floor(Math.log10(Math.abs(value)));
  const at = (exponent: number): bigint => {
    const shift = digits - exponent;
    return shift >= 0
      ? roundHalfEven(top * 10n ** BigInt(shift), bottom)
      : roundHalfEven(top, bottom * 10n ** BigInt(-shift));
  };
  let scaled = at(exponent10);
  // The logarithm may be off by one, and rounding may carry into another digit.
  while (scaled.toString().length > digits + 1) scaled = at(++exponent10);
  while (scaled.toString().length < digits + 1) scaled = at(--exponent10);
  const text = scaled.toString();
  return `${value < 0 ? "-" : ""}${text.slice(0, 1)}${digits > 0 ? `.${text.slice(1)}` : ""}e${signed(exponent10)}`;
}

/** A float's exact value. */
function fraction(value: number): { readonly top: bigint; readonly bottom: bigint } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const mantissa = bits & 0xfffffffffffffn;
  const top = exponent === 0n ? mantissa : mantissa | 0x10000000000000n;
  const shift = (exponent === 0n ? 1n : exponent) - 1075n;
  return shift >= 0n ? { top: top << shift, bottom: 1n } : { top, bottom: 1n << -shift };
}

function roundHalfEven(top: bigint, bottom: bigint): bigint {
  const whole = top / bottom;
  const twice = (top % bottom) * 2n;
  return twice > bottom || (twice === bottom && whole % 2n === 1n) ? whole + 1n : whole;
}

/** Python's `round` with a number of digits, which gives a float for a float and a whole number for one. */
export function round(value: Value, digits: number): Value {
  if (isInt(value)) {
    if (digits >= 0) return intOf(value);
    const unit = 10n ** BigInt(-digits);
    const whole = intOf(value);
    const rounded = roundHalfEven(whole < 0n ? -whole : whole, unit) * unit;
    return whole < 0n ? -rounded : rounded;
  }
  if (typeof value !== "number") throw typeError(`type ${typeName(value)} doesn't define __round__ method`);
  if (!Number.isFinite(value) || digits > 300) return value;
  if (digits >= 0) return Number(fixed(value, digits));
  const { top, bottom } = fraction(Math.abs(value));
  const unit = 10n ** BigInt(Math.min(-digits, 400));
  const rounded = Number(roundHalfEven(top, bottom * unit) * unit);
  return value < 0 ? -rounded : rounded;
}

/** A float cut to a whole number. @throws TemplateError for what is not finite */
export function truncate(value: number): bigint {
  if (Number.isNaN(value)) throw valueError("cannot convert float NaN to integer");
  if (!Number.isFinite(value)) throw pythonError("OverflowError", "cannot convert float infinity to integer");
  return BigInt(Math.trunc(value));
}

const INT_TEXT = /^[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|[0-9A-Za-z](?:_?[0-9A-Za-z])*)$/;

/** Python's `int(text, base)`; undefined for what is no whole number. */
export function parseInteger(text: string, base = 10): bigint | undefined {
  const trimmed = normalDigits(text.trim());
  if (!INT_TEXT.test(trimmed)) return undefined;
  const negative = trimmed.startsWith("-");
  let digits = trimmed.replace(/^[+-]/, "").replaceAll("_", "").toLowerCase();
  const prefixes: Readonly<Record<string, number>> = { "0x": 16, "0o": 8, "0b": 2 };
  const prefix = prefixes[digits.slice(0, 2)];
  let radix = base;
  if (prefix !== undefined && (base === 0 || base === prefix)) {
    radix = prefix;
    digits = digits.slice(2);
  } else if (base === 0) {
    if (/^0+[1-9]/.test(digits)) return undefined;
    radix = 10;
  }
  let value = 0n;
  for (const digit of digits) {
    const number = Number.parseInt(digit, 36);
    if (Number.isNaN(number) || number >= radix) return undefined;
    value = value * BigInt(radix) + BigInt(number);
  }
  return negative ? -value : value;
}

/** Python's `float(text)`; undefined for what is no number. */
export function parseFloatText(text: string): number | undefined {
  const trimmed = normalDigits(text.trim()).toLowerCase();
  const named = /^([+-]?)(inf|infinity|nan)$/.exec(trimmed);
  if (named) {
    if (named[2] === "nan") return Number.NaN;
    return named[1] === "-" ? -Infinity : Infinity;
  }
  if (!/^[+-]?(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:e[+-]?\d(?:_?\d)*)?$/.test(trimmed)) return undefined;
  return Number(trimmed.replaceAll("_", ""));
}

/** Decimal digits of any script as ASCII ones, which Python reads as well. */
function normalDigits(text: string): string {
  return text.replace(/\p{Nd}/gu, (digit) => {
    const code = digit.codePointAt(0) ?? 0;
    if (code < 128) return digit;
    // Digits of a script stand in a row of ten that begins at a multiple of 16, or of 16 and 6.
    for (let start = code; start > code - 10; start--) {
      if (!/\p{Nd}/u.test(String.fromCodePoint(start - 1))) return String(code - start);
    }
    return String((code & 0xf) % 10);
  });
}

type Number_ = bigint | boolean | number;

export function arithmetic(op: string, a: Number_, b: Number_): Value {
  if (isInt(a) && isInt(b)) return wholeNumbers(op, intOf(a), intOf(b));
  const [x, y] = [floatOf(a), floatOf(b)];
  switch (op) {
    case "+":
      return x + y;
    case "-":
      return x - y;
    case "*":
      return x * y;
    case "/":
      if (y === 0) throw pythonError("ZeroDivisionError", "float division by zero");
      return x / y;
    case "//":
      if (y === 0) throw pythonError("ZeroDivisionError", "float floor division by zero");
      return Math.floor((x - modulo(x, y)) / y + 0.5);
    case "%":
      if (y === 0) throw pythonError("ZeroDivisionError", "float modulo");
      return modulo(x, y);
    default:
      return power(x, y);
  }
}

function modulo(x: number, y: number): number {
  const rest = x % y;
  if (rest === 0) return y < 0 ? -0 : 0;
  return rest < 0 === y < 0 ? rest : rest + y;
}

function power(x: number, y: number): number {
  if (x === 0 && y < 0) throw pythonError("ZeroDivisionError", "0.0 cannot be raised to a negative power");
  if (x < 0 && Number.isFinite(x) && !Number.isInteger(y) && Number.isFinite(y)) {
    throw valueError("complex numbers are not supported");
  }
  const value = x ** y;
  if (!Number.isFinite(value) && Number.isFinite(x) && Number.isFinite(y)) {
    throw pythonError("OverflowError", "(34, 'Numerical result out of range')");
  }
  return value;
}

function wholeNumbers(op: string, a: bigint, b: bigint): Value {
  switch (op) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      if (bitsOf(a) + bitsOf(b) > MAX_BITS) throw pythonError("OverflowError", "the product is too large");
      return a * b;
    case "/":
      if (b === 0n) throw pythonError("ZeroDivisionError", "division by zero");
      return divided(a, b);
    case "//":
    case "%": {
      if (b === 0n) throw pythonError("ZeroDivisionError", "integer division or modulo by zero");
      const rest = a % b;
      const turned = rest !== 0n && rest < 0n !== b < 0n;
      if (op === "%") return turned ? rest + b : rest;
      return turned ? a / b - 1n : a / b;
    }
    default:
      if (b < 0n) return power(Number(a), Number(b));
      if (a !== 0n && a !== 1n && a !== -1n && bitsOf(a) * b > MAX_BITS) {
        throw pythonError("OverflowError", "the power is too large");
      }
      return a ** b;
  }
}

function bitsOf(value: bigint): bigint {
  return BigInt(value.toString(16).length * 4);
}

/** The quotient as the nearest float, for whole numbers of any size. */
function divided(a: bigint, b: bigint): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isSafeInteger(x) && Number.isSafeInteger(y)) return x / y;
  const negative = a < 0n !== b < 0n;
  const [top, bottom] = [a < 0n ? -a : a, b < 0n ? -b : b];
  // 64 bits of the quotient, the last of which says whether more follow.
  const shift = bitsOf(bottom) - bitsOf(top) + 68n;
  const scaled = shift >= 0n ? top << shift : top;
  const divisor = shift >= 0n ? bottom : bottom << -shift;
  const quotient = (scaled / divisor) | (scaled % divisor === 0n ? 0n : 1n);
  const value = Number(quotient) * 2 ** -Number(shift);
  if (!Number.isFinite(value)) throw pythonError("OverflowError", "integer division result too large for a float");
  return negative ? -value : value;
}

export function negated(value: Value): Value {
  if (isInt(value)) return -intOf(value);
  if (typeof value === "number") return -value;
  throw typeError(`bad operand type for unary -: '${typeName(value)}'`);
}

export function unchanged(value: Value): Value {
  if (isInt(value)) return intOf(value);
  if (typeof value === "number") return value;
  throw typeError(`bad operand type for unary +: '${typeName(value)}'`);
}

export function absolute(value: Value): Value {
  if (!isNumber(value)) throw typeError(`bad operand type for abs(): '${typeName(value)}'`);
  if (isInt(value)) {
    const whole = intOf(value);
    return whole < 0n ? -whole : whole;
  }
  return Math.abs(value);
}
