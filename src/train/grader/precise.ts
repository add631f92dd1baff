import type { Node } from "./node.ts";
import type { Rational } from "./rational.ts";
import type { Work } from "./work.ts";

/** Bits after the point. */
const BITS = 512n;
const ONE = 1n << BITS;
/** Values whose size is beyond this many bits, either way, are left to doubles. */
const MAX_BITS = 2_048;
/** Below this size, in bits after the point, too few bits are left to tell values apart. */
const TINY = 400n;

/** A real number in fixed point; undefined where it has none here. */
type Fixed = bigint | undefined;

function divide(a: bigint, b: bigint): Fixed {
  return b === 0n ? undefined : (a << BITS) / b;
}

function squareRoot(value: bigint): Fixed {
  if (value < 0n) return undefined;
  const target = value << BITS;
  if (target === 0n) return 0n;
  let guess = 1n << BigInt(Math.ceil(target.toString(2).length / 2));
  for (;;) {
    const next = (guess + target / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/** Sum of terms, each made from the one before, until they vanish. */
function series(first: bigint, next: (term: bigint, n: bigint) => bigint): bigint {
  let [sum, term] = [first, first];
  for (let n = 1n; term !== 0n && n < 800n; n++) {
    term = next(term, n);
    sum += term;
  }
  return sum;
}

/** arctan(1/n) by Gregory's series. */
function arctanOfInverse(n: bigint): bigint {
  let [term, sum, odd, sign] = [ONE / n, 0n, 1n, 1n];
  while (term !== 0n) {
    sum += (sign * term) / odd;
    term /= n * n;
    odd += 2n;
    sign = -sign;
  }
  return sum;
}

// Machin's formula.
const PI = 4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n));
const E = series(ONE, (term, n) => term / n);

/** e^x, after halving x until it is small. */
function exponential(x: bigint): Fixed {
  if (x > 700n * ONE || x < -250n * ONE) return undefined;
  const halvings = 12n;
  let value = series(ONE, (term, n) => (term * (x >> halvings)) / (n * ONE));
  for (let i = 0n; i < halvings; i++) value = (value * value) >> BITS;
  return value;
}

/** ln x: the double's logarithm, then Halley's method on e^y = x. */
function logarithm(x: bigint): Fixed {
  if (x <= 0n) return undefined;
  const length = x.toString(16).length * 4;
  const shift = Math.max(length - 60, 0);
  const start = Math.log(Number(x >> BigInt(shift))) + (shift - Number(BITS)) * Math.LN2;
  let y = BigInt(Math.round(start * 2 ** 40)) << (BITS - 40n);
  for (let i = 0; i < 4; i++) {
    const guess = exponential(y);
    const step = guess === undefined ? undefined : divide(x - guess, guess + x);
    if (step === undefined) return undefined;
    y += 2n * step;
  }
  return y;
}

function sine(x: bigint): bigint {
  const reduced = x % (2n * PI);
  return series(reduced, (term, n) => (-term * reduced * reduced) / (ONE * ONE * (2n * n) * (2n * n + 1n)));
}

const cosine = (x: bigint): bigint => sine(x + PI / 2n);

/** arctan x, after halving the angle until the series is quick. */
function arctan(x: bigint): Fixed {
  let value: Fixed = x;
  for (let i = 0; i < 4; i++) {
    const root: Fixed = squareRoot(ONE + ((value * value) >> BITS));
    value = root === undefined ? undefined : divide(value, ONE + root);
    if (value === undefined) return undefined;
  }
  const square = (value * value) >> BITS;
  let [term, sum] = [value, 0n];
  for (let odd = 1n; term !== 0n && term !== -1n; odd += 2n) {
    sum += term / odd;
    term = (-term * square) >> BITS;
  }
  return sum * 16n;
}

function ofRational({ numerator, denominator }: Rational): bigint {
  return (numerator << BITS) / denominator;
}

function power(base: bigint, exponent: bigint): Fixed {
  if (exponent === ONE / 2n) return squareRoot(base);
  if (exponent % ONE === 0n) {
    const size = exponent / ONE;
    if (size > 1_000n || size < -1_000n) return undefined;
    let [result, square, rest] = [ONE, base, size < 0n ? -size : size];
    for (; rest > 0n; rest >>= 1n) {
      if (rest % 2n === 1n) result = (result * square) >> BITS;
      if (rest > 1n) square = (square * square) >> BITS;
      if (isLarge(result) || isLarge(square)) return undefined;
    }
    return size < 0n ? divide(ONE, result) : result;
  }
  const log = logarithm(base);
  return log === undefined ? undefined : exponential((log * exponent) >> BITS);
}

function isLarge(value: bigint): boolean {
  return value !== BigInt.asIntN(MAX_BITS, value);
}

type Operator = (...args: readonly bigint[]) => Fixed;

const FUNCTIONS: Readonly<Record<string, Operator>> = {
  add: (...args) => args.reduce((sum, value) => sum + value, 0n),
  multiply: (...args) => args.reduce((product, value) => (product * value) >> BITS, ONE),
  divide: (a = 0n, b = 0n) => divide(a, b),
  negate: (a = 0n) => -a,
  degrees: (a = 0n) => a,
  percent: (a = 0n) => a / 100n,
  power: (a = 0n, b = 0n) => power(a, b),
  sqrt: (a = 0n) => squareRoot(a),
  abs: (a = 0n) => (a < 0n ? -a : a),
  exp: (a = 0n) => exponential(a),
  ln: (a = 0n) => logarithm(a),
  log: (a = 0n, base = 10n * ONE) => ratio(logarithm(a), logarithm(base)),
  lg: (a = 0n) => ratio(logarithm(a), logarithm(10n * ONE)),
  sin: (a = 0n) => sine(a),
  cos: (a = 0n) => cosine(a),
  tan: (a = 0n) => ratio(sine(a), cosine(a)),
  arctan: (a = 0n) => arctan(a),
  atan: (a = 0n) => arctan(a),
};

function ratio(a: Fixed, b: Fixed): Fixed {
  return a === undefined || b === undefined ? undefined : divide(a, b);
}

/** What a function costs, in visits of a node: a logarithm takes some hundreds of microseconds. */
const COST = 2_000;
const CHEAP = new Set(["add", "negate", "multiply", "divide", "degrees", "percent", "abs"]);

function fixed(node: Node, work: Work): Fixed {
  work.spend(1);
  if (node.kind === "number") {
    const value = ofRational(node.value);
    return isLarge(value) ? undefined : value;
  }
  if (node.kind === "constant") return node.name === "pi" ? PI : node.name === "e" ? E : undefined;
  if (node.kind !== "apply" || !Object.hasOwn(FUNCTIONS, node.op)) return undefined;
  const values: bigint[] = [];
  for (const arg of node.args) {
    const value = fixed(arg, work);
    if (value === undefined) return undefined;
    values.push(value);
  }
  work.spend(CHEAP.has(node.op) ? 10 : node.op === "sqrt" ? 100 : COST);
  const result = FUNCTIONS[node.op]?.(...values);
  return result === undefined || isLarge(result) ? undefined : result;
}

/**
 * Are two real constants that doubles cannot tell apart equal to some hundred digits? Values so small that too few
 * digits are left are not.
 * @returns undefined for a function that is not known here, or a complex number
 */
export function sameToManyDigits(a: Node, b: Node, work: Work): boolean | undefined {
  const [x, y] = [fixed(a, work), fixed(b, work)];
  if (x === undefined || y === undefined) return undefined;
  const [difference, size] = [x > y ? x - y : y - x, x < 0n ? -x : x];
  if (size !== 0n && size < ONE >> TINY) return false;
  // Both may be off by rounding, which sums and powers multiply.
  return difference <= (ONE >> 480n) + (size >> 400n);
}
