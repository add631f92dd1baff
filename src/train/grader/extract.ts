import { lastBoxed } from "./boxed.ts";
import type { Span } from "./boxed.ts";
import { cleanText } from "./clean.ts";
import { MAX_ANSWER_CHARACTERS, MAX_TEXT_CHARACTERS } from "./limits.ts";
import { lastFormula } from "./segments.ts";
import { isProseWord } from "./words.ts";

/** The answer found in a text. */
export interface Extracted {
  readonly text: string;
  /** Written as plain text, where `1,22` may be a decimal and `1e-3` scientific notation. */
  readonly plain: boolean;
}

/** Phrases that announce an answer; the last one counts. */
const FINAL = /final\s+answer(?:\s+is)?(?:\*\*)?\s*:?(?:\s*the\s+final\s+answer\s+is:?)?(?:\*\*)?/gi;
const ANNOUNCED =
  /####|answer(?:\s+is)?(?:\*\*)?\s*:|(?:answer|solution|option|choice)\s+is|(?:答え|解答?|正解)[はを:：]/gi;
/** What ends a Japanese sentence about a value: "… is". */
const COPULA = /(?:です|となります|になります|である|だ)?[。．]?$/u;
/** Syllables, which no formula has. */
const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/u;
/** Where the announced sentence ends. */
const SENTENCE_END = /。|\.\s*I hope|<\||\.\s+(?=[A-Z])|\n\s*\n(?=\s*\S)/;
const ANSWER_TAG = /<answer>((?:(?!<answer>)[\s\S])*?)<\/answer>/g;

const DIGITS = String.raw`(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d{1,3}(?: \d{3})+(?!\d)|\d{1,400})`;
const VALUE = String.raw`(?:${DIGITS}(?:[.,]\d{1,400})?|\.\d{1,400})`;
const PLAIN_NUMBER = new RegExp(
  String.raw`(?<![\w.])-?[$€£]?(?:\d{1,9} \d{1,9}\/\d{1,9}|${VALUE}(?:\s?\/\s?${VALUE}|[eE][+-]?\d{1,3})?)` +
    String.raw`(?:\s?(?:\\?%|percent\b|pct\b))?`,
  "g",
);
const DELIMITER = /(?<!\\)(?:\$|\\[()[\]])/;
const PERCENT_AFTER = /^[\s$]{0,3}(?:\\?%|percent\b|pct\b)/;

function lastMatch(text: string, pattern: RegExp): RegExpExecArray | undefined {
  return [...text.matchAll(pattern)].at(-1);
}

/** Adds the percent sign that stands after a formula or a box. */
function withPercent(text: string, { end, content }: Span): string {
  return PERCENT_AFTER.test(text.slice(end, end + 12)) && !content.includes("%") ? `${content}\\%` : content;
}

function lastNumber(text: string): Span | undefined {
  const match = lastMatch(text, PLAIN_NUMBER);
  return match && { start: match.index, end: match.index + match[0].length, content: match[0] };
}

/** Mathematics without delimiters, or a single word: nothing in it reads as prose. */
function isBare(text: string): boolean {
  if (text === "" || text.length > MAX_ANSWER_CHARACTERS || DELIMITER.test(text)) return false;
  const outside = text
    .replaceAll(/\\(?:text[a-z]*|mbox|hbox|mathrm|operatorname\*?)\s*\{[^{}]*\}/g, " ")
    .replaceAll(/\\(?:begin|end)\{[^{}]*\}|\\[a-zA-Z]+/g, " ");
  const runs = outside.match(/\p{L}+/gu) ?? [];
  return /^\p{L}+$/u.test(text) || !runs.some((run) => isProseWord(run) || KANA.test(run));
}

function trimMarks(text: string): string {
  return text
    .trim()
    .replace(/^[\s*:=#]+/, "")
    .replace(/[\s*.,;:?]{1,50}$/, "")
    .replace(COPULA, "")
    .trim();
}

/** The answer of a sentence that announces it. */
function fromAnnouncement(text: string): Extracted | undefined {
  const lead = text.replace(/^[\s:*]+/, "");
  const sentence = lead.slice(0, SENTENCE_END.exec(lead)?.index);
  const boxed = lastBoxed(sentence);
  if (boxed) return { text: withPercent(sentence, boxed), plain: false };
  const [formula, number] = [lastFormula(sentence), lastNumber(sentence)];
  if (formula && (!number || number.start < formula.end)) return { text: withPercent(sentence, formula), plain: false };
  const bare = trimMarks(sentence);
  if (isBare(bare)) return { text: bare, plain: true };
  return number && { text: number.content, plain: true };
}

/** The last part of a text that a pattern announces. */
function announced(text: string, pattern: RegExp): Extracted | undefined {
  const match = lastMatch(text, pattern);
  return match && fromAnnouncement(text.slice(match.index + match[0].length));
}

/**
 * Finds the answer in what a person or a model wrote. In this order: the content of the last `<answer>` tag instead of
 * the text; "the final answer is …" if no box follows it; the last `\boxed{}`; `#### …` and "the answer is …"; a text
 * that is nothing but mathematics; the last formula; the last number.
 * @returns undefined where there is none of these
 */
export function extractAnswer(input: string): Extracted | undefined {
  const cleaned = cleanText(input.slice(-MAX_TEXT_CHARACTERS)).trim();
  const tagged = lastMatch(cleaned, ANSWER_TAG)?.[1];
  const text = tagged === undefined || tagged.trim() === "" ? cleaned : tagged.trim();
  const boxed = lastBoxed(text);
  const final = lastMatch(text, FINAL);
  if (final && final.index > (boxed?.start ?? -1)) {
    const found = announced(text, FINAL);
    if (found) return found;
  }
  if (boxed) return { text: withPercent(text, boxed), plain: false };
  const bare = trimMarks(text);
  if (isBare(bare)) return { text: bare, plain: true };
  const answer = announced(text, ANNOUNCED);
  if (answer) return answer;
  const formula = lastFormula(text);
  if (formula) return { text: withPercent(text, formula), plain: false };
  const number = lastNumber(text);
  return number && { text: number.content, plain: true };
}
