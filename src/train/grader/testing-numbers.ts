import type { Rng } from "../rng.ts";
import { math, plain } from "./testing-forms.ts";
import type { Form, Maker } from "./testing-forms.ts";

/** A whole number from `low` to `high`. */
export function between(rng: Rng, low: number, high: number): number {
  return low + rng.int(high - low + 1);
}

export function nonZero(rng: Rng, size: number): number {
  return between(rng, 1, size) * (rng.chance(0.5) ? 1 : -1);
}

export function gcd(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : gcd(b, a % b);
}

const digitsOf = (n: number): string => String(Math.abs(n));
const signOf = (n: number): string => (n < 0 ? "-" : "");
const grouped = (n: number, by: string): string => signOf(n) + digitsOf(n).replaceAll(/\B(?=(?:\d{3})+$)/g, by);
const fullWidth = (text: string): string =>
  text.replaceAll(/[-+.,/\d]/g, (sign) => String.fromCodePoint((sign.codePointAt(0) ?? 0) + 0xfee0));
const raised = (n: number): string => Array.from(String(n), (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(d)] ?? "⁻").join("");

function indian(n: number): string {
  const digits = digitsOf(n);
  const head = digits.slice(0, -3).replaceAll(/\B(?=(?:\d{2})+$)/g, ",");
  return `${signOf(n)}${head}${head === "" ? "" : ","}${digits.slice(-3)}`;
}

const ordinal = (n: number): string => {
  const teen = n % 100 >= 11 && n % 100 <= 13;
  return `${n}${teen ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th")}`;
};

const integer: Maker = (rng) => {
  const n = nonZero(rng, rng.pick([20, 999, 9_999, 99_999_999]));
  const others = [n + 1, n - 1, -n, n * 10, n + 10 ** (digitsOf(n).length - 1)].filter((other) => other !== n);
  const equal: Form[] = [
    ...math(
      String(n),
      `${n}.0`,
      `${n}.00`,
      `\\text{${n}}`,
      `x = ${n}`,
      `${n + 7} - 7`,
      `\\frac{${2 * n}}{2}`,
      grouped(n, "{,}"),
    ),
    ...math(grouped(n, "\\,"), `\\frac{${-3 * n}}{-3}`, `(${n})`, `${n} \\cdot 1`),
    ...plain(
      String(n),
      fullWidth(String(n)),
      grouped(n, ","),
      grouped(n, " "),
      grouped(n, "'"),
      indian(n),
      `答えは${n}です。`,
    ),
    ...plain(`答案是${n}。`, `${n}個`, String(n).replace("-", "−"), `${n} apples`, `x = ${n}`),
  ];
  if (n > 0) equal.push(...plain(ordinal(n), `\\$${n}`, `¥${grouped(n, ",")}`));
  return {
    equal,
    different: [
      ...others.flatMap((other) => [
        ...math(String(other), `x = ${other}`, grouped(other, "{,}")),
        ...plain(fullWidth(String(other))),
      ]),
      ...math(`${n}x`, `\\sqrt{${Math.abs(n) + 2}}`, `${n}\\pi`, `${n}.5`, `${n}, ${n + 1}`),
      ...plain(`答えは${n + 1}です。`, `${n} or ${n + 2}`, indian(n + 1)),
    ],
  };
};

const GLYPHS: Readonly<Record<string, string>> = {
  "1/2": "½",
  "1/3": "⅓",
  "2/3": "⅔",
  "3/4": "¾",
  "2/5": "⅖",
  "5/8": "⅝",
  "1/6": "⅙",
};

