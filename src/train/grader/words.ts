import { mathOfNumberWords } from "./number-words.ts";
import { isCountedWord, isLetterUnit, unitNamed } from "./units.ts";

/** Function names, as LaTeX commands (`\sin`) and as bare words (`sin`). */
export const FUNCTIONS: ReadonlySet<string> = new Set([
  ..."sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan arccot asin acos atan".split(" "),
  ..."ln log lg exp sqrt abs max min gcd lcm".split(" "),
]);

/** Bare words that stand for one symbol. */
export const CONSTANT_WORDS: ReadonlyMap<string, string> = new Map([
  ["pi", "\\pi"],
  ["infinity", "\\infty"],
  ["inf", "\\infty"],
  ["infty", "\\infty"],
  ..."alpha beta gamma delta epsilon theta lambda mu sigma phi omega"
    .split(" ")
    .map((name) => [name, `\\${name}`] as const),
]);
const CAPITAL_WORDS: ReadonlyMap<string, string> = new Map([
  ["Theta", "\\Theta"],
  ["Omega", "\\Omega"],
]);

/** The symbol that a bare word stands for. */
export function constantNamed(word: string): string | undefined {
  return CAPITAL_WORDS.get(word) ?? CONSTANT_WORDS.get(word.toLowerCase());
}

/** Words between answers. */
export const SEPARATOR_WORDS: ReadonlySet<string> = new Set(["and", "or"]);

export const PERCENT_WORDS: ReadonlySet<string> = new Set(["percent", "pct"]);

/** Words after a number that multiply it, as powers of ten. */
export const SCALES: ReadonlyMap<string, number> = new Map([
  ["hundred", 2],
  ["thousand", 3],
  ["million", 6],
  ["billion", 9],
  ["trillion", 12],
  ["万", 4],
  ["萬", 4],
  ["億", 8],
  ["亿", 8],
]);

/** Words that begin what an answer is said to hold for. */
export const QUALIFIERS: ReadonlySet<string> = new Set([
  "for",
  "where",
  "when",
  "if",
  "with",
  "such",
  "whenever",
  "provided",
]);

/** Words that say only that a number is rounded. */
export const APPROXIMATIONS =
  /^(?:\\approx|≈|~|about|approximately|approx\.?|roughly|around|nearly|約|约|大约|およそ|ほぼ)\s*(?=[-+\d.\\(])/i;

/** Answers that say that there is none. */
const NO_SOLUTION =
  /^(?:there (?:is|are) |(?:the|this) (?:equation|system|inequality|problem) has )?no (?:real |integer |such |valid )?(?:solutions?|roots?|values?|numbers?|answers?|real numbers?|integers?)(?: exists?)?$|^(?:the )?(?:empty|null) set$|^(?:解なし|無解|无解|空集合|空集|(?:実数)?解は(?:ない|ありません|存在しない|存在しません)|[\p{Script=Han}]{0,8}(?:无|無|没有|沒有)(?:实数|實數)?解|無し|なし)$/iu;
const REALS = /^(?:the set of )?(?:all )?(?:real numbers?|reals)$|^全ての実数$|^すべての実数$|^全体实数$|^所有实数$/i;
const INTEGERS = /^(?:the set of )?(?:all )?(?:integers)$|^すべての整数$|^所有整数$/i;

const NOTHING =
  /^(?:(?:the|this)\s)?(?:limit|value|sum|number|it|point|maximum|minimum)?\s?(?:dne|(?:does not|doesn't|do not|don't) exists?)$|^DNE$|^[\p{Script=Han}]{0,6}は?(?:不存在|存在しない|存在しません)$/iu;

/** Mathematics for an answer in words: sets that have names, what does not exist, numbers written out. */
export function mathOfWords(words: string): string | undefined {
  if (NO_SOLUTION.test(words)) return "\\emptyset";
  if (REALS.test(words)) return "\\mathbb{R}";
  if (INTEGERS.test(words)) return "\\mathbb{Z}";
  return NOTHING.test(words) ? "\\text{DNE}" : mathOfNumberWords(words);
}

/** Two-letter words that tell prose from a product of two variables. */
const SHORT_WORDS = new Set("am an as at be by do go he if in is it me my no of on so to up us we".split(" "));

/** True for a run of letters that reads as a word and not as variables side by side. */
export function isProseWord(run: string): boolean {
  const word = run.toLowerCase();
  if (word === "mod" || word === "per" || SCALES.has(word)) return false;
  if ([FUNCTIONS, CONSTANT_WORDS, SEPARATOR_WORDS, PERCENT_WORDS].some((set) => set.has(word))) return false;
  if (isCountedWord(word) || unitNamed(run) !== undefined) return false;
  if (run.length <= 2) return SHORT_WORDS.has(word);
  // Names of points (`ABC`) and products without a vowel (`xyz`) are mathematics.
  if (run === run.toUpperCase() && run.length <= 5) return false;
  return /[aeiou]/.test(word);
}

/** A word after a number that says what is counted: not variables side by side, such as abc. */
export function isLabel(run: string): boolean {
  if (isLetterUnit(run) || run.length < 3 || !isProseWord(run)) return false;
  if (run.length > 3) return true;
  return !(run[0] !== undefined && run[0] < (run[1] ?? "") && (run[1] ?? "") < (run[2] ?? ""));
}
