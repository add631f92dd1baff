import type { Rng } from "../rng.ts";
import { between, gcd, nonZero, NUMBERS } from "./testing-numbers.ts";
import { math } from "./testing-forms.ts";
import type { Form, Maker } from "./testing-forms.ts";

/** A random expression: numbers, variables, sums, products, quotients, small powers. */
type Tree =
  | { readonly kind: "leaf"; readonly text: string; readonly value: number | undefined }
  | { readonly kind: "node"; readonly op: "+" | "-" | "*" | "/" | "^"; readonly left: Tree; readonly right: Tree };

function leaf(rng: Rng): Tree {
  if (rng.chance(0.4)) return { kind: "leaf", text: rng.pick(["x", "y", "a"]), value: undefined };
  const value = between(rng, 1, 12);
  return { kind: "leaf", text: String(value), value };
}

function tree(rng: Rng, depth: number): Tree {
  if (depth === 0 || rng.chance(0.15)) return leaf(rng);
  const op = rng.pick(["+", "-", "*", "/", "+", "*", "^"] as const);
  const left = tree(rng, depth - 1);
  const small = between(rng, 2, 3);
  const right: Tree = op === "^" ? { kind: "leaf", text: String(small), value: small } : tree(rng, depth - 1);
  return { kind: "node", op, left, right };
}

const MODULUS = 1_000_003;
const VARIABLES: Readonly<Record<string, number>> = { x: 48_271, y: 69_621, a: 39_373 };

function powerOf(base: number, exponent: number): number {
  let [result, square] = [1, base];
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = (result * square) % MODULUS;
    square = (square * square) % MODULUS;
  }
  return result;
}

/** The value in another ring than the grader's own; NaN for a division by 0. */
function valueOf(node: Tree): number {
  if (node.kind === "leaf") return node.value ?? VARIABLES[node.text] ?? Number.NaN;
  const [a, b] = [valueOf(node.left), valueOf(node.right)];
  switch (node.op) {
    case "+":
      return (a + b) % MODULUS;
    case "-":
      return (a - b + MODULUS) % MODULUS;
    case "*":
      return (a * b) % MODULUS;
    case "/":
      return b === 0 ? Number.NaN : (a * powerOf(b, MODULUS - 2)) % MODULUS;
    default:
      return powerOf(a, b);
  }
}

/** The same value, written otherwise wherever a coin says so. */
function written(rng: Rng, node: Tree): string {
  if (node.kind === "leaf") return node.value !== undefined && rng.chance(0.1) ? `(${node.value + 3}-3)` : node.text;
  const [a, b] = [written(rng, node.left), written(rng, node.right)];
  switch (node.op) {
    case "+":
      return rng.pick([`(${a}+${b})`, `(${b}+${a})`, `(${a}-(-${b}))`, `\\left(${a} + ${b}\\right)`]);
    case "-":
      return rng.pick([`(${a}-${b})`, `(-${b}+${a})`, `(-(${b}-${a}))`]);
    case "*":
      return rng.pick([
        `(${a}\\cdot ${b})`,
        `(${b}\\times ${a})`,
        `((${a})(${b}))`,
        `\\frac{${a}}{1/${b}}`,
        `(-${a}\\cdot(-${b}))`,
      ]);
    case "/":
      return rng.pick([
        `\\frac{${a}}{${b}}`,
        `(${a}/${b})`,
        `(${a}\\cdot ${b}^{-1})`,
        `\\dfrac{-${a}}{-${b}}`,
        `{${a}\\over ${b}}`,
      ]);
    default:
      return b === "2" ? rng.pick([`{${a}}^{${b}}`, `(${a})^${b}`, `(${a}\\cdot ${a})`]) : `(${a})^{${b}}`;
  }
}

/** The same tree with one number or variable changed. */
function perturbed(rng: Rng, node: Tree): Tree {
  if (node.kind === "leaf") {
    if (node.value === undefined) return { ...node, text: rng.pick(["x", "y", "a"]) };
    const value = node.value + between(rng, 1, 3);
    return { kind: "leaf", text: String(value), value };
  }
  if (rng.chance(0.15)) return { ...node, op: rng.pick(["+", "-", "*"] as const) };
  return rng.chance(0.5)
    ? { ...node, left: perturbed(rng, node.left) }
    : { ...node, right: perturbed(rng, node.right) };
}