const fraction: Maker = (rng) => {
  const q = between(rng, 2, 60);
  let p = between(rng, 1, 200);
  while (gcd(p, q) !== 1) p++;
  const sign = rng.pick(["", "-"]);
  const [whole, rest] = [Math.floor(p / q), p % q];
  const equal: Form[] = [
    ...math(
      `${sign}\\frac{${p}}{${q}}`,
      `${sign}\\dfrac{${p * 3}}{${q * 3}}`,
      `\\frac{${sign}${p}}{${q}}`,
      `${sign}{${p}\\over ${q}}`,
    ),
    ...math(
      `${sign}${p}/${q}`,
      `${sign}${p} \\div ${q}`,
      `${sign}${p}\\cdot\\frac{1}{${q}}`,
      `x=${sign}\\tfrac{${p}}{${q}}`,
    ),
    ...plain(`${sign}${p}/${q}`, fullWidth(`${sign}${p}/${q}`), `答えは${sign}${p}/${q}です。`),
  ];
  if (whole > 0) equal.push(...math(`${sign}${whole}\\frac{${rest}}{${q}}`), ...plain(`${sign}${whole} ${rest}/${q}`));
  if (sign === "") equal.push(...plain(`${q}分の${p}`, `答えは${q}分の${p}です。`));
  if (p < 10 && q < 10) equal.push(...math(`${sign}\\frac${p}${q}`, `${sign}\\frac ${p} ${q}`));
  const glyph = GLYPHS[`${p}/${q}`];
  if (glyph !== undefined) equal.push(...plain(sign + glyph));
  equal.push(...decimalForms(p, q, sign));
  const different = [
    ...math(
      `${sign}\\frac{${p + 1}}{${q}}`,
      `${sign}\\frac{${p}}{${q + 1}}`,
      sign === "" ? `-\\frac{${p}}{${q}}` : `\\frac{${p}}{${q}}`,
    ),
    ...math(`${sign}\\frac{${p * 3 + 1}}{${q * 3}}`, `${sign}\\frac{${p}}{${q}}x`, `${sign}\\frac{${p}}{${q}}+10^{-7}`),
    ...plain(`${sign}${p}/${q + 2}`, `${q}分の${p + q}`, `${sign}${(p / q).toFixed(2)}1`),
    ...decimalForms(p + q * 7 + 1, q, sign),
  ];
  return { equal, different };
};

/** A fraction as a finite or repeating decimal, as a percentage too. */
function decimalForms(p: number, q: number, sign: string): Form[] {
  const digits: number[] = [];
  const seen = new Map<number, number>();
  let rest = p % q;
  while (rest !== 0 && !seen.has(rest)) {
    seen.set(rest, digits.length);
    digits.push(Math.floor((rest * 10) / q));
    rest = (rest * 10) % q;
  }
  const head = `${sign}${Math.floor(p / q)}`;
  const [text, start] = [digits.join(""), seen.get(rest)];
  if (rest === 0 || start === undefined) {
    const decimal = digits.length === 0 ? head : `${head}.${text}`;
    const comma = decimal.replace(".", ",");
    const forms = [
      ...math(decimal, decimal.replace(".", "{.}").replace("{.}", ".")),
      ...plain(decimal, fullWidth(decimal)),
    ];
    // Three digits after a comma are a group of thousands.
    return text.length > 0 && text.length !== 3
      ? [...forms, ...plain(comma), ...math(comma.replace(",", "{,}"))]
      : forms;
  }
  const [once, again] = [text.slice(0, start), text.slice(start)];
  return [...math(`${head}.${once}\\overline{${again}}`), ...plain(`${head}.${once}(${again})`)];
}

const scientific: Maker = (rng) => {
  const [a, k] = [between(rng, 11, 99) / 10, nonZero(rng, 9)];
  const power = (mantissa: number | string, exponent: number): Form[] => [
    ...math(`${mantissa} \\times 10^{${exponent}}`, `${mantissa} \\cdot 10^{${exponent}}`),
    ...plain(
      `${mantissa} x 10^${exponent}`,
      `${mantissa}×10${raised(exponent)}`,
      `${mantissa}e${exponent}`,
      `${mantissa}E${exponent}`,
    ),
  ];
  const tens = k > 0 ? `1${"0".repeat(k)}` : `0.${"0".repeat(-k - 1)}1`;
  return {
    equal: [...power(a, k), ...math(`${a} \\cdot ${tens}`, `${Math.round(a * 10)} \\times 10^{${k - 1}}`)],
    different: [
      ...power(a, k + 1),
      ...power(-a, k),
      ...power((a + 0.1).toFixed(1), k),
      ...math(`${a}^{${k}}`, `${a} + 10^{${k}}`),
    ],
  };
};

