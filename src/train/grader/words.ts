/** Function names, as LaTeX commands (`\sin`) and as bare words (`sin`). */
export const FUNCTIONS: ReadonlySet<string> = new Set([
  ..."sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan asin acos atan".split(" "),
  ..."ln log lg exp sqrt abs".split(" "),
]);

/** Bare words that stand for one symbol. */
export const CONSTANT_WORDS: ReadonlyMap<string, string> = new Map([
  ["pi", "\\pi"],
  ["infinity", "\\infty"],
  ["inf", "\\infty"],
  ["infty", "\\infty"],
]);

/** Words between answers. */
export const SEPARATOR_WORDS: ReadonlySet<string> = new Set(["and", "or"]);

export const PERCENT_WORDS: ReadonlySet<string> = new Set(["percent", "pct"]);

/** Words after a number that do not change it. */
const UNITS =
  "mm cm dm km inch inches ft foot feet yard yards mile miles meter meters metre metres centimeters centimetres " +
  "kilometers kilometres mg kg gram grams kilogram kilograms pound pounds lb lbs oz ounces liter liters litre litres " +
  "ml sec second seconds min minute minutes hr hour hours day days week weeks month months year years " +
  "degree degrees deg radian radians dollar dollars cent cents usd euro euros yen unit units square sq cubic cu " +
  "mph kph kmh people students ways";
export const UNIT_WORDS: ReadonlySet<string> = new Set(UNITS.split(" "));

/** Two-letter words that tell prose from a product of two variables. */
const SHORT_WORDS = new Set("am an as at be by do go he if in is it me my no of on so to up us we".split(" "));

/** True for a run of letters that reads as a word and not as variables side by side. */
export function isProseWord(run: string): boolean {
  const word = run.toLowerCase();
  const known = [FUNCTIONS, CONSTANT_WORDS, SEPARATOR_WORDS, PERCENT_WORDS, UNIT_WORDS].some((set) => set.has(word));
  if (known) return false;
  if (run.length <= 2) return SHORT_WORDS.has(word);
  // Names of points (`ABC`) and products without a vowel (`xyz`) are mathematics.
  if (run === run.toUpperCase() && run.length <= 5) return false;
  return /[aeiou]/.test(word);
}