const expression: Maker = (rng) => {
  for (;;) {
    const root = tree(rng, 3);
    const value = valueOf(root);
    const others = [0, 1, 2, 3, 4, 5]
      .map(() => perturbed(rng, root))
      .filter((other) => {
        const another = valueOf(other);
        return !Number.isNaN(another) && another !== value;
      });
    // A single name or number has kinds of its own.
    if (root.kind === "leaf" || Number.isNaN(value) || others.length === 0) continue;
    return {
      equal: math(...[0, 1, 2, 3, 4].map(() => written(rng, root))),
      different: math(...others.map((other) => written(rng, other))),
    };
  }
};

/** What may stand inside a list, a point or a set: LaTeX of one value. */
const PARTS: readonly Maker[] = [NUMBERS["fraction"], NUMBERS["surd"], NUMBERS["angle"]].filter(
  (maker) => maker !== undefined,
);

function isPart({ text, as }: Form): boolean {
  return as === "math" && !/[=,]|circ|\{,\}|\\\\/.test(text);
}

const nested: Maker = (rng) => {
  // A fraction, a surd and a multiple of π are never equal, so that no item of a set makes up for another.
  const start = rng.int(PARTS.length);
  const makers = [...PARTS.slice(start), ...PARTS.slice(0, start)].slice(0, between(rng, 2, 3));
  const families = makers.map((maker) => {
    const { equal, different } = maker(rng);
    return { equal: equal.filter(isPart), different: different.filter(isPart) };
  });
  const pick = (forms: readonly Form[]): string => rng.pick(forms).text;
  const right = (): string[] => families.map(({ equal }) => pick(equal));
  // Differences that another item could make up for would be none in a set.
  const wrong = (): string[] => families.map(({ equal, different }, index) => pick(index === 0 ? different : equal));
  const [open, close] = rng.pick([
    ["(", ")"],
    ["\\left(", "\\right)"],
    ["\\{", "\\}"],
    ["", ""],
  ] as const);
  const around = (items: readonly string[]): string => `${open}${items.join(", ")}${close}`;
  const isPoint = close.endsWith(")");
  return {
    equal: math(...[0, 1, 2, 3].map(() => around(right())), ...(isPoint ? [] : [around(right().toReversed())])),
    different: math(...[0, 1, 2].map(() => around(wrong())), around(right().slice(1)), around([...right(), "12345"])),
  };
};

/** A line through two points, in all its forms. */
const line: Maker = (rng) => {
  const [m, n, c] = [nonZero(rng, 9), between(rng, 1, 9), nonZero(rng, 12)];
  const g = gcd(m, n);
  const [p, q] = [m / g, n / g];
  const sign = (k: number): string => (k < 0 ? `-${-k}` : `+${k}`);
  return {
    equal: math(
      `y=\\frac{${p}}{${q}}x${sign(c)}`,
      `${q}y=${p}x${sign(c * q)}`,
      `${p}x-${q}y${sign(c * q)}=0`,
      `y=\\frac{${p}x${sign(c * q)}}{${q}}`,
      `y${sign(-c)}=\\frac{${p}}{${q}}x`,
      `\\frac{${p}}{${q}}x${sign(c)}`,
    ),
    different: math(
      `y=\\frac{${p}}{${q}}x${sign(-c)}`,
      `y=\\frac{${-p}}{${q}}x${sign(c)}`,
      `y=\\frac{${p}}{${q}}x${sign(c + 1)}`,
      `x=\\frac{${p}}{${q}}y${sign(Math.abs(p) === q ? 2 * c : c)}`,
      `\\frac{${p}}{${q + 1}}x${sign(c)}`,
      `${p}x+${q}y${sign(c * q)}=0`,
    ),
  };
};

export const EXPRESSIONS: Readonly<Record<string, Maker>> = { expression, nested, line };
