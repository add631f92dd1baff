import type { Rng } from "../rng.ts";
import { between, nonZero } from "./testing-numbers.ts";
import { math, plain } from "./testing-forms.ts";
import type { Maker } from "./testing-forms.ts";

const signed = (n: number): string => (n < 0 ? `-${-n}` : `+${n}`);
const coefficient = (n: number): string => (n === 1 ? "" : n === -1 ? "-" : String(n));

export function distinct(rng: Rng, count: number, size: number): number[] {
  const found = new Set<number>();
  while (found.size < count) found.add(nonZero(rng, size));
  return [...found];
}

export function shuffled<T>(rng: Rng, items: readonly T[]): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(rng.int(rest.length), 1)).flat();
}

/** The same items in another order, where there is one. */
export const turned = <T>(items: readonly T[]): T[] => [...items.slice(1), ...items.slice(0, 1)];

const polynomial: Maker = (rng) => {
  const [a, b] = distinct(rng, 2, 9) as [number, number];
  const k = between(rng, 2, 5);
  const [p, q] = [-(a + b), a * b];
  const expanded = (c2: number, c1: number, c0: number): string => `${coefficient(c2)}x^2${signed(c1)}x${signed(c0)}`;
  return {
    equal: [
      ...math(
        expanded(k, k * p, k * q),
        `${k}(x${signed(-a)})(x${signed(-b)})`,
        `${k * q}${signed(k * p)}x+${k}x^{2}`,
        `${k}x(x${signed(p)})${signed(k * q)}`,
      ),
      ...math(
        `\\frac{${expanded(2 * k, 2 * k * p, 2 * k * q)}}{2}`,
        `f(x) = ${expanded(k, k * p, k * q)}`,
        `(${k}x${signed(-a * k)})(x${signed(-b)})`,
      ),
      ...plain(`${k}x²${signed(k * p)}x${signed(k * q)}`, `${k}*(x${signed(-a)})*(x${signed(-b)})`),
    ],
    different: math(
      expanded(k, k * p, k * q + 1),
      expanded(k, k * p + 1, k * q),
      `${k}(x${signed(a)})(x${signed(-b)})`,
      `(x${signed(-a)})(x${signed(-b)})`,
      expanded(k, k * p, k * q).replaceAll("x", "y"),
      `${k}x^3${signed(k * p)}x${signed(k * q)}`,
    ),
  };
};

const IDENTITIES: readonly (readonly [readonly string[], readonly string[]])[] = [
  [
    ["\\sin 2x", "2\\sin x\\cos x", "\\sin(2x)", "2\\cos(x)\\sin(x)"],
    ["\\sin x\\cos x", "2\\sin x", "\\cos 2x", "\\sin x^2"],
  ],
  [
    ["\\cos 2x", "1-2\\sin^2 x", "2\\cos^2(x)-1", "\\cos^2 x-\\sin^2 x"],
    ["1-\\sin^2 x", "\\cos^2 x", "2\\cos x"],
  ],
  [
    ["e^{2x}", "(e^x)^2", "e^x\\cdot e^x", "\\exp(2x)"],
    ["e^{x^2}", "2e^x", "e^{2x}+e^{-30}x"],
  ],
  [
    [
      "\\frac{1}{x^2-1}",
      "\\frac{1}{(x-1)(x+1)}",
      "\\frac{1}{2}\\left(\\frac{1}{x-1}-\\frac{1}{x+1}\\right)",
      "(x^2-1)^{-1}",
    ],
    ["\\frac{1}{x^2+1}", "\\frac{1}{1-x^2}", "\\frac{1}{x^2}-1"],
  ],
  [
    ["\\sqrt{x^2}", "|x|", "\\left|x\\right|", "\\sqrt{(-x)^2}"],
    ["x", "-x", "x^2"],
  ],
  [
    ["\\ln(xy)", "\\ln x+\\ln y", "\\ln(yx)"],
    ["\\ln x\\ln y", "\\ln(x+y)", "\\ln x-\\ln y"],
  ],
  [
    ["2^{n+1}-1", "2\\cdot 2^n-1", "\\sum_{k=0}^{n} 2^k", "-1+2^{1+n}"],
    ["2^n-1", "2^{n+1}", "\\sum_{k=0}^{n-1} 2^k"],
  ],
  [
    ["\\frac{n(n+1)}{2}", "\\sum_{k=1}^{n} k", "\\binom{n+1}{2}", "\\frac{n^2+n}{2}"],
    ["\\frac{n(n-1)}{2}", "\\sum_{k=1}^{n+1} k", "\\frac{n^2+1}{2}"],
  ],
  [
    ["\\frac{a-b}{c}", "\\frac{a}{c}-\\frac{b}{c}", "-\\frac{b-a}{c}", "{a-b\\over c}", "(a-b)/c"],
    ["a-\\frac{b}{c}", "\\frac{b-a}{c}", "\\frac{a+b}{c}"],
  ],
  [
    ["x_1+x_2", "x_{2}+x_{1}", "x₁+x₂"],
    ["x_1+x_3", "x_1-x_2", "2x_1"],
  ],
  [
    ["a_{n+1}=2a_n+1", "a_{n+1} = 1+2a_{n}"],
    ["a_{n+1}=2a_n-1", "a_{n}=2a_n+1", "a_{n+1}=2a_{n-1}+1"],
  ],
  [
    ["O(n \\log n)", "\\mathcal{O}(n\\log n)", "O(n\\cdot\\log n)"],
    ["O(n)", "\\Theta(n \\log n)", "O(n^2\\log n)"],
  ],
];

