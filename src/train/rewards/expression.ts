/** How `+ − * /` bind: as in school, or simply one after another. */
export type Precedence = "standard" | "left-to-right";

export interface ExpressionOptions {
  readonly precedence: Precedence;
}

export interface ExpressionValue {
  readonly value: number;
  /** The numbers used, in order. */
  readonly numbers: number[];
}

export const MAX_CHARACTERS = 1_000;
export const MAX_DEPTH = 50;
export const TOKEN = /\s*(?:(\d+(?:\.\d+)?|\.\d+)|([-+*/()]))/y;

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};
export const STRENGTH: Readonly<Record<Precedence, Readonly<Record<string, number>>>> = {
  standard: { "+": 1, "-": 1, "*": 2, "/": 2 },
  "left-to-right": { "+": 1, "-": 1, "*": 1, "/": 1 },
};

function tokenize(text: string): (number | string)[] | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  const tokens: (number | string)[] = [];
  const source = text.trimEnd();
  for (let at = 0; at < source.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (!match) return undefined;
    const [, number, sign = ""] = match;
    tokens.push(number === undefined ? sign : Number(number));
  }
  return tokens;
}

/** Reads and computes at once; undefined stands for what is no expression. */
class Calculator {
  readonly numbers: number[] = [];
  readonly #tokens: readonly (number | string)[];
  readonly #strength: Readonly<Record<string, number>>;
  #at = 0;

  constructor(tokens: readonly (number | string)[], precedence: Precedence) {
    this.#tokens = tokens;
    this.#strength = STRENGTH[precedence];
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** Precedence climbing: operators at least as strong as `weakest`, from the left. */
  expression(weakest: number, depth: number): number | undefined {
    let left = this.#value(depth);
    while (left !== undefined) {
      const sign = this.#tokens[this.#at];
      const strength = typeof sign === "string" ? this.#strength[sign] : undefined;
      const operator = typeof sign === "string" ? OPERATORS[sign] : undefined;
      if (strength === undefined || !operator || strength < weakest) return left;
      this.#at++;
      const right = this.expression(strength + 1, depth);
      left = right === undefined ? undefined : operator(left, right);
    }
    return undefined;
  }

  #value(depth: number): number | undefined {
    const token = this.#tokens[this.#at++];
    if (depth > MAX_DEPTH || token === undefined) return undefined;
    if (typeof token === "number") {
      this.numbers.push(token);
      return token;
    }
    if (token === "-" || token === "+") {
      const value = this.#value(depth + 1);
      return value === undefined ? undefined : token === "-" ? -value : value;
    }
    if (token !== "(") return undefined;
    const value = this.expression(1, depth + 1);
    return this.#tokens[this.#at++] === ")" ? value : undefined;
  }
}

/**
 * Computes numbers joined by `+ − * /` and parentheses; signs before a value are allowed.
 * @returns undefined for anything else, for a value that is not finite (division by zero), and for more than 1000
 * characters
 */
export function evaluateExpression(text: string, { precedence }: ExpressionOptions): ExpressionValue | undefined {
  const tokens = tokenize(text);
  if (!tokens) return undefined;
  const calculator = new Calculator(tokens, precedence);
  const value = calculator.expression(1, 0);
  if (value === undefined || !calculator.done || !Number.isFinite(value)) return undefined;
  return { value, numbers: calculator.numbers };
}
