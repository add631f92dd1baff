import * as C from "./complex.ts";
import type { Complex } from "./complex.ts";
import { evaluate, hasSymbols, NO_POINT, POINTS } from "./evaluate.ts";
import { exactValue } from "./exact.ts";
import { apply, some } from "./node.ts";
import type { Node } from "./node.ts";
import * as Q from "./rational.ts";

/** What rounding in double arithmetic may add up to. */
const NOISE = 1e-12;
/** The same for expressions at sample points, where cancellation costs digits. */
const POINT_NOISE = 1e-9;

/** Equal but for rounding in double arithmetic. */
function sameDouble(a: Complex, b: Complex, noise: number): boolean {
  const scale = Math.max(1, C.magnitude(a), C.magnitude(b));
  return C.magnitude(C.subtract(a, b)) <= noise * scale;
}

/**
 * Equal once rounded: within half a unit of the last of `precision` decimals. Small numbers must also agree in half as
 * many leading digits, so that 0 is not 1e-7.
 */
function sameRounded(difference: number, size: number, precision: number): boolean {
  return difference <= 0.5 * 10 ** -precision * (1 + 1e-9) && difference <= size * 10 ** (-precision / 2);
}

function isDecimal(node: Node): boolean {
  return some(node, (part) => part.kind === "number" && part.decimal);
}

/** +1 or −1 for the two infinities. */
function infinitySign(node: Node): number {
  if (node.kind === "constant") return node.name === "infinity" ? 1 : 0;
  return node.kind === "apply" && node.op === "negate" && node.args[0] ? -infinitySign(node.args[0]) : 0;
}

function sameConstants(a: Node, b: Node, precision: number): boolean {
  const rounded = isDecimal(a) || isDecimal(b);
  const [exactA, exactB] = [exactValue(a), exactValue(b)];
  if (exactA && exactB) {
    if (Q.equals(exactA, exactB)) return true;
    const difference = Q.add(exactA, Q.negate(exactB));
    const size = Math.max(Math.abs(Q.toNumber(exactA)), Math.abs(Q.toNumber(exactB)));
    return rounded && difference !== undefined && sameRounded(Math.abs(Q.toNumber(difference)), size, precision);
  }
  const [x, y] = [evaluate(a, NO_POINT), evaluate(b, NO_POINT)];
  if (!C.isFiniteComplex(x) || !C.isFiniteComplex(y)) return false;
  const size = Math.max(C.magnitude(x), C.magnitude(y));
  return sameDouble(x, y, NOISE) || (rounded && sameRounded(C.magnitude(C.subtract(x, y)), size, precision));
}

/** Values at the sample points where both are finite. */
function samples(a: Node, b: Node): (readonly [Complex, Complex])[] {
  return POINTS.map((point) => [evaluate(a, point), evaluate(b, point)] as const).filter(
    ([x, y]) => C.isFiniteComplex(x) && C.isFiniteComplex(y),
  );
}

/** Fewer points than this prove nothing. */
const ENOUGH_POINTS = 2;

/**
 * Do two expressions have one value? Constants of fractions are compared exactly, other constants as doubles, both
 * with rounding to `precision` decimals where one was written as a decimal; expressions with variables at fixed points.
 */
export function sameValue(a: Node, b: Node, precision: number): boolean {
  const [infiniteA, infiniteB] = [infinitySign(a), infinitySign(b)];
  if (infiniteA !== 0 || infiniteB !== 0) return infiniteA === infiniteB;
  if (!hasSymbols(a) && !hasSymbols(b)) return sameConstants(a, b, precision);
  const values = samples(a, b);
  return values.length >= ENOUGH_POINTS && values.every(([x, y]) => sameDouble(x, y, POINT_NOISE));
}

/** A percentage may stand for itself or for its number: 50% is 0.5 and 50. */
export function sameQuantity(a: Node, b: Node, precision: number): boolean {
  const [percentA, percentB] = [percentage(a), percentage(b)];
  if (percentA && percentB) return sameValue(percentA, percentB, precision);
  if (sameValue(a, b, precision)) return true;
  if (!percentA && !percentB) return false;
  return sameValue(percentA ?? a, percentB ?? b, precision);
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
export function constantRatio(a: Node, b: Node): number | undefined {
  const values = samples(a, b);
  if (values.length < ENOUGH_POINTS) return undefined;
  const [first] = values.filter(([, y]) => C.magnitude(y) > POINT_NOISE);
  if (!first) return values.every(([x]) => C.magnitude(x) <= POINT_NOISE) ? 1 : undefined;
  const ratio = C.divide(...first);
  const constant = values.every(([x, y]) => sameDouble(x, C.multiply(ratio, y), POINT_NOISE));
  return constant && Math.abs(ratio.im) <= POINT_NOISE && ratio.re !== 0 ? ratio.re : undefined;
}