const identity: Maker = (rng) => {
  const [equal, different] = rng.pick(IDENTITIES);
  return { equal: math(...equal), different: math(...different) };
};

const list: Maker = (rng) => {
  const items = distinct(rng, between(rng, 2, 4), 40);
  const [first = 0, ...rest] = items;
  const again = shuffled(rng, items);
  const joined = (all: readonly number[], by = ", "): string => all.join(by);
  const last = `${again.slice(0, -1).join(", ")} and ${again.at(-1)}`;
  return {
    equal: [
      ...math(
        joined(items),
        joined(again),
        `\\{${joined(again)}\\}`,
        joined(again, "; "),
        `${again.slice(0, -1).join(", ")} \\text{ and } ${again.at(-1)}`,
      ),
      ...math(`x = ${joined(again)}`, again.map((item) => `x = ${item}`).join(" \\text{ or } ")),
      ...plain(last, joined(again), again.join(" or "), again.join("、"), `{${joined(again)}}`),
    ],
    different: [
      ...math(
        joined(rest),
        joined([...items, 97]),
        joined([first + 41, ...rest]),
        `\\{${joined(rest)}\\}`,
        again.map((item) => `x = ${-item - 50}`).join(" \\text{ or } "),
      ),
      ...plain(joined([first + 41, ...rest]), String(first), items.map((item) => item + 41).join(" and ")),
    ],
  };
};

const plusMinus: Maker = (rng) => {
  const [a, b] = [between(rng, 0, 9), between(rng, 1, 9)];
  const middle = a === 0 ? "" : String(a);
  return {
    equal: math(
      `${middle}\\pm ${b}`,
      `${a + b}, ${a - b}`,
      `\\{${a - b}, ${a + b}\\}`,
      `x=${a - b} \\text{ or } x=${a + b}`,
      `x = ${middle}\\pm ${b}`,
    ),
    different: math(
      String(a + b),
      `${middle}\\pm ${b + 1}`,
      `${a + b}, ${a - b - 1}`,
      `${a - b}`,
      `${a + b}, ${a - b}, 77`,
    ),
  };
};

