import * as C from "./complex.ts";
import type { Complex } from "./complex.ts";
import { hashOf } from "./hash.ts";
import { MAX_TERMS } from "./limits.ts";
import { some } from "./node.ts";
import type { Node } from "./node.ts";
import { toNumber } from "./rational.ts";
import type { Work } from "./work.ts";

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

/** Lanczos' coefficients for g = 7 (Press et al., Numerical Recipes, §6.1; Godfrey's values). */
const LANCZOS = [
  0.999_999_999_999_809_93, 676.520_368_121_885_1, -1_259.139_216_722_402_8, 771.323_428_777_653_13,
  -176.615_029_162_140_6, 12.507_343_278_686_905, -0.138_571_095_265_720_12, 9.984_369_578_019_571_6e-6,
  1.505_632_735_149_311_6e-7,
];

/** n! for whole numbers, Γ(n + 1) between them. */
function factorial(n: number): number {
  if (Number.isInteger(n)) {
    if (n < 0 || n > 170) return Number.NaN;
    let product = 1;
    for (let factor = 2; factor <= n; factor++) product *= factor;
    return product;
  }
  if (n < 0) return Number.NaN;
  const t = n + 7.5;
  const series = LANCZOS.reduce(
    (sum, coefficient, index) => sum + (index === 0 ? coefficient : coefficient / (n + index)),
  );
  return Math.sqrt(2 * Math.PI) * t ** (n + 0.5) * Math.exp(-t) * series;
}

function logarithm([a = C.NOTHING, base]: readonly Complex[]): Complex {
  return C.divide(C.log(a), C.log(base ?? C.complex(10)));
}

const inverted = (step: (a: Complex) => Complex): Operator => unary((a) => C.divide(ONE, step(a)));
const tan = (a: Complex): Complex => C.divide(C.sin(a), C.cos(a));
const arccos = unary((a) => C.subtract(HALF_PI, C.asin(a)));
const extreme =
  (step: (...values: number[]) => number): Operator =>
  (args) =>
    args.every(({ im }) => im === 0) ? C.complex(step(...args.map(({ re }) => re))) : C.NOTHING;

/** Every operator and function an expression may have, but for those that see more than their arguments' values. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  multiply: (args) => args.reduce(C.multiply, ONE),
  divide: binary(C.divide),
  power: binary(C.power),
  negate: unary(C.negate),
  degrees: unary((a) => a),
  percent: unary((a) => C.divide(a, C.complex(100))),
  factorial: real(factorial),
  binomial: binary((n, k) => C.complex(factorial(n.re) / (factorial(k.re) * factorial(n.re - k.re)))),
  abs: unary((a) => C.complex(C.magnitude(a))),
  floor: real(Math.floor),
  ceil: real(Math.ceil),
  max: extreme(Math.max),
  min: extreme(Math.min),
  modulo: binary((a, m) => C.complex(((a.re % m.re) + m.re) % m.re)),
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
  arccot: unary((a) => C.subtract(HALF_PI, C.atan(a))),
};

const CONSTANTS: Readonly<Record<string, Complex>> = {
  pi: C.complex(Math.PI),
  e: C.complex(Math.E),
  i: C.I,
  infinity: C.complex(Number.POSITIVE_INFINITY),
};

/** A value, and the largest term of any sum on the way to it: what rounding may have cost. */
export interface Evaluated {
  readonly value: Complex;
  readonly peak: number;
}

/** A fixed smooth function without symmetries for an unknown function or sequence. */
function unknown(name: string, args: readonly Complex[]): Complex {
  return args.reduce(
    (sum, argument, index) => {
      const bits = hashOf(`${index} ${name}`);
      const [slope, phase] = [0.4 + (bits % 1_009) / 1_009, (bits % 6_007) / 1_000];
      const wave = C.sin(C.add(C.multiply(C.complex(slope), argument), C.complex(phase)));
      return C.add(sum, C.add(wave, C.multiply(C.complex(slope / 3), argument)));
    },
    C.complex((hashOf(name) % 997) / 997 + 0.5),
  );
}

/** Terms taken of a sum without an end. */
const ENDLESS = 97;

class Evaluator {
  peak = 0;
  readonly #point: Point;
  readonly #work: Work;
  readonly #bound = new Map<string, Complex>();

