import { canonicalString, canonicalWords, cleanAnswer } from "./clean.ts";
import { Comparison } from "./compare.ts";
import { extractAnswer } from "./extract.ts";
import type { Extracted } from "./extract.ts";
import type { Node } from "./node.ts";
import { parseAnswer } from "./parse.ts";

export interface GradeOptions {
  /** Decimals in which a number written as a decimal must agree; 6 as in Math-Verify. */
  readonly precision?: number;
}

const DEFAULT_PRECISION = 6;
const DECIMAL_COMMA = /^[-+]?\d+,\d+$/;
/** Signs alone are no answer. */
const MEANINGFUL = /[\p{L}\p{N}]|\\\{/u;
/** The letter of "(B) 12", "\\textbf{(B)} 12" or "B) 12". */
const CHOICE = /^\s*(?:\\(?:text|textbf|textrm|mathrm)\s*\{)?\s*\(?([A-Z])\)/;
const THOUSANDS = /\d[, ]\d{3}(?!\d)/;

/** The ways to read an answer: `1,234` is a number or two, `1,22` two numbers or a decimal. */
function readings({ text, plain }: Extracted): Node[] {
  const cleaned = cleanAnswer(text);
  const found = [parseAnswer(cleaned, { thousands: true, plain })];
  if (THOUSANDS.test(cleaned)) found.push(parseAnswer(cleaned, { thousands: false, plain }));
  else if (plain && DECIMAL_COMMA.test(cleaned))
    found.push(parseAnswer(cleaned.replace(",", "."), { thousands: false, plain }));
  return found.filter((node) => node !== undefined);
}

function isWords(node: Node): boolean {
  return node.kind === "text";
}

/**
 * Does a prediction give the gold answer? Both are texts as a model writes them: prose around `$…$` or `\boxed{}`,
 * bare LaTeX, plain numbers or words. Expressions are compared by value, equations as multiples of one another, sets
 * without order. In the spirit of huggingface/Math-Verify, whose test vectors it is measured on.
 * @returns undefined where no answer can be found in the gold text
 */
export function gradeAnswer(gold: string, prediction: string, options: GradeOptions = {}): boolean | undefined {
  const expected = extractAnswer(gold);
  if (!expected || !MEANINGFUL.test(expected.text)) return undefined;
  const given = extractAnswer(prediction);
  if (!given) return false;
  if (canonicalString(expected.text) === canonicalString(given.text)) return true;
  const [left, right] = [readings(expected), readings(given)];
  const named = [...left, ...right].some(isWords);
  const words = canonicalWords(expected.text);
  if (named && words !== "" && words === canonicalWords(given.text)) return true;
  if (/^[a-z]$/.test(words) && CHOICE.exec(given.text)?.[1]?.toLowerCase() === words) return true;
  const comparison = new Comparison(options.precision ?? DEFAULT_PRECISION);
  return left.some((a) => right.some((b) => comparison.same(a, b)));
}

/** {@link gradeAnswer} where an unreadable gold answer counts as wrong. */
export function mathEqual(gold: string, prediction: string, options: GradeOptions = {}): boolean {
  return gradeAnswer(gold, prediction, options) === true;
}
