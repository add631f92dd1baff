import * as C from "./complex.ts";
import type { Complex } from "./complex.ts";
import { MAX_FACTORIAL } from "./limits.ts";
import { some } from "./node.ts";
import type { Node } from "./node.ts";
import { toNumber } from "./rational.ts";

/** Values of the variables of one sample point. */
export type Point = (symbol: string) => Complex;

type Operator = (args: readonly Complex[]) => Complex;

function unary(step: (a: Complex) => Complex): Operator {
  return ([a = C.NOTHING]) => step(a);
}

function binary(step: (a: Complex, b: Complex) => Complex): Operator {
  return ([a = C.NOTHING, b = C.NOTHING]) => step(a, b);
}

function real(step: (a: number) => number): Operator {
  return unary((a) => (a.im === 0 ? C.complex(step(a.re)) : C.NOTHING));
}

const ONE = C.complex(1);
const HALF_PI = C.complex(Math.PI / 2);

function factorial(n: number): number {
  if (!Number.isInteger(n) || n < 0 || n > MAX_FACTORIAL) return Number.NaN;
  let product = 1;
  for (let factor = 2; factor <= n; factor++) product *= factor;
  return product;
}

function logarithm([a = C.NOTHING, base]: readonly Complex[]): Complex {
  return C.divide(C.log(a), C.log(base ?? C.complex(10)));
}

const inverted = (step: (a: Complex) => Complex): Operator => unary((a) => C.divide(ONE, step(a)));
const tan = (a: Complex): Complex => C.divide(C.sin(a), C.cos(a));
const arccos = unary((a) => C.subtract(HALF_PI, C.asin(a)));

/** Every operator and function an expression may have. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  add: (args) => args.reduce(C.add, C.complex(0)),
  multiply: (args) => args.reduce(C.multiply, ONE),
  divide: binary(C.divide),
  power: binary(C.power),
  negate: unary(C.negate),
  degrees: unary((a) => a),
  percent: unary((a) => C.divide(a, C.complex(100))),
  // An unknown function: its name times its arguments differs where they differ.
  call: (args) => args.reduce(C.multiply, ONE),
  factorial: real(factorial),
  binomial: binary((n, k) => C.complex(factorial(n.re) / (factorial(k.re) * factorial(n.re - k.re)))),
  abs: unary((a) => C.complex(C.magnitude(a))),
  floor: real(Math.floor),
  ceil: real(Math.ceil),
  sqrt: unary(C.sqrt),
  exp: unary(C.exp),
  ln: unary(C.log),
  log: logarithm,
  lg: logarithm,
  sin: unary(C.sin),
  cos: unary(C.cos),
  tan: unary(tan),
  cot: inverted(tan),
  sec: inverted(C.cos),
  csc: inverted(C.sin),
  sinh: unary(C.sinh),
  cosh: unary(C.cosh),
  tanh: unary((a) => C.divide(C.sinh(a), C.cosh(a))),
  arcsin: unary(C.asin),
  asin: unary(C.asin),
  arccos,
  acos: arccos,
  arctan: unary(C.atan),
  atan: unary(C.atan),
};

const CONSTANTS: Readonly<Record<string, Complex>> = {
  pi: C.complex(Math.PI),
  e: C.complex(Math.E),
  i: C.I,
  infinity: C.complex(Number.POSITIVE_INFINITY),
};

/** An expression's value; NaN for what is no single number. */
export function evaluate(node: Node, point: Point): Complex {
  switch (node.kind) {
    case "number":
      return C.complex(toNumber(node.value));
    case "constant":
      return CONSTANTS[node.name] ?? C.NOTHING;
    case "symbol":
      return point(node.name);
    case "apply": {
      const operator = Object.hasOwn(OPERATORS, node.op) ? OPERATORS[node.op] : undefined;
      return operator ? operator(node.args.map((arg) => evaluate(arg, point))) : C.NOTHING;
    }
    default:
      return C.NOTHING;
  }
}

/** FNV-1a, for values that look random but are always the same. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (const character of text) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);
  // The last multiplication leaves the low bits poorly mixed.
  state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  return (state ^ (state >>> 13)) >>> 0;
}

/**
 * Sample points for comparing expressions: two with positive variables only, so that roots and logarithms are real,
 * and two with signs, so that |x| is not x.
 */
export const POINTS: readonly Point[] = [0, 1, 2, 3].map((index) => (symbol) => {
  const bits = hash(`${index} ${symbol}`);
  const size = 0.3 + ((bits >>> 1) / 2 ** 31) * 2.1;
  const sign = index >= 2 && (bits & 1) === 1 ? -1 : 1;
  return C.complex(index === 3 ? -sign * size : sign * size);
});

/** The point of an expression without variables. */
export const NO_POINT: Point = () => C.NOTHING;

export function hasSymbols(node: Node): boolean {
  return some(node, ({ kind }) => kind === "symbol");
}