const percent: Maker = (rng) => {
  const n = between(rng, 1, 99);
  return {
    equal: [
      ...math(`${n}\\%`, `\\frac{${n}}{100}`, `${n}\\text{ percent}`, `${n / 100}`),
      ...plain(`${n}%`, `${n} percent`, fullWidth(`${n}`) + "％", `${n} %`),
    ],
    different: [
      ...math(`${n + 1}\\%`, `-${n}\\%`, `${n / 10}\\%`, `\\frac{${n}}{10}`),
      ...plain(`${n + 1}%`, `${n}.5%`),
    ],
  };
};

const surd: Maker = (rng) => {
  const [a, b, c] = [between(rng, 2, 9), rng.pick([2, 3, 5, 6, 7, 10, 11, 13]), nonZero(rng, 20)];
  const tail = (n: number): string => (n < 0 ? `${n}` : `+${n}`);
  return {
    equal: [
      ...math(
        `${a}\\sqrt{${b}}${tail(c)}`,
        `${c}+${a}\\sqrt{${b}}`,
        `\\sqrt{${a * a * b}}${tail(c)}`,
        `${a}\\cdot ${b}^{1/2}${tail(c)}`,
      ),
      ...math(
        `${c}+\\frac{${a * b}}{\\sqrt{${b}}}`,
        `x = ${a}\\sqrt{${b}}${tail(c)}`,
        `${a}\\sqrt[4]{${b * b}}${tail(c)}`,
      ),
      ...plain(`${a}√${b}${tail(c)}`, `${a}√(${b})${tail(c)}`, `${a}*sqrt(${b})${tail(c)}`),
    ],
    different: [
      ...math(
        `${a}\\sqrt{${b}}${tail(-c)}`,
        `${a + 1}\\sqrt{${b}}${tail(c)}`,
        `${a}\\sqrt{${b + 1}}${tail(c)}`,
        `-${a}\\sqrt{${b}}${tail(c)}`,
      ),
      ...math(`\\sqrt{${a * b}}${tail(c)}`, `${a}\\sqrt{${b}}${tail(c)}+10^{-14}`, (a * Math.sqrt(b) + c).toFixed(3)),
    ],
  };
};

const angle: Maker = (rng) => {
  const [p, q] = [between(rng, 1, 7), rng.pick([2, 3, 4, 5, 6, 9, 12])];
  const degrees = (p * 180) / q;
  return {
    equal: math(
      `\\frac{${p}\\pi}{${q}}`,
      `\\frac{${p}}{${q}}\\pi`,
      `${p}\\pi/${q}`,
      `${degrees}^\\circ`,
      `${p}\\cdot\\frac{\\pi}{${q}}`,
    ),
    different: math(
      `\\frac{${p + 1}\\pi}{${q}}`,
      `${degrees + 1}^\\circ`,
      `\\frac{${p}}{${q}}`,
      `\\frac{${p}\\pi^2}{${q}}`,
      `-\\frac{${p}\\pi}{${q}}`,
      ((p * Math.PI) / q).toFixed(4),
    ),
  };
};

const complexNumber: Maker = (rng) => {
  const [a, b] = [nonZero(rng, 9), between(rng, 1, 9) + 1];
  return {
    equal: [
      ...math(
        `${a} + ${b}i`,
        `${b}i + ${a}`,
        `${a}+${b}\\cdot i`,
        `-i(${-b}+${a}i)`,
        `\\frac{${2 * a}+${2 * b}i}{2}`,
        `${a}+\\sqrt{-${b * b}}`,
      ),
      ...math(`${a} - ${b} i^3`, `\\frac{${-b}+${a}i}{i}`),
      ...plain(`${a}.0 + ${b}.0i`, `${a} + ${b}i`),
    ],
    different: math(
      `${a} - ${b}i`,
      `${-a} + ${b}i`,
      `${a + 1} + ${b}i`,
      `${a} + ${b}`,
      `${b} + ${a * 100}i`,
      `${a} + ${b + 1}i`,
    ),
  };
};