  constructor(point: Point, work: Work) {
    this.#point = point;
    this.#work = work;
  }

  evaluate(node: Node): Complex {
    this.#work.spend(1);
    switch (node.kind) {
      case "number":
        return C.complex(toNumber(node.value));
      case "constant":
        return CONSTANTS[node.name] ?? C.NOTHING;
      case "symbol":
        return this.#bound.get(node.name) ?? this.#point(node.name);
      case "apply":
        return this.#apply(node.op, node.args);
      default:
        return C.NOTHING;
    }
  }

  #apply(op: string, args: readonly Node[]): Complex {
    if (op === "sum" || op === "product") return this.#series(op, args);
    if (op === "call" || op === "index") {
      const [name, ...rest] = args;
      const label = name?.kind === "symbol" ? name.name : "";
      return unknown(
        `${op} ${label}`,
        rest.map((arg) => this.evaluate(arg)),
      );
    }
    const values = args.map((arg) => this.evaluate(arg));
    if (op === "add") return values.reduce((sum, value) => this.#sum(sum, value), C.complex(0));
    const operator = Object.hasOwn(OPERATORS, op) ? OPERATORS[op] : undefined;
    return operator ? operator(values) : C.NOTHING;
  }

  #sum(a: Complex, b: Complex): Complex {
    this.peak = Math.max(this.peak, C.magnitude(a), C.magnitude(b));
    return C.add(a, b);
  }

  /** `sum` and `product` over (variable, first, last, term). */
  #series(op: string, [variable, first, last, term]: readonly Node[]): Complex {
    if (variable?.kind !== "symbol" || !first || !last || !term) return C.NOTHING;
    const [from, to] = [this.evaluate(first).re, this.evaluate(last).re];
    const end = to === Number.POSITIVE_INFINITY ? from + ENDLESS : to;
    if (!Number.isInteger(from) || !Number.isInteger(end) || end - from > MAX_TERMS) return C.NOTHING;
    const outer = this.#bound.get(variable.name);
    let total = C.complex(op === "sum" ? 0 : 1);
    for (let at = from; at <= end; at++) {
      this.#work.spend(2);
      this.#bound.set(variable.name, C.complex(at));
      const value = this.evaluate(term);
      total = op === "sum" ? this.#sum(total, value) : C.multiply(total, value);
    }
    if (outer) this.#bound.set(variable.name, outer);
    else this.#bound.delete(variable.name);
    return total;
  }
}

/** An expression's value; NaN for what is no single number. */
export function evaluate(node: Node, point: Point, work: Work): Evaluated {
  const evaluator = new Evaluator(point, work);
  const value = evaluator.evaluate(node);
  return { value, peak: evaluator.peak };
}

/**
 * Sample points for comparing expressions: some with positive variables only, so that roots and logarithms are real,
 * some with signs, so that |x| is not x, at several sizes.
 */
export const POINTS: readonly Point[] = [1, 1, 1, 1, 8, 0.15, 40, 3].map((scale, index) => (symbol) => {
  const bits = hashOf(`${index} ${symbol}`);
  const size = scale * (0.3 + ((bits >>> 1) / 2 ** 31) * 2.1);
  const negative = index === 2 || index === 3 || index === 7 ? (bits & 1) === (index === 3 ? 0 : 1) : false;
  return C.complex(negative ? -size : size);
});

/** The same for expressions of whole numbers. */
export const WHOLE_POINTS: readonly Point[] = [0, 1, 2, 3, 4].map((index) => (symbol) => {
  return C.complex(2 + (hashOf(`whole ${index} ${symbol}`) % (6 + 2 * index)));
});

/** The point of an expression without variables. */
export const NO_POINT: Point = () => C.NOTHING;

const DISCRETE = new Set(["sum", "product", "factorial", "binomial", "modulo", "gcd", "lcm"]);

/** Is an expression one of whole numbers? */
export function isDiscrete(node: Node): boolean {
  return some(node, (part) => part.kind === "apply" && DISCRETE.has(part.op));
}

/** Does an expression jump between whole numbers? Then neither those nor other numbers alone tell what it is. */
export function isStepped(node: Node): boolean {
  return some(node, (part) => part.kind === "apply" && (part.op === "floor" || part.op === "ceil"));
}
