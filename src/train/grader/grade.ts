import { canonicalString, canonicalWords, cleanAnswer, wording } from "./clean.ts";
import { withoutLabel } from "./choice.ts";
import { Comparison } from "./compare.ts";
import { EAST_ASIAN } from "./east-asian.ts";
import { extractAnswer } from "./extract.ts";
import type { Extracted } from "./extract.ts";
import type { TokenizeOptions } from "./latex-tokens.ts";
import { MAX_ANSWER_CHARACTERS } from "./limits.ts";
import { sameMoment } from "./moments.ts";
import type { Node } from "./node.ts";
import { parseAnswer } from "./parse.ts";
import { withoutThoughts } from "./thoughts.ts";
import { TooMuchWork, Work } from "./work.ts";
import { APPROXIMATIONS, constantNamed, FUNCTIONS, mathOfWords } from "./words.ts";

export interface GradeOptions {
  /** Digits after the point that a decimal must have to be taken for a rounding; 6 as in Math-Verify. */
  readonly precision?: number;
}

const DEFAULT_PRECISION = 6;
const DECIMAL_COMMA = /^[-+]?\d+,\d+(?![\d,])/;
const DECIMAL_COMMAS = /\d,\d/;
/** Signs alone are no answer. */
const MEANINGFUL = /[\p{L}\p{N}]|\\\{/u;
const THOUSANDS = /\d[, ]\d{3}(?!\d)/;
const LETTER_UNIT = /\d\s?[mgLlshAVWNJKC](?![a-zA-Z(])/;
/** In LaTeX 2.8e-3 is 2.8e minus 3, but hardly anybody means that. */
const EXPONENT = /\d[eE][-+]\d/;
/** Runs of letters that may be products of variables: no vowel, or nothing but x, y and z. */
const PRODUCT = /^(?:[xyz]+|[b-df-hj-np-tv-xz]+)$/;

/**
 * The ways to read an answer: `1,234` is a number or two, `1,22` two numbers or a decimal, `5m` a length or a product.
 * A gold answer in LaTeX says what it means: there a comma lists, and a letter is a variable.
 */
function readings({ text: whole, plain, choice }: Extracted, isGold: boolean): Node[] {
  const text = choice === undefined ? whole : withoutLabel(whole);
  const cleaned = cleanAnswer(text).replace(APPROXIMATIONS, "");
  const math = mathOfWords(wording(text)) ?? cleaned;
  const isLoose = plain || !isGold;
  const first: TokenizeOptions = { grouping: true, decimalComma: false, plain, letterUnits: isLoose };
  const options = [first];
  if (THOUSANDS.test(cleaned)) options.push({ ...first, grouping: false });
  else if (DECIMAL_COMMAS.test(cleaned) && (cleaned.includes(";") || (isLoose && DECIMAL_COMMA.test(cleaned))))
    options.push({ ...first, grouping: false, decimalComma: true });
  if (!isGold && !plain && EXPONENT.test(cleaned)) options.push({ ...first, plain: true });
  if (isLoose && LETTER_UNIT.test(cleaned)) options.push({ ...first, letterUnits: false });
  return options.map((option) => parseAnswer(math, option)).filter((node) => node !== undefined);
}

/** An answer that is one run of letters, where it reads as a word or as points in order. */
function wordOf(text: string): string | undefined {
  const word = wording(text);
  if (!/^\p{L}{2,}$/u.test(word) || constantNamed(word) !== undefined || FUNCTIONS.has(word)) return undefined;
  // Numbers written out are values, and BとD are two letters.
  if (mathOfWords(word) !== undefined || (/[A-Z]/.test(word) && EAST_ASIAN.test(word))) return undefined;
  return word;
}

/**
 * Are two answers the same word? The order of letters counts, capital letters do not.
 * @returns undefined where they are not both words, or may be products of variables
 */
function sameWords(a: string, b: string): boolean | undefined {
  const [left, right] = [wordOf(a), wordOf(b)];
  if (left !== undefined && right !== undefined) {
    if (left.toLowerCase() === right.toLowerCase()) return true;
    return PRODUCT.test(left) && PRODUCT.test(right) ? undefined : false;
  }
  const [word, other] = left === undefined ? [right, a] : [left, b];
  if (word === undefined || word !== word.toUpperCase() || word === word.toLowerCase()) return undefined;
  // BACD is also B, A, C, D, but no product.
  return (
    word === wording(other).replaceAll(/\\(?:to|rightarrow|quad)(?![a-z])|(?<![a-z])and(?![a-z])|[\s,;→>、と和-]/g, "")
  );
}

const LEAD = /^\s*(?:the\s+)?(?:final\s+)?(?:answer\s*(?:is|[:：])|answer)\s*[:：]?\s*/i;

/** Is a gold answer of several words all that a prediction says? */
function saysTheWords(expected: string, prediction: string): boolean {
  const words = canonicalWords(expected);
  if (
    !/^\s*\\(?:text|textbf|textit|textrm|mbox|mathrm)\s?\{[^{}\\]*\}\s*$/.test(expected) ||
    !/^(?=.*\p{L}{2}).*\s/u.test(words) ||
    prediction.length > MAX_ANSWER_CHARACTERS
  )
    return false;
  const said = withoutThoughts(prediction)?.replaceAll(/[*_`$]/g, "");
  return said !== undefined && canonicalWords(said.replace(LEAD, "")) === words;
}

/** @returns undefined where neither answer is a choice between labelled ones */
function sameChoice(expected: Extracted, given: Extracted): boolean | undefined {
  const gold = expected.choice;
  const mine = given.choice ?? /^\(?([a-z])\)?$/.exec(given.text.trim())?.[1]?.toUpperCase();
  if (gold === undefined || mine === undefined) return undefined;
  return gold === mine;
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
  if (saysTheWords(expected.text, prediction)) return true;
  if (!given) return false;
  const isSame = canonicalString(expected.text) === canonicalString(given.text);
  if (expected.isOpen === true || given.isOpen === true)
    return isSame || canonicalWords(expected.text) === canonicalWords(given.text);
  if (expected.text.length > MAX_ANSWER_CHARACTERS || given.text.length > MAX_ANSWER_CHARACTERS) return isSame;
  const decided =
    sameChoice(expected, given) ??
    sameMoment(wording(expected.text), wording(given.text)) ??
    sameWords(expected.text, given.text);
  if (decided !== undefined) return decided;
  if (isSame) return true;
  const [left, right] = [readings(expected, true), readings(given, false)];
  const isNamed = [...left, ...right].some(({ kind }) => kind === "text");
  const words = canonicalWords(expected.text);
  if (isNamed && words !== "" && words === canonicalWords(given.text)) return true;
  return sameReadings(left, right, options.precision ?? DEFAULT_PRECISION);
}

function sameReadings(left: readonly Node[], right: readonly Node[], precision: number): boolean {
  const work = new Work();
  try {
    return left.some((a) => right.some((b) => new Comparison(precision, work).same(a, b)));
  } catch (error) {
    if (error instanceof TooMuchWork) return false;
    throw error;
  }
}

/** {@link gradeAnswer} where an unreadable gold answer counts as wrong. */
export function mathEqual(gold: string, prediction: string, options: GradeOptions = {}): boolean {
  return gradeAnswer(gold, prediction, options) === true;
}
