import { MAX_DIGITS, MAX_TOKENS } from "./limits.ts";
import { decimal, multiply } from "./rational.ts";
import type { Rational } from "./rational.ts";
import { CONSTANT_WORDS, FUNCTIONS, PERCENT_WORDS, SEPARATOR_WORDS, UNIT_WORDS } from "./words.ts";

/**
 * One token. `command` texts start with a backslash; `text` is what `\text{…}` held, or a unit; `separator` is a comma
 * in words; `begin` and `end` carry the environment's name; `sign` is a single character.
 */
export type Token =
  | { readonly kind: "number"; readonly text: string; readonly value: Rational; readonly decimal: boolean }
  | { readonly kind: "letter" | "function" | "command" | "text" | "separator" | "begin" | "end"; readonly text: string }
  | { readonly kind: "sign"; readonly text: string };

const PERCENT: Token = { kind: "sign", text: "%" };
const SEPARATOR: Token = { kind: "separator", text: "," };

const SPACE = /\s+/y;
const REPEATING = /(\d*\.\d*)\\(?:overline|bar|dot)\{?(\d+)\}?/y;
const GROUPED = /\d{1,3}(?:(?:,\d{3})+|(?: \d{3})+)(?![\d,])(?:\.\d+)?/y;
const NUMBER = /\d+(?:\.\d+)?|\.\d+/y;
const SCIENTIFIC = /(\d+(?:\.\d+)?)[eE]([+-]?\d{1,3})(?![\d.])/y;
const ENVIRONMENT = /\\(begin|end)\s*\{([a-zA-Z]+\*?)\}/y;
const TEXT = /\\(?:text|textbf|textit|textnormal|textrm|mbox|hbox)\s*\{([^{}]*)\}/y;
/** Upright words: operators, units, names. */
const UPRIGHT = /\\(?:operatorname\*?|mathrm|rm)\s*\{\s*([a-zA-Z]{2,})\s*\}/y;
const COMMAND = /\\(?:[a-zA-Z]+|.)/sy;
const LETTERS = /[a-zA-Z]+/y;
/** `\quad` runs into the next letter where a data set lost a space. */
const QUAD = /^\\q?quad(?=[a-z])/;

export interface TokenizeOptions {
  /** Reads `1,234` as one number outside brackets. */
  readonly thousands: boolean;
  /** Reads `1e-3` with a signed exponent, which in LaTeX is e minus 3. */
  readonly plain: boolean;
}

/** @returns undefined for a text with too many tokens or digits */
export function tokenize(text: string, { thousands, plain }: TokenizeOptions): Token[] | undefined {
  const tokens: Token[] = [];
  let at = 0;
  let brackets = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const pushNumber = (digits: string, repeating = "", exponent = 0): boolean => {
    if (digits.length + repeating.length > MAX_DIGITS) return false;
    const zeros = "0".repeat(Math.abs(exponent));
    const head = decimal(digits, repeating);
    const scaled = exponent === 0 ? head : scale(head, exponent > 0 ? `1${zeros}` : `0.${zeros.slice(1)}1`);
    if (!scaled) return false;
    tokens.push({ kind: "number", text: digits, value: scaled, decimal: digits.includes(".") && repeating === "" });
    return true;
  };

  while (at < text.length) {
    if (tokens.length > MAX_TOKENS) return undefined;
    if (match(SPACE)) continue;
    const repeating = match(REPEATING);
    if (repeating) {
      if (!pushNumber(repeating[1] ?? "", repeating[2])) return undefined;
      continue;
    }
    const grouped = thousands && brackets === 0 && match(GROUPED);
    if (grouped) {
      if (!pushNumber(grouped[0].replaceAll(/[ ,]/g, ""))) return undefined;
      continue;
    }
    const scientific = match(SCIENTIFIC);
    if (scientific) {
      const [whole, digits = "", exponent = ""] = scientific;
      if (plain || /^\d/.test(exponent)) {
        if (!pushNumber(digits, "", Number(exponent))) return undefined;
        continue;
      }
      at -= whole.length;
    }
    const number = match(NUMBER);
    if (number) {
      if (!pushNumber(number[0])) return undefined;
      continue;
    }
    const environment = match(ENVIRONMENT);
    if (environment) {
      tokens.push({ kind: environment[1] === "begin" ? "begin" : "end", text: environment[2] ?? "" });
      continue;
    }
    const words = match(TEXT);
    if (words) {
      tokens.push(textToken(words[1] ?? ""));
      continue;
    }
    const upright = match(UPRIGHT);
    if (upright) {
      pushLetters(tokens, upright[1] ?? "");
      continue;
    }
    const command = match(COMMAND);
    if (command) {
      const quad = QUAD.exec(command[0]);
      if (quad) at -= command[0].length - quad[0].length;
      const name = quad?.[0] ?? command[0];
      if (name === "\\{") brackets++;
      if (name === "\\}") brackets--;
      if (name === "\\%") tokens.push(PERCENT);
      else if (FUNCTIONS.has(name.slice(1)) && name !== "\\sqrt")
        tokens.push({ kind: "function", text: name.slice(1) });
      else tokens.push({ kind: "command", text: name });
      continue;
    }
    const letters = match(LETTERS);
    if (letters) {
      pushLetters(tokens, letters[0]);
      continue;
    }
    const sign = text[at] ?? "";
    if (sign === "(" || sign === "[") brackets++;
    if (sign === ")" || sign === "]") brackets--;
    tokens.push({ kind: "sign", text: sign });
    at++;
  }
  return tokens.length > MAX_TOKENS ? undefined : tokens;
}

function scale(value: Rational | undefined, factor: string): Rational | undefined {
  const by = decimal(factor);
  if (!value || !by) return undefined;
  return multiply(value, by);
}

function textToken(text: string): Token {
  const word = text.trim().toLowerCase();
  if (SEPARATOR_WORDS.has(word) || word === ",") return SEPARATOR;
  if (PERCENT_WORDS.has(word)) return PERCENT;
  return { kind: "text", text: text.trim() };
}

/** A run of letters is a known word, a unit after a number, or variables side by side. */
function pushLetters(tokens: Token[], run: string): void {
  const word = run.toLowerCase();
  const previous = tokens.at(-1);
  const afterValue = previous?.kind === "number" || previous?.kind === "text" || previous?.text === "}";
  const constant = CONSTANT_WORDS.get(word);
  if (SEPARATOR_WORDS.has(run)) tokens.push(SEPARATOR);
  else if (constant !== undefined) tokens.push({ kind: "command", text: constant });
  else if (run === "sqrt") tokens.push({ kind: "command", text: "\\sqrt" });
  else if (FUNCTIONS.has(run)) tokens.push({ kind: "function", text: run });
  else if (afterValue && PERCENT_WORDS.has(word)) tokens.push(PERCENT);
  else if (afterValue && UNIT_WORDS.has(word)) tokens.push({ kind: "text", text: run });
  else for (const letter of run) tokens.push({ kind: "letter", text: letter });
}
