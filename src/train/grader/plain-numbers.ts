import type { Span } from "./boxed.ts";
import { unitNamed } from "./units.ts";
import { isProseWord } from "./words.ts";

const DIGITS = String.raw`(?:\d{1,3}(?:,\d{3}){1,20}(?![\d,])|\d{1,2}(?:,\d{2}){1,12},\d{3}(?![\d,])|\d{1,3}(?:[ '_]\d{3}){1,20}(?!\d)|\d{1,400})`;
const VALUE = String.raw`(?:${DIGITS}(?:[.,]\d{1,400})?|\.\d{1,400})`;
const FRACTION = String.raw`(?:\d{1,9}\s?)?\\[dt]?frac\{\d{1,40}\}\{\d{1,40}\}`;
const POWER_OF_TEN = String.raw`(?:\s?(?:\\times|\\cdot|x|\*)\s?10)?\^(?:\{[-+]?\d{1,9}\}|-?\d{1,9})`;
const TIME = String.raw`(?:\d{1,9}(?::\d{1,9}){1,5}(?:\s?[aApP]\.?[mM]\b\.?)?)`;
/** A number in prose: with a sign, a currency, as a fraction, a mixed number, a power, a ratio, a time. */
const NUMBER = new RegExp(
  String.raw`(?<![\w.\\^_{])-?\\?[$€£¥₹]?(?:${TIME}|${FRACTION}|\d{1,9} \d{1,9}\/\d{1,9}|` +
    String.raw`${VALUE}(?:\s?\/\s?${VALUE}|[eE][+-]?\d{1,3}(?!\w)|${POWER_OF_TEN})?)(?:\s(?:hundred|thousand|million|billion|trillion)\b|[万萬億亿])?(?:\s?(?:\\?%|percent\b|pct\b))?`,
  "g",
);

const AND = "(?:and|or|と|か|和|或者?|还是|還是|または|もしくは|及び|and/or)";
const HEDGE = "(?:maybe|perhaps|possibly|else|even|also|alternatively|rather|it is|it's)";
/** Between two numbers that are one answer: a word that is counted, then "and" or "or". */
const JOINED = new RegExp(
  String.raw`^(?:\s?[a-z]{2,20}|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]{1,8}?)?\s*,?\s*${AND}(?:\s${HEDGE})?\s*$`,
  "u",
);
const LISTED = /^\s*[,、]\s*$/;

/** Letters right after digits are a variable (2n) unless they are a unit, an ordinal or a word. */
function isAlone(text: string, end: number): boolean {
  const run = /^[a-zA-Z]{1,40}/.exec(text.slice(end, end + 40))?.[0];
  if (run === undefined) return true;
  return unitNamed(run) !== undefined || /^(?:st|nd|rd|th|x)$/.test(run) || (run.length > 2 && isProseWord(run));
}

/** All numbers of a text in prose. */
export function numbersIn(text: string): Span[] {
  return [...text.matchAll(NUMBER)]
    .map((match) => ({ start: match.index, end: match.index + match[0].length, content: match[0] }))
    .filter(({ end }) => isAlone(text, end));
}

/** Numbers that "and" or "or" joins, as one list; `index` is the last one's where they are sought backwards. */
export function chainOf(text: string, numbers: readonly Span[], index: number, step: 1 | -1): Span | undefined {
  const start = numbers[index];
  if (!start) return undefined;
  const gapTo = (at: number): string => {
    const [a, b] = step > 0 ? [numbers[at - 1], numbers[at]] : [numbers[at], numbers[at + 1]];
    return text.slice(a?.end, b?.start);
  };
  const parts = [start];
  let isJoined = false;
  for (let at = index + step; numbers[at]; at += step) {
    const gap = gapTo(at);
    const isWord = JOINED.test(gap);
    // Commas alone join only what "and" or "or" joins too: "In 2020, 15 people" holds two numbers.
    if (!isWord && !LISTED.test(gap)) break;
    isJoined ||= isWord;
    const next = numbers[at];
    if (next) parts.push(next);
    if (!isJoined && step < 0) break;
  }
  if (!isJoined) return start;
  const ordered = parts.toSorted((a, b) => a.start - b.start);
  return {
    start: ordered[0]?.start ?? start.start,
    end: ordered.at(-1)?.end ?? start.end,
    content: ordered.map(({ content }) => content).join(", "),
  };
}
