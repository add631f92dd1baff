import { perItem } from "./reward.ts";

const START = "<think>";
const END = "</think>";
export const LATIN = /\p{Script=Latin}/u;
export const JAPANESE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々〆]/u;
/** Latin letters with the apostrophes and hyphens inside words. */
const LATIN_RUN = /\p{Script=Latin}[\p{Script=Latin}\p{M}]*(?:['’-]\p{Script=Latin}[\p{Script=Latin}\p{M}]*)*/gu;
/** Kanji, hiragana and katakana with their length and repetition marks. */
const JAPANESE_RUN = new RegExp(`${JAPANESE.source}+`, "gu");
const OTHER_RUN = /(?:(?![\p{Script=Latin}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々〆])[\p{L}\p{M}])+/gu;
export const COMMAND = /\\[a-zA-Z]+/g;

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/** Words of a run without spaces: Intl.Segmenter's where the platform has it, else one for each character. */
function japaneseWords(run: string): number {
  if (typeof Intl.Segmenter !== "function") return Array.from(run).length;
  const segments = new Intl.Segmenter("ja", { granularity: "word" }).segment(run);
  return [...segments].filter(({ isWordLike }) => isWordLike).length;
}

/** Words of each language in a text; numbers and symbols are none. */
const COUNTERS = {
  en: (text: string) => count(text, LATIN_RUN),
  ja: (text: string) => (text.match(JAPANESE_RUN) ?? []).reduce((sum, run) => sum + japaneseWords(run), 0),
  other: (text: string) => count(text, OTHER_RUN),
} as const;

/** The text between `<think>` and `</think>`; without the tags, all of it. */
function thoughtOf(completion: string): string {
  const start = completion.indexOf(START);
  const from = start < 0 ? 0 : start + START.length;
  const end = completion.indexOf(END, from);
  return completion.slice(from, end < 0 ? undefined : end);
}

/** @returns words of the target language over all words; 1 where there are none */
export function languageShare(text: string, language: "en" | "ja"): number {
  // LaTeX commands are symbols, whatever letters name them.
  const words = text.replaceAll(COMMAND, " ");
  const counts = Object.values(COUNTERS).map((counter) => counter(words));
  const all = counts.reduce((sum, next) => sum + next, 0);
  return all === 0 ? 1 : COUNTERS[language](words) / all;
}

/** DeepSeek-R1 (arXiv:2501.12948, 2.3.2): the proportion of target-language words in the chain of thought. */
export const languageConsistency = perItem(
  "language_consistency",
  "share of the thought's words that are in the row's language (column `language`: en or ja)",
  ({ completion, columns }) => {
    const { language } = columns;
    return language === "en" || language === "ja" ? languageShare(thoughtOf(completion), language) : null;
  },
);
