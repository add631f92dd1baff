import { childrenOf } from "./node.ts";
import type { Node } from "./node.ts";
import * as Q from "./rational.ts";
import type { Rational } from "./rational.ts";
import type { Work } from "./work.ts";

type Operator = (args: readonly Rational[]) => Rational | undefined;

function fold(step: (a: Rational, b: Rational) => Rational | undefined): Operator {
  return ([first, ...rest]) => rest.reduce<Rational | undefined>((sum, next) => sum && step(sum, next), first);
}

function unary(step: (a: Rational) => Rational | undefined): Operator {
  return ([a]) => a && step(a);
}

function wholeOnly(step: (a: bigint, b: bigint) => bigint | undefined): Operator {
  return fold((a, b) => {
    const value = a.denominator === 1n && b.denominator === 1n ? step(a.numerator, b.numerator) : undefined;
    return value === undefined ? undefined : Q.rational(value);
  });
}

function binomial(n: Rational, k: Rational): Rational | undefined {
  const [all, chosen, rest] = [Q.factorial(n), Q.factorial(k), Q.add(n, Q.negate(k))];
  const others = rest && Q.factorial(rest);
  const divisor = chosen && others && Q.multiply(chosen, others);
  return all && divisor && Q.divide(all, divisor);
}

function sign(a: Rational, b: Rational): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator;
  return difference < 0n ? -1 : Number(difference > 0n);
}

const modulo = (a: bigint, m: bigint): bigint | undefined => (m === 0n ? undefined : ((a % m) + m) % m);
const common = (a: bigint, b: bigint): bigint => Q.gcd(a, b);

/** Operators whose values are exact fractions where their arguments are. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  add: fold(Q.add),
  multiply: fold(Q.multiply),
  divide: fold(Q.divide),
  power: fold(Q.power),
  binomial: fold(binomial),
  negate: unary(Q.negate),
  factorial: unary(Q.factorial),
  degrees: unary((a) => a),
  percent: unary((a) => Q.rational(a.numerator, a.denominator * 100n)),
  abs: unary((a) => (a.numerator < 0n ? Q.negate(a) : a)),
  floor: unary(Q.floor),
  ceil: unary((a) => {
    const below = Q.floor(Q.negate(a));
    return below && Q.negate(below);
  }),
  max: fold((a, b) => (sign(a, b) < 0 ? b : a)),
  min: fold((a, b) => (sign(a, b) > 0 ? b : a)),
  gcd: wholeOnly(common),
  lcm: wholeOnly((a, b) => (a === 0n || b === 0n ? 0n : Q.absolute(a * b) / common(a, b))),
  modulo: wholeOnly(modulo),
};

/** @returns the exact value of a constant of fractions; undefined for every other expression, or one too long */
export function exactValue(node: Node, work: Work): Rational | undefined {
  work.spend(1);
  if (node.kind === "number") return node.value;
  if (node.kind !== "apply") return undefined;
  const operator = Object.hasOwn(OPERATORS, node.op) ? OPERATORS[node.op] : undefined;
  if (!operator) return undefined;
  const values: Rational[] = [];
  for (const child of childrenOf(node)) {
    const value = exactValue(child, work);
    if (!value) return undefined;
    values.push(value);
  }
  const result = operator(values);
  if (result) work.spend(Q.cost(result));
  return result;
}
