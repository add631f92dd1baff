import * as C from "./complex.ts";
import { evaluate, isDiscrete, isStepped, NO_POINT, POINTS, WHOLE_POINTS } from "./evaluate.ts";
import type { Evaluated, Point } from "./evaluate.ts";
import { exactValue } from "./exact.ts";
import { apply, hasSymbols, some } from "./node.ts";
import type { Node } from "./node.ts";
import * as Q from "./rational.ts";
import type { Rational } from "./rational.ts";
import { sameResidues } from "./residues.ts";
import { sameToManyDigits } from "./precise.ts";
import type { Work } from "./work.ts";

/** What rounding in double arithmetic may add up to, relative to a value and to the largest term on the way to it. */
const NOISE = 1e-11;
const PEAK_NOISE = 1e-13;

/** Equal but for rounding in double arithmetic. */
function sameDouble(a: Evaluated, b: Evaluated): boolean {
  const size = Math.max(C.magnitude(a.value), C.magnitude(b.value));
  const noise = NOISE * size + PEAK_NOISE * Math.max(a.peak, b.peak);
  return C.magnitude(C.subtract(a.value, b.value)) <= noise;
}

/** The digits after the point of an expression's decimals; undefined where it has none. */
function decimalsOf(node: Node): number | undefined {
  let most: number | undefined;
  some(node, (part) => {
    if (part.kind === "number" && part.decimal) most = Math.max(most ?? 0, part.decimals);
    return false;
  });
  return most;
}

function literal(node: Node): (Node & { kind: "number" }) | undefined {
  if (node.kind === "number") return node;
  return node.kind === "apply" && node.op === "negate" && node.args[0] ? literal(node.args[0]) : undefined;
}

/** Digits that a double prints when its last bits are off: 0.30000000000000004. */
const DOUBLE_DIGITS = 15;

function significantDigits(node: Node): number {
  const number = literal(node);
  return number ? String(number.value.numerator).replace("-", "").length : 0;
}

/**
 * Is a decimal, written with at least `precision` digits after its point, the other value rounded or cut to them? Of
 * two decimals the shorter one may be the longer one's rounding.
 */
function isRounding(a: Node, b: Node, difference: number, size: number, precision: number): boolean {
  const [left, right] = [decimalsOf(a), decimalsOf(b)];
  const digits = Math.min(left ?? Number.POSITIVE_INFINITY, right ?? Number.POSITIVE_INFINITY);
  if (!Number.isFinite(digits)) return false;
  const ofDouble = Math.max(significantDigits(a), significantDigits(b));
  if (ofDouble > DOUBLE_DIGITS && ofDouble <= DOUBLE_DIGITS + 3 && difference <= 4e-16 * size) return true;
  if (digits < precision) return false;
  const unit = 10 ** -digits;
  // Cutting instead of rounding makes a value smaller, never larger.
  const limit = difference <= 0.5 * unit * (1 + 1e-9) || (precision >= 6 && difference < unit * 0.999);
  // A small number must also agree in leading digits, so that 0 is not 1e-7.
  return limit && difference <= size * 10 ** (-precision / 2);
}

/** +1 or −1 for the two infinities. */
function infinitySign(node: Node): number {
  if (node.kind === "constant") return node.name === "infinity" ? 1 : 0;
  return node.kind === "apply" && node.op === "negate" && node.args[0] ? -infinitySign(node.args[0]) : 0;
}

function roundedRationals(a: Node, b: Node, x: Rational, y: Rational, precision: number): boolean {
  const difference = Q.add(x, Q.negate(y));
  if (!difference) return false;
  const size = Math.max(Math.abs(Q.toNumber(x)), Math.abs(Q.toNumber(y)));
  return isRounding(a, b, Math.abs(Q.toNumber(difference)), size, precision);
}

function sameConstants(a: Node, b: Node, precision: number, work: Work): boolean {
  const rounded = decimalsOf(a) !== undefined || decimalsOf(b) !== undefined;
  const exactly = sameResidues(a, b, work);
  if (exactly === true) return true;
  if (exactly === false && !rounded) return false;
  const [exactA, exactB] = [exactValue(a, work), exactValue(b, work)];
  if (exactA && exactB) return rounded ? roundedRationals(a, b, exactA, exactB, precision) : Q.equals(exactA, exactB);
  const [x, y] = [evaluate(a, NO_POINT, work), evaluate(b, NO_POINT, work)];
  if (!C.isFiniteComplex(x.value) || !C.isFiniteComplex(y.value)) return false;
  if (exactly === undefined && sameDouble(x, y)) return sameToManyDigits(a, b, work) ?? true;
  if (!rounded) return false;
  const size = Math.max(C.magnitude(x.value), C.magnitude(y.value));
  return isRounding(a, b, C.magnitude(C.subtract(x.value, y.value)), size, precision);
}