const point: Maker = (rng) => {
  const items = distinct(rng, between(rng, 2, 4), 30);
  const swapped = turned(items);
  const [first = 0, ...rest] = items;
  const inside = items.join(", ");
  return {
    equal: [
      ...math(
        `(${inside})`,
        `\\left(${items.join(",")}\\right)`,
        `\\langle ${inside}\\rangle`,
        `\\begin{pmatrix} ${items.join("\\\\")} \\end{pmatrix}`,
        `(${items.map((item) => `\\frac{${2 * item}}{2}`).join(", ")})`,
      ),
      ...plain(`(${inside})`, `（${items.join("，")}）`),
    ],
    different: math(
      `(${swapped.join(", ")})`,
      `(${[first + 1, ...rest].join(", ")})`,
      `(${inside}, 0)`,
      `\\begin{pmatrix} ${swapped.join("\\\\")} \\end{pmatrix}`,
      `\\{${inside}\\}`,
    ),
  };
};

const matrix: Maker = (rng) => {
  const rows = [distinct(rng, 2, 9), distinct(rng, 2, 9)];
  const body = (all: readonly (readonly number[])[]): string => all.map((row) => row.join(" & ")).join(" \\\\ ");
  const [[a = 0, b = 0] = [], second = []] = rows;
  const transposed = [
    [a, second[0] ?? 0],
    [b, second[1] ?? 0],
  ];
  const wrong = [[a + 1, b], second];
  return {
    equal: [
      ...math(
        `\\begin{pmatrix} ${body(rows)} \\end{pmatrix}`,
        `\\begin{bmatrix}${body(rows)}\\end{bmatrix}`,
        `\\left[\\begin{array}{cc}${body(rows)}\\end{array}\\right]`,
        `\\begin{pmatrix}${body(rows)}\\\\\\end{pmatrix}`,
      ),
      ...plain(`[${rows.map((row) => `[${row.join(", ")}]`).join(", ")}]`),
    ],
    different: [
      ...(b === second[0] ? [] : math(`\\begin{pmatrix}${body(transposed)}\\end{pmatrix}`)),
      ...math(
        `\\begin{pmatrix}${body(wrong)}\\end{pmatrix}`,
        `\\begin{pmatrix}${body(rows.flat().map((item) => [item]))}\\end{pmatrix}`,
      ),
      ...plain(`[${wrong.map((row) => `[${row.join(", ")}]`).join(", ")}]`),
    ],
  };
};

const interval: Maker = (rng) => {
  const low = nonZero(rng, 20);
  const high = low + between(rng, 1, 20);
  const [closedLow, closedHigh] = [rng.chance(0.5), rng.chance(0.5)];
  const written = (a: number, b: number, isLow: boolean, isHigh: boolean): string =>
    `${isLow ? "[" : "("}${a}, ${b}${isHigh ? "]" : ")"}`;
  const chain = (a: number, b: number, isLow: boolean, isHigh: boolean): string =>
    `${a} ${isLow ? "\\le" : "<"} x ${isHigh ? "\\le" : "<"} ${b}`;
  const french = `${closedLow ? "[" : "]"}${low}; ${high}${closedHigh ? "]" : "["}`;
  return {
    equal: [
      ...math(
        written(low, high, closedLow, closedHigh),
        french,
        chain(low, high, closedLow, closedHigh),
        `x \\in ${written(low, high, closedLow, closedHigh)}`,
      ),
      ...math(
        `\\{x : ${chain(low, high, closedLow, closedHigh)}\\}`,
        `\\{x \\in \\mathbb{R} \\mid ${chain(low, high, closedLow, closedHigh)}\\}`,
        `\\left${written(low, high, closedLow, closedHigh).replace(/.$/, (close) => `\\right${close}`)}`,
      ),
      ...math(`${high} ${closedHigh ? "\\ge" : ">"} x ${closedLow ? "\\ge" : ">"} ${low}`),
    ],
    different: math(
      written(low, high, !closedLow, closedHigh),
      written(low, high, closedLow, !closedHigh),
      chain(low, high, closedLow, !closedHigh),
      written(low - 1, high, closedLow, closedHigh),
      written(low, high + 1, closedLow, closedHigh),
      `\\{${low}, ${high}\\}`,
    ),
  };
};

