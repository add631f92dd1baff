import { MAX_FACTORIAL, MAX_RATIONAL_BITS } from "./limits.ts";

/** An exact fraction in lowest terms with a positive denominator. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

export function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [absolute(a), absolute(b)];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

function bits(value: bigint): number {
  return absolute(value).toString(16).length * 4;
}

/** @returns undefined for a zero denominator or a fraction too long to be worth computing with */
export function rational(numerator: bigint, denominator = 1n): Rational | undefined {
  if (denominator === 0n) return undefined;
  if (bits(numerator) > MAX_RATIONAL_BITS || bits(denominator) > MAX_RATIONAL_BITS) return undefined;
  const divisor = gcd(numerator, denominator) * (denominator < 0n ? -1n : 1n);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

/**
 * A decimal literal, exactly.
 * @param text digits with at most one point
 * @param repeating digits that repeat for ever after it
 */
export function decimal(text: string, repeating = ""): Rational | undefined {
  const [whole = "", fraction = ""] = text.split(".");
  const head = BigInt(whole + fraction || "0");
  const scale = 10n ** BigInt(fraction.length);
  if (repeating === "") return rational(head, scale);
  const nines = 10n ** BigInt(repeating.length) - 1n;
  return rational(head * nines + BigInt(repeating), scale * nines);
}

export function add(a: Rational, b: Rational): Rational | undefined {
  return rational(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
}

export function multiply(a: Rational, b: Rational): Rational | undefined {
  return rational(a.numerator * b.numerator, a.denominator * b.denominator);
}

export function divide(a: Rational, b: Rational): Rational | undefined {
  return rational(a.numerator * b.denominator, a.denominator * b.numerator);
}

export function negate(a: Rational): Rational {
  return { numerator: -a.numerator, denominator: a.denominator };
}

/** @returns undefined for a fractional exponent, 0 to a negative power, or a result that is too long */
export function power(base: Rational, exponent: Rational): Rational | undefined {
  if (exponent.denominator !== 1n) return undefined;
  const size = absolute(exponent.numerator);
  const width = BigInt(Math.max(bits(base.numerator), bits(base.denominator)));
  if (size * width > BigInt(MAX_RATIONAL_BITS)) return undefined;
  const [top, bottom] = [base.numerator ** size, base.denominator ** size];
  return exponent.numerator < 0n ? rational(bottom, top) : rational(top, bottom);
}

/** @returns undefined outside 0…{@link MAX_FACTORIAL} and for fractions */
export function factorial(a: Rational): Rational | undefined {
  if (a.denominator !== 1n || a.numerator < 0n || a.numerator > BigInt(MAX_FACTORIAL)) return undefined;
  let product = 1n;
  for (let factor = 2n; factor <= a.numerator; factor++) product *= factor;
  return rational(product);
}

/** The largest whole number not above it. */
export function floor(a: Rational): Rational | undefined {
  const quotient = a.numerator / a.denominator;
  return rational(a.numerator < 0n && quotient * a.denominator !== a.numerator ? quotient - 1n : quotient);
}

/** What computing such a number costs, in visits of a node: finding a common divisor takes quadratic time. */
export function cost(a: Rational): number {
  const size = bits(a.numerator) + bits(a.denominator);
  return (size * size) / 4_096;
}

export function equals(a: Rational, b: Rational): boolean {
  return a.numerator === b.numerator && a.denominator === b.denominator;
}

/** Nearest double, also where numerator and denominator are beyond its range. */
export function toNumber(a: Rational): number {
  const shift = BigInt(Math.max(0, bits(a.denominator) - 1_000, bits(a.numerator) - 1_000));
  return Number(a.numerator >> shift) / Number(a.denominator >> shift);
}
