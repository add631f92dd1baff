import { exactValue } from "./exact.ts";
import { MAX_RESIDUE_FACTORIAL } from "./limits.ts";
import type { Node } from "./node.ts";
import { hashOf } from "./hash.ts";
import { add, negate } from "./rational.ts";
import type { Rational } from "./rational.ts";
import type { Work } from "./work.ts";

/**
 * Arithmetic modulo primes tells expressions apart exactly, however large or close their values are: sums, products,
 * quotients and whole powers of numbers, of variables at random values, of π and e as if they were variables, and of
 * i as a root of −1 (all primes are 1 modulo 4). What differs for one prime differs; what agrees for all of them is
 * equal but for a chance of about 2⁻¹⁰⁰ (Schwartz 1980, Zippel 1979).
 */
const PRIMES = [67_108_837, 67_108_777, 67_108_757, 67_108_753];

/** Products of two residues stay below 2⁵³. */
function times(a: number, b: number, prime: number): number {
  return (a * b) % prime;
}

function raised(base: number, exponent: bigint, prime: number): number {
  let [result, square, rest] = [1, base, Number(exponent % BigInt(prime - 1))];
  for (; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = times(result, square, prime);
    square = times(square, square, prime);
  }
  return result;
}

/** @returns NaN for 0 */
function inverse(value: number, prime: number): number {
  return value === 0 ? Number.NaN : raised(value, BigInt(prime - 2), prime);
}

function power(base: number, exponent: bigint, prime: number): number {
  if (exponent === 0n) return base === 0 ? Number.NaN : 1;
  if (base === 0) return exponent > 0n ? 0 : Number.NaN;
  const result = raised(base, exponent < 0n ? -exponent : exponent, prime);
  return exponent < 0n ? inverse(result, prime) : result;
}

function ofRational({ numerator, denominator }: Rational, prime: number): number {
  const p = BigInt(prime);
  const top = Number(((numerator % p) + p) % p);
  return denominator === 1n ? top : times(top, inverse(Number(denominator % p), prime), prime);
}

/** A square root of −1. */
const IMAGINARY = PRIMES.map((prime) => {
  for (let candidate = 2; ; candidate++) {
    const root = raised(candidate, BigInt((prime - 1) / 4), prime);
    if (times(root, root, prime) === prime - 1) return root;
  }
});

function random(name: string, prime: number): number {
  return 2 + (hashOf(`${prime} ${name}`) % (prime - 2));
}

function factorial(n: Rational, prime: number, work: Work): number | undefined {
  if (n.denominator !== 1n || n.numerator < 0n || n.numerator > BigInt(MAX_RESIDUE_FACTORIAL)) return undefined;
  const last = Number(n.numerator);
  work.spend(last / 8);
  let product = 1;
  for (let factor = 2; factor <= last; factor++) product = times(product, factor, prime);
  return product;
}

/** n! / (k! (n − k)!), whose factors are all below the primes. */
function choose(n: Rational, k: Rational, prime: number, work: Work): number | undefined {
  const rest = add(n, negate(k));
  const [all, some, others] = [n, k, rest].map((part) => part && factorial(part, prime, work));
  if (all === undefined || some === undefined || others === undefined) return undefined;
  return times(all, inverse(times(some, others, prime), prime), prime);
}

/** Undefined for an expression that is not one of sums, products, quotients and whole powers. */
function residue(node: Node, index: number, work: Work): number | undefined {
  work.spend(1);
  const prime = PRIMES[index] ?? 0;
  if (node.kind === "number") return ofRational(node.value, prime);
  if (node.kind === "symbol") return random(`variable ${node.name}`, prime);
  if (node.kind === "constant") {
    if (node.name === "i") return IMAGINARY[index];
    return node.name === "infinity" ? undefined : random(`constant ${node.name}`, prime);
  }
  if (node.kind !== "apply") return undefined;
  if (node.op === "power" || node.op === "exp") {
    const [base, exponent] = node.op === "exp" ? [EULER, node.args[0]] : node.args;
    const size = exponent && exactValue(exponent, work);
    const value = base && size?.denominator === 1n ? residue(base, index, work) : undefined;
    return value === undefined || !size ? undefined : power(value, size.numerator, prime);
  }
  if (node.op === "factorial") {
    const [inner] = node.args;
    const n = inner && exactValue(inner, work);
    return n && factorial(n, prime, work);
  }
  if (node.op === "binomial") {
    const [n, k] = node.args.map((arg) => exactValue(arg, work));
    if (n && k && n.numerator >= k.numerator) return choose(n, k, prime, work);
  }
  if (!RING.has(node.op)) {
    const exact = exactValue(node, work);
    return exact && ofRational(exact, prime);
  }
  const values: number[] = [];
  for (const arg of node.args) {
    const value = residue(arg, index, work);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return combined(node.op, values, prime);
}

const EULER: Node = { kind: "constant", name: "e" };
const RING = new Set(["add", "multiply", "divide", "negate", "degrees", "percent", "call", "index"]);

function combined(op: string, values: readonly number[], prime: number): number {
  const [first = Number.NaN, second = Number.NaN] = values;
  switch (op) {
    case "add":
      return values.reduce((sum, value) => (sum + value) % prime, 0);
    case "multiply":
      return values.reduce((product, value) => times(product, value, prime), 1);
    case "divide":
      return times(first, inverse(second, prime), prime);
    case "negate":
      return (prime - first) % prime;
    case "percent":
      return times(first, inverse(100, prime), prime);
    case "degrees":
      return first;
    default:
      // An unknown function or sequence has another value wherever its arguments have.
      return values.some(Number.isNaN) ? Number.NaN : random(`${op} ${values.join(" ")}`, prime);
  }
}

/**
 * Are two expressions the same, exactly?
 * @returns undefined where residues cannot say: for roots, logarithms, sums with a variable bound, …
 */
export function sameResidues(a: Node, b: Node, work: Work): boolean | undefined {
  let told = 0;
  for (const index of PRIMES.keys()) {
    const [left, right] = [residue(a, index, work), residue(b, index, work)];
    if (left === undefined || right === undefined) return undefined;
    if (Number.isNaN(left) || Number.isNaN(right)) continue;
    if (left !== right) return false;
    told++;
  }
  return told >= PRIMES.length - 1 ? true : undefined;
}