const union: Maker = (rng) => {
  const a = nonZero(rng, 12);
  const b = a + between(rng, 1, 9);
  return rng.pick([
    {
      equal: math(
        `(-\\infty, ${a}) \\cup (${a}, \\infty)`,
        `x \\ne ${a}`,
        `\\mathbb{R}\\setminus\\{${a}\\}`,
        `x < ${a} \\text{ or } x > ${a}`,
        `\\{x \\mid x \\neq ${a}\\}`,
        `]-\\infty, ${a}[ \\cup ]${a}, +\\infty[`,
      ),
      different: math(
        `(-\\infty, ${a}] \\cup (${a}, \\infty)`,
        `x \\ne ${a + 1}`,
        `\\mathbb{R}`,
        `x = ${a}`,
        `\\mathbb{R}\\setminus\\{${-a - 13}\\}`,
        `x < ${a}`,
      ),
    },
    {
      equal: math(
        `(-\\infty, ${a}] \\cup (${b}, \\infty)`,
        `(${b}, \\infty) \\cup (-\\infty, ${a}]`,
        `x \\le ${a} \\text{ or } x > ${b}`,
        `x > ${b} \\text{ or } ${a} \\ge x`,
        `\\mathbb{R} \\setminus (${a}, ${b}]`,
      ),
      different: math(
        `(-\\infty, ${a}) \\cup (${b}, \\infty)`,
        `(-\\infty, ${a}] \\cup [${b}, \\infty)`,
        `(${a}, ${b}]`,
        `x \\le ${a}`,
        `(-\\infty, ${a - 1}] \\cup (${b}, \\infty)`,
      ),
    },
    {
      equal: math(
        `x > ${a}`,
        `(${a}, \\infty)`,
        `${a} < x`,
        `2x > ${2 * a}`,
        `-x < ${-a}`,
        `x \\in (${a}, +\\infty)`,
        `x - ${b} > ${a - b}`,
      ),
      different: math(`x \\ge ${a}`, `x < ${a}`, `x > ${b}`, `[${a}, \\infty)`, `y > ${a}`, `-x > ${-a}`, String(a)),
    },
  ]);
};

const assignment: Maker = (rng) => {
  const [a, b] = distinct(rng, 2, 30) as [number, number];
  return {
    equal: [
      ...math(
        `x = ${a}, y = ${b}`,
        `y = ${b}, x = ${a}`,
        `x = ${a} \\text{ and } y = ${b}`,
        `(x, y) = (${a}, ${b})`,
        `(${a}, ${b})`,
        `${a}, ${b}`,
      ),
      ...plain(`x = ${a}, y = ${b}`, `x=${a} and y=${b}`, `x=${a}; y=${b}`),
    ],
    different: [
      ...math(
        `x = ${b}, y = ${a}`,
        `(${b}, ${a})`,
        `${b}, ${a}`,
        `x = ${a}`,
        `x = ${a}, z = ${b}`,
        `x = ${a}, y = ${b + 1}`,
        `(x, y) = (${b}, ${a})`,
        `x = ${a}, y = ${b}, z = 0`,
      ),
      ...plain(`y = ${a}, x = ${b}`),
    ],
  };
};

const equation: Maker = (rng) => {
  const [a, b, c] = [between(rng, 2, 9), between(rng, 2, 9), nonZero(rng, 20)];
  return {
    equal: math(
      `${a}x+${b}y=${c}`,
      `${2 * a}x+${2 * b}y=${2 * c}`,
      `${a}x+${b}y${signed(-c)}=0`,
      `y=\\frac{${c}-${a}x}{${b}}`,
      `${c}=${b}y+${a}x`,
      `-${a}x-${b}y=${-c}`,
      `${b}y=${c}-${a}x`,
    ),
    different: math(
      `${a}x+${b}y=${c + 1}`,
      `${a}x-${b}y=${c}`,
      `${a + 1}x+${b}y=${c}`,
      `${2 * a}x+${2 * b}y=${c}`,
      `${a}x+${b}y`,
      String(c),
      `y=\\frac{${c}+${a}x}{${b}}`,
    ),
  };
};

export const STRUCTURES: Readonly<Record<string, Maker>> = {
  polynomial,
  identity,
  list,
  plusMinus,
  point,
  matrix,
  interval,
  union,
  assignment,
  equation,
};