type Sample = readonly [Evaluated, Evaluated];

/** Values at the sample points where both are finite: the real ones where there are enough, else the complex ones. */
function samples(a: Node, b: Node, work: Work): readonly Sample[] {
  const points: readonly Point[] =
    isDiscrete(a) || isDiscrete(b)
      ? WHOLE_POINTS
      : isStepped(a) || isStepped(b)
        ? [...POINTS, ...WHOLE_POINTS]
        : POINTS;
  const all = points
    .map((point): Sample => [evaluate(a, point, work), evaluate(b, point, work)])
    .filter(([x, y]) => C.isFiniteComplex(x.value) && C.isFiniteComplex(y.value));
  const real = all.filter(([x, y]) => x.value.im === 0 && y.value.im === 0);
  return real.length >= ENOUGH_POINTS ? real : all;
}

/** Fewer points than this prove nothing. */
const ENOUGH_POINTS = 3;

function isSingle(node: Node): boolean {
  return !some(node, ({ kind }) => !["number", "symbol", "constant", "apply"].includes(kind));
}

/**
 * Do two expressions have one value? Sums, products, quotients and whole powers are compared exactly, by residues;
 * constants with roots and functions as doubles and then to many digits; others at fixed points. A decimal may be a
 * rounding with at least `precision` digits after the point.
 */
export function sameValue(a: Node, b: Node, precision: number, work: Work): boolean {
  if (a.kind === "number" && b.kind === "number") {
    if (Q.equals(a.value, b.value)) return true;
    return (a.decimal || b.decimal) && roundedRationals(a, b, a.value, b.value, precision);
  }
  if (!isSingle(a) || !isSingle(b)) return false;
  const [infiniteA, infiniteB] = [infinitySign(a), infinitySign(b)];
  if (infiniteA !== 0 || infiniteB !== 0) return infiniteA === infiniteB;
  if (!hasSymbols(a) && !hasSymbols(b)) return sameConstants(a, b, precision, work);
  const exactly = sameResidues(a, b, work);
  if (exactly !== undefined) return exactly;
  const values = samples(a, b, work);
  return values.length >= ENOUGH_POINTS && values.every((pair) => sameDouble(...pair));
}

/** A percentage may stand for itself or for its number: 50% is 0.5 and 50. */
export function sameQuantity(a: Node, b: Node, precision: number, work: Work): boolean {
  const [percentA, percentB] = [percentage(a), percentage(b)];
  if (percentA && percentB) return sameValue(percentA, percentB, precision, work);
  if (sameValue(a, b, precision, work)) return true;
  if (!percentA && !percentB) return false;
  return sameValue(percentA ?? a, percentB ?? b, precision, work);
}

function percentage(node: Node): Node | undefined {
  if (node.kind !== "apply") return undefined;
  const [inner] = node.args;
  if (node.op === "percent") return inner;
  const negated = node.op === "negate" && inner ? percentage(inner) : undefined;
  return negated && apply("negate", negated);
}

/**
 * The constant r with a = r·b at every sample point: two equations `a = 0`, `b = 0` are one where it is not 0, two
 * inequalities where it is positive.
 * @returns undefined where the quotient is not constant and real
 */
export function constantRatio(a: Node, b: Node, work: Work): number | undefined {
  const values = samples(a, b, work);
  if (values.length < ENOUGH_POINTS) return undefined;
  const isZero = ({ value, peak }: Evaluated): boolean => C.magnitude(value) <= PEAK_NOISE * peak;
  const first = values.find(([, y]) => !isZero(y));
  if (!first) return values.every(([x]) => isZero(x)) ? 1 : undefined;
  const ratio = C.divide(first[0].value, first[1].value);
  const constant = values.every(([x, y]) => {
    return sameDouble(x, { value: C.multiply(ratio, y.value), peak: y.peak * C.magnitude(ratio) });
  });
  return constant && Math.abs(ratio.im) <= NOISE && ratio.re !== 0 ? ratio.re : undefined;
}
