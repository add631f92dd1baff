import { count, japaneseEvidence } from "./han.ts";
import { perItem } from "./reward.ts";

const START = "<think>";
const END = "</think>";
export const LATIN = /\p{Script=Latin}/u;
/** Han characters and kana, with the marks of length and voicing that belong to no script, half-width ones too. */
export const CJK =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\u3099-\u309Aー々〆\uFF70\uFF9E\uFF9F]/u;
/** Latin letters with the apostrophes and hyphens inside words. */
const LATIN_RUN = /\p{Script=Latin}[\p{Script=Latin}\p{M}]*(?:['’-]\p{Script=Latin}[\p{Script=Latin}\p{M}]*)*/gu;
const CJK_RUN = new RegExp(`${CJK.source}+`, "gu");
/** A mark alone is an accent of the word before it. */
const OTHER = (signs: string): string => `(?:(?!\\p{Script=Latin}|${CJK.source})${signs})`;
const OTHER_RUN = new RegExp(`${OTHER("\\p{L}")}${OTHER("[\\p{L}\\p{M}]")}*`, "gu");
/** Of a run in a Chinese sentence: what is kana, and what is not. */
export const KANA_PART = /[\p{Script=Hiragana}\p{Script=Katakana}\u3099-\u309Aー\uFF70\uFF9E\uFF9F]+/gu;

/** LaTeX commands are symbols, whatever letters name them. */
export const COMMAND = /\\[a-zA-Z]+/g;
/** Code and formulas are in no language; bounded where an opening may have no end. */
export const NOTATION = [
  /```[\s\S]*?```/g,
  /`[^`\n]{1,400}`/g,
  /\x24\x24[\s\S]*?\x24\x24/g,
  /\\\[[\s\S]{0,2000}?\\\]/g,
  /\\\([\s\S]{0,1000}?\\\)/g,
  /\x24(?!\s)[^\x24\n]{1,1000}(?<!\s)\x24(?!\d)/g,
];
export const SENTENCE_END = /[。．｡！？!?;；\n]/;
/** Words of one letter; other letters alone are variables. */
export const LETTER_WORDS = "aAI";

export const LANGUAGES = ["en", "ja", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Words of a text by language; `cjk` is what is Japanese or Chinese, and cannot be told. */
type Words = Record<Language | "cjk" | "other", number>;

/** In characters; longer runs are segmented in pieces, because a segmenter copies the whole of its text for every word. */
const LONGEST_RUN = 512;
const PIECES = new RegExp(`[\\s\\S]{1,${LONGEST_RUN}}`, "gu");

/** Words of a run without spaces: Intl.Segmenter's where the platform has it, else one for each character. */
function wordsIn(run: string): number {
  if (typeof Intl.Segmenter !== "function") return Array.from(run).length;
  const segmenter = new Intl.Segmenter("ja", { granularity: "word" });
  let words = 0;
  for (const piece of run.match(PIECES) ?? []) {
    for (const { isWordLike } of segmenter.segment(piece)) if (isWordLike === true) words++;
  }
  return words;
}

/** Not a variable, nor a difference of them: x-y. */
function isWord(latin: string): boolean {
  return LETTER_WORDS.includes(latin) || latin.split("-").some((part) => part.length > 1);
}

function countWords(text: string): Words {
  const words: Words = { en: 0, ja: 0, zh: 0, cjk: 0, other: count(text, OTHER_RUN) };
  for (const word of text.match(LATIN_RUN) ?? []) if (isWord(word)) words.en++;
  const sentences = text
    .split(SENTENCE_END)
    .map((sentence) => ({ runs: sentence.match(CJK_RUN) ?? [], sentence }))
    .filter(({ runs }) => runs.length > 0)
    .map(({ runs, sentence }) => ({ runs, evidence: japaneseEvidence(sentence) }));
  // What a sentence leaves open, the whole of the text decides.
  const all = sentences.reduce((sum, { evidence }) => sum + evidence, 0);
  for (const { runs, evidence } of sentences) {
    const decided = evidence === 0 ? all : evidence;
    for (const run of runs) {
      if (decided > 0) words.ja += wordsIn(run);
      else if (decided === 0) words.cjk += wordsIn(run);
      else {
        for (const part of run.match(KANA_PART) ?? []) words.ja += wordsIn(part);
        for (const part of run.split(KANA_PART)) words.zh += wordsIn(part);
      }
    }
  }
  return words;
}

/** The text between `<think>` and `</think>`; without the tags, all of it. */
function thoughtOf(completion: string): string {
  const start = completion.indexOf(START);
  const from = start < 0 ? 0 : start + START.length;
  const end = completion.indexOf(END, from);
  return completion.slice(from, end < 0 ? undefined : end);
}

/**
 * @returns words of the target language over all words; 1 where there are none. Words that are Japanese or Chinese, and it
 *   cannot be told which, count against English and for nothing otherwise; null where there are only such
 */
export function languageShare(text: string, language: Language): number | null {
  const plain = [...NOTATION, COMMAND].reduce((rest, pattern) => rest.replaceAll(pattern, " "), text);
  const { cjk, ...words } = countWords(plain);
  const told = words.en + words.ja + words.zh + words.other;
  const all = language === "en" ? told + cjk : told;
  if (all === 0) return cjk > 0 ? null : 1;
  return words[language] / all;
}

/** The language of a row: `en`, `ja` or `zh`, whatever region or script follows (`zh-Hant`, `ja_JP`). */
function languageOf(column: unknown): Language | undefined {
  if (typeof column !== "string") return undefined;
  const primary = column.toLowerCase().split(/[-_]/)[0];
  return LANGUAGES.find((language) => language === primary);
}

/** DeepSeek-R1 (arXiv:2501.12948, 2.3.2): the proportion of target-language words in the chain of thought. */
export const languageConsistency = perItem(
  "language_consistency",
  "share of the thought's words that are in the row's language (column `language`: en, ja or zh)",
  ({ completion, columns }) => {
    const language = languageOf(columns["language"]);
    return language === undefined ? null : languageShare(thoughtOf(completion), language);
  },
);