const huge: Maker = (rng) => {
  const [b, n] = [rng.pick([2, 3, 5, 7]), between(rng, 60, 900)];
  const m = between(rng, 200, 900);
  return rng.pick([
    {
      equal: math(
        `${b}^{${2 * n}}`,
        `${b * b}^{${n}}`,
        `${b}^{${n}} \\cdot ${b}^{${n}}`,
        `\\frac{${b}^{${3 * n}}}{${b}^{${n}}}`,
        `(${b}^{${n}})^2`,
      ),
      different: math(
        `${b}^{${2 * n + 1}}`,
        `${b}^{${2 * n}}+1`,
        `${b + 1}^{${2 * n}}`,
        `${b}^{${2 * n}}-${b}^{${n}}`,
        `-${b}^{${2 * n}}`,
      ),
    },
    {
      equal: math(`\\frac{1}{${m}!}`, `\\frac{${m + 1}}{${m + 1}!}`, `(${m}!)^{-1}`),
      different: math(`\\frac{1}{${m + 1}!}`, `\\frac{1}{${m - 1}!}`, `0`, `\\frac{${m}}{${m + 1}!}`),
    },
    {
      equal: math(`\\frac{${b}^{${n}}+1}{${b}^{${n + 1}}}`, `\\frac{1}{${b}}+${b}^{-${n + 1}}`),
      different: math(
        `\\frac{1}{${b}}`,
        `\\frac{${b}^{${n}}-1}{${b}^{${n + 1}}}`,
        `\\frac{${b}^{${n}}+2}{${b}^{${n + 1}}}`,
      ),
    },
  ]);
};

const counting: Maker = (rng) => {
  const n = between(rng, 3, 12);
  const k = between(rng, 1, n - 1);
  const factorial = (m: number): number => (m < 2 ? 1 : m * factorial(m - 1));
  const chosen = Math.round(factorial(n) / (factorial(k) * factorial(n - k)));
  return {
    equal: [
      ...math(
        String(chosen),
        `\\binom{${n}}{${k}}`,
        `\\binom{${n}}{${n - k}}`,
        `\\frac{${n}!}{${k}!\\,${n - k}!}`,
        `{${n} \\choose ${k}}`,
      ),
      ...plain(`C(${n},${k})`, `${n}!/(${k}!*${n - k}!)`, `${chosen} ways`, `${chosen}通り`),
    ],
    different: math(
      String(chosen + 1),
      `\\binom{${n + 1}}{${k}}`,
      `\\frac{${n}!}{${k}!}+${n}`,
      `${n}! + ${chosen}`,
      `\\binom{${n}}{${k}}^2+1`,
    ),
  };
};

const logarithm: Maker = (rng) => {
  const [b, k] = [rng.pick([2, 3, 5, 7]), between(rng, 2, 6)];
  return rng.pick([
    {
      equal: math(String(k), `\\log_{${b}} ${b ** k}`, `\\frac{\\ln ${b ** k}}{\\ln ${b}}`, `\\log_${b}(${b ** k})`),
      different: math(`\\log_{${b}} ${b ** k + 1}`, `\\log ${b ** k}`, `\\log_{${b + 1}} ${b ** k}`),
    },
    {
      equal: math(
        `${k}\\ln ${b}`,
        `\\ln ${b ** k}`,
        `\\ln(${b}^{${k}})`,
        `\\log_e ${b ** k}`,
        `-\\ln\\frac{1}{${b ** k}}`,
        `\\ln ${b} + \\ln ${b ** (k - 1)}`,
      ),
      different: math(
        `${k}\\log ${b}`,
        `\\ln ${b ** k + 1}`,
        `(\\ln ${b})^{${k}}`,
        `${k + 1}\\ln ${b}`,
        `${k}+\\ln ${b}`,
      ),
    },
  ]);
};

const base: Maker = (rng) => {
  const [n, b] = [between(rng, 20, 500), rng.pick([2, 3, 5, 8])];
  const digits = n.toString(b);
  return {
    equal: math(`${digits}_${b}`, `${digits}_{${b}}`, String(n), `${n}_{10}`),
    different: math(`${(n + 1).toString(b)}_${b}`, digits, `${digits}_{${b + 1}}`),
  };
};

export const NUMBERS: Readonly<Record<string, Maker>> = {
  integer,
  fraction,
  scientific,
  percent,
  surd,
  angle,
  complexNumber,
  huge,
  counting,
  logarithm,
  base,
};
