import { childrenOf } from "./node.ts";
import type { Node } from "./node.ts";
import * as Q from "./rational.ts";
import type { Rational } from "./rational.ts";

type Operator = (args: readonly Rational[]) => Rational | undefined;

function fold(step: (a: Rational, b: Rational) => Rational | undefined): Operator {
  return ([first, ...rest]) => rest.reduce<Rational | undefined>((sum, next) => sum && step(sum, next), first);
}

function unary(step: (a: Rational) => Rational | undefined): Operator {
  return ([a]) => a && step(a);
}

function binomial(n: Rational, k: Rational): Rational | undefined {
  const [all, chosen, rest] = [Q.factorial(n), Q.factorial(k), Q.add(n, Q.negate(k))];
  const others = rest && Q.factorial(rest);
  const divisor = chosen && others && Q.multiply(chosen, others);
  return all && divisor && Q.divide(all, divisor);
}

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
};

/** @returns the exact value of a constant of fractions; undefined for every other expression, or one too long */
export function exactValue(node: Node): Rational | undefined {
  if (node.kind === "number") return node.value;
  if (node.kind !== "apply") return undefined;
  const operator = Object.hasOwn(OPERATORS, node.op) ? OPERATORS[node.op] : undefined;
  if (!operator) return undefined;
  const values: Rational[] = [];
  for (const child of childrenOf(node)) {
    const value = exactValue(child);
    if (!value) return undefined;
    values.push(value);
  }
  return operator(values);
}
