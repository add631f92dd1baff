import { lastBoxed } from "./boxed.ts";
import type { Span } from "./boxed.ts";
import { choiceOf } from "./choice.ts";
import { cleanText } from "./clean.ts";
import { EAST_ASIAN, valueOfSentence } from "./east-asian.ts";
import { MAX_ANSWER_CHARACTERS, MAX_TEXT_CHARACTERS } from "./limits.ts";
import { mathOfNumberWords } from "./number-words.ts";
import { chainOf, numbersIn } from "./plain-numbers.ts";
import { lastFormula } from "./segments.ts";
import { admitsIgnorance, DENIED, isDenied, isOpen, POSSIBLE, withoutWithdrawn, WITHDRAWN } from "./statements.ts";
import { withoutThoughts } from "./thoughts.ts";
import { isMoment } from "./moments.ts";
import { isProseWord, mathOfWords } from "./words.ts";

/** The answer found in a text. */
export interface Extracted {
  readonly text: string;
  /** Written as plain text, where `1,22` may be a decimal and `1e-3` scientific notation. */
  readonly plain: boolean;
  /** The letter of an answer that begins with one: "(B) 12". */
  readonly choice?: string | undefined;
  /** A statement that gives no value (it denies, bounds or leaves open one): equal to the same words alone. */
  readonly isOpen?: boolean;
}

/** Phrases that announce an answer; the last one counts. */
const FINAL =
  /(?:final\s{1,9}answer|最终答案|最終的な答え)(?:\s{1,9}is)?\s{0,9}[:：]?(?:\s{0,9}the\s{1,9}final\s{1,9}answer\s{1,9}is:?)?/gi;
const ANNOUNCED =
  /####|answer(?:\s{1,9}is)?\s{0,9}[:：]|(?:answer|solution|option|choice)\s{1,9}(?:is|(?=(?:can|could|may|might|should|must|will|would|isn|was)\b))\s{0,3}:?|(?:答え|解答?|正解|答)\s{0,3}(?:は|を|[:：】])|答案\s?(?:应?[该為为是]{0,2})\s{0,3}[:：]?|(?:故|应|應)?选(?:择)?\s?[:：]?(?=\s?\(?[A-Z])|\b(?:choose|pick|select)\s(?=\(?[A-Z]\)?(?![a-zA-Z]))/gi;
/** Where the announced sentence ends. */
const SENTENCE_END = /。|\.\s{0,9}I hope|<\||\.\s{1,9}(?=[A-Z])|\n\s{0,99}\n(?=\s{0,99}\S)/;
const ANSWER_TAG = /<answer>((?:(?!<answer>)[\s\S])*?)<\/answer>/g;
const DELIMITER = /(?<!\\)(?:\$|\\[()[\]])/;
const PERCENT_AFTER = /^[\s$]{0,3}(?:\\?%|percent\b|pct\b)/;
/** The end of a Japanese sentence about a value: "… is". */
const COPULA = /(?:です|でした|となります|になります|となる|になる|である|だ)?[。．]?$/u;
/** Remarks beside the answer, and what it is said not to be. */
const REMARKS =
  /\((?:not|since|because|as|i\.e\.|which|where|or about)\s[^()]{0,200}\)|,?\s?(?:\b(?:and|but)\s)?\bnot\s[-$]{0,2}[\d.,/]{1,40}\b|\b(?:instead of|rather than)\s\S{1,40}|(?<![-\d.,/])[-\d.,/]{1,40}[^\d\s。]{0,6}?(?:では|じゃ|で)(?:なく|ない|ありません)[、,]?|(?:不是|并非|而非)\s?[-\d.,/]{1,40}[^\d，,。]{0,4}[，,]?(?:而是)?/g;
/** From a denial to what holds instead. */
const AFTER_DENIAL =
  /^(?:(?:it|that|this|the answer)\s?(?:is|was)?\s{0,9})?\uE000[\s,，、;；.。]*(?:(?:and|but|it(?:'s|\sis)|而?是|而|正しくは|正解は|答えは|だから|ので)[\s,:]*){0,3}/i;
/** One of several numbers is no answer. */
const HEDGED = /\s(?:or|maybe|perhaps|possibly|alternatively)\s|或|または|もしくは/;
/** A qualification that follows an answer: what is before it decides whether it is mathematics. */
const QUALIFICATION = /\s(?:for (?:all|any|every|each|some)|where|when|if|with|such that|whenever)\s/;

function lastMatch(text: string, pattern: RegExp): RegExpExecArray | undefined {
  return [...text.matchAll(pattern)].at(-1);
}

/** Adds the percent sign that stands after a formula or a box. */
function withPercent(text: string, { end, content }: Span): string {
  return PERCENT_AFTER.test(text.slice(end, end + 12)) && !content.includes("%") ? `${content}\\%` : content;
}

function lastNumber(text: string): Span | undefined {
  const numbers = numbersIn(text);
  return chainOf(text, numbers, numbers.length - 1, -1);
}

/** Counters after a number and what joins numbers, in Japanese and Chinese. */
const EAST_ASIAN_PARTS =
  /(?<=[\d)}%])\s?(?:[\p{Script=Han}\p{Script=Katakana}ー々]{1,14}|つ|とおり|通り|こ)(?=\s*$|[\s,、。とや和或])|(?<=[\d)}%\p{Script=Han}\p{Script=Katakana}]\s?)(?:と|および|または|かつ|もしくは|和|或者?|及び|且)(?=\s?[-\d(\\$a-zA-Z])/gu;

/** One word: of letters, or a short one in Japanese or Chinese. */
const WORD =
  /^(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}])\p{L})+$|^(?!.*[答选選はが是为])[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]{1,6}$/u;

/** Mathematics without delimiters, or a single word: nothing in it reads as prose. */
function isBare(text: string): boolean {
  if (text === "" || text.length > MAX_ANSWER_CHARACTERS || DELIMITER.test(text) || text.includes("<<")) return false;
  if (WORD.test(text)) return true;
  const outside = text
    .replaceAll(/\\(?:text[a-z]*|mbox|hbox|mathrm|operatorname\*?)\s{0,9}\{[^{}]*\}/g, " ")
    .replaceAll(/\\(?:begin|end)\{[^{}]*\}|\\[a-zA-Z]+/g, " ")
    .replaceAll(EAST_ASIAN_PARTS, " ");
  if (EAST_ASIAN.test(outside)) return false;
  const runs = outside.match(/\p{L}+/gu) ?? [];
  return !runs.some((run) => isProseWord(run));
}

/** Letters that are named together: BとD. */
const POINTS = /^[A-Z](?:\s?[、,と和]\s?[A-Z]){1,9}$/;

/** A number of several words, which may stand in a box, but beside prose is prose. */
const isSpelledOut = (text: string): boolean => text.includes(" ") && mathOfNumberWords(text) !== undefined;

/** Mathematics, a name for a set, a date or a time, also with a qualification after it. */
function isAnswer(text: string): boolean {
  if (isBare(text) || POINTS.test(text) || (mathOfWords(text) !== undefined && !isSpelledOut(text)) || isMoment(text))
    return true;
  const qualification = QUALIFICATION.exec(text);
  const head = text.slice(0, qualification?.index ?? 0);
  return !DELIMITER.test(text) && /[\d\\+*/^=]|^[a-zA-Z]$/.test(head) && isBare(head);
}

/** Emphasis taken away; between values `**` is a power. */
function withoutEmphasis(text: string): string {
  return text
    .replaceAll(/(?<=[\w)])\*\*(?=[-\w(])(?![^\n*]{0,200}\*\*)/g, "^")
    .replaceAll(/\*\*|(?<!\w)__(?=\S)|(?<=\S)__(?!\w)|`/g, "");
}

function trimMarks(text: string): string {
  return text
    .trim()
    .replace(/^[\s*:=#✅✓→]+/u, "")
    .replace(AFTER_DENIAL, "")
    .replace(/[\s*.,;:?\uE000(]{1,50}$/, "")
    .replace(/(?<=\uE000\s{0,400})\)$|\uE000\s{0,400}\)?$/, "")
    .replace(COPULA, "")
    .trim();
}

/** The first number of a sentence that begins with it, unless the sentence computes on. */
function leadingNumber(sentence: string): Span | undefined {
  if (sentence.includes("=")) return undefined;
  const numbers = numbersIn(sentence);
  const [first] = numbers;
  return first && sentence.slice(0, first.start).trim() === "" ? chainOf(sentence, numbers, 0, 1) : undefined;
}

/** The answer of a sentence that announces it. */
function fromAnnouncement(text: string): Extracted | undefined {
  const lead = text.replace(/^[\s:：*、,】]+/, "");
  const end = SENTENCE_END.exec(lead)?.index ?? lead.length;
  const sentence = lead.slice(0, end).slice(0, 4 * MAX_ANSWER_CHARACTERS);
  const found = fromSentence(sentence);
  if (found || !WITHDRAWN.test(sentence)) return found;
  // What it denies is no answer, nor is anything before it.
  const rest = lead.slice(end).replace(/^[\s.。]+/, "");
  const after = rest === "" ? undefined : fromProse(rest, undefined);
  return after ?? { text: sentence, plain: true, isOpen: true };
}

function fromSentence(sentence: string): Extracted | undefined {
  const choice = choiceOf(sentence, true);
  const boxed = lastBoxed(sentence);
  if (boxed === "cut") return undefined;
  if (boxed) return fromBox(sentence, boxed);
  if (
    sentence.includes(POSSIBLE) &&
    isOpen(sentence, 0) &&
    !/[\d\\$]/.test(sentence.slice(sentence.lastIndexOf(POSSIBLE)))
  )
    return undefined;
  const said = sentence.replaceAll(REMARKS, " ");
  const [formula, number] = [lastFormula(said), leadingNumber(said) ?? lastNumber(said)];
  if (formula && (!number || number.start < formula.end))
    return { text: withPercent(said, formula), plain: false, choice };
  const bare = trimMarks(said);
  if (isAnswer(bare)) return { text: bare, plain: true, choice };
  if (number && !(HEDGED.test(said) && numbersIn(said).length > 1 && !number.content.includes(",")))
    return { text: number.content, plain: true, choice };
  const word = number ? undefined : (choice ?? saidWord(sentence));
  return word === undefined ? undefined : { text: word, plain: true, choice };
}

/** Words that deny all that follows them in a box. */
const DENYING =
  /^\s{0,9}\\(?:text|mathrm|textbf|textit|mbox)\s?\{\s{0,3}(?:It\s|it\s)?(?:is\s)?(?:not|isn't|never|anything but|neither)\s{0,3}\}/i;

/** What a box holds; a sentence in Japanese or Chinese holds its value. */
function fromBox(text: string, box: Span): Extracted {
  const choice = choiceOf(box.content);
  if (DENYING.test(box.content)) return { text: box.content, plain: false, isOpen: true };
  const said = withoutWithdrawn(box.content);
  if (said !== box.content) {
    const rest = trimMarks(said);
    return isAnswer(rest) && /[\p{L}\d]/u.test(rest)
      ? { text: rest, plain: true }
      : { text: box.content, plain: false, isOpen: true };
  }
  const value = isAnswer(box.content.trim())
    ? undefined
    : (fromEastAsianSentence(box.content) ?? onlyNumber(box.content));
  return value ?? { text: withPercent(text, box), plain: false, choice };
}

/** The number of a sentence that holds but one. */
function onlyNumber(sentence: string): Extracted | undefined {
  if (/[\\$=]/.test(sentence) || !/^\s*[A-Za-z]{2,}\s/.test(sentence)) return undefined;
  const [number, ...more] = numbersIn(sentence);
  return number && more.length === 0 ? { text: number.content, plain: true } : undefined;
}

/** The last part of a text that a pattern announces. */
function announced(text: string, pattern: RegExp): Extracted | undefined {
  const match = lastMatch(text, pattern);
  return match && fromAnnouncement(text.slice(match.index + match[0].length));
}

/** The value of the last sentence in Japanese or Chinese. */
function fromEastAsianSentence(text: string): Extracted | undefined {
  if (!EAST_ASIAN.test(text)) return undefined;
  const sentences = text.split(/[。\n]/).filter((sentence) => sentence.trim() !== "");
  const value = valueOfSentence(sentences.at(-1) ?? "");
  if (value !== "" && /[\d\\]|^[A-Za-z]$|^[A-Z]{2,8}$/.test(value) && isBare(value))
    return { text: value, plain: true };
  const points = POINTS.test(value) ? value : /(?<![a-zA-Z\d+*/^-])[A-Z]{2,8}$/.exec(value)?.[0];
  return points === undefined ? undefined : { text: points, plain: true };
}

/**
 * Finds the answer in what a person or a model wrote, outside its thoughts. In this order: the content of the last
 * `<answer>` tag instead of the text; "the final answer is …" if no box follows it; the last `\boxed{}`; a text that is
 * nothing but mathematics; `#### …` and "the answer is …"; the last formula; the value of the last sentence in Japanese
 * or Chinese; the last number.
 * @returns undefined where there is none of these, where a thought never ends, and where the last box never closes
 */
export function extractAnswer(input: string): Extracted | undefined {
  const said = withoutThoughts(input);
  if (said === undefined) return undefined;
  const cleaned = withoutEmphasis(cleanText(said.slice(-MAX_TEXT_CHARACTERS)).slice(-MAX_TEXT_CHARACTERS)).trim();
  const tagged = lastMatch(cleaned, ANSWER_TAG)?.[1];
  const raw = tagged === undefined || tagged.trim() === "" ? cleaned : tagged.trim();
  const boxed = lastBoxed(raw);
  if (boxed === "cut") return undefined;
  if (boxed && isDenied(raw, boxed.start, boxed.end)) return { text: raw, plain: true, isOpen: true };
  const text = boxed ? raw : withoutWithdrawn(raw).trim();
  const final = lastMatch(text, FINAL);
  if (final && final.index > (boxed?.start ?? -1)) {
    const found = announced(text, FINAL);
    if (found) return found;
  }
  if (boxed) return fromBox(text, boxed);
  const bare = trimMarks(text);
  const choice = RETRACTED.test(bare) ? undefined : choiceOf(bare);
  const isWithdrawn = WITHDRAWN.test(text);
  if (!text.includes("####") && isAnswer(bare) && !isOpen(text, 0)) return { text: bare, plain: true, choice };
  const found = admitsIgnorance(raw) ? announced(text, ANNOUNCED) : fromProse(text, choice);
  if (found && !(isWithdrawn && isDeniedValue(raw, text, found.text))) return found;
  return isWithdrawn ? { text: raw, plain: true, isOpen: true } : undefined;
}

/** A letter that is taken back after it. */
const RETRACTED = /\b(?:wait|actually|on second thought|however|no,)|不对|不對|等等|いや/i;

/** Does a text deny, at a later place, the value found in it? */
function isDeniedValue(raw: string, said: string, value: string): boolean {
  const last = said.lastIndexOf(DENIED);
  const at = raw.lastIndexOf(value);
  return last >= 0 && at >= last && said.indexOf(value) < last && !said.slice(last).includes(value);
}

/** The last formula, or the number that the text then says it is: "the value of $x$ is 100". */
function fromFormula(text: string, formula: Span, choice: string | undefined): Extracted {
  const rest = text.slice(formula.end);
  const [said] = /^\s{0,3}(?:is|are|was|equals|will be)\s{1,3}(?=[-\d$])/.exec(rest) ?? [];
  const numbers = said === undefined ? [] : numbersIn(rest);
  const number = numbers[0]?.start === said?.length ? chainOf(rest, numbers, 0, 1) : undefined;
  if (number) return { text: number.content, plain: true, choice };
  return { text: withPercent(text, formula), plain: false, choice };
}

function fromProse(text: string, choice: string | undefined): Extracted | undefined {
  const answer = announced(text, ANNOUNCED);
  if (answer) return answer;
  const formula = lastFormula(text);
  if (formula) return fromFormula(text, formula, choice);
  const sentence = fromEastAsianSentence(text);
  if (sentence) return sentence;
  const said = text.replaceAll(REMARKS, " ");
  const number = lastNumber(said);
  if (number) return sentenceAfter(said, number).includes(POSSIBLE) ? undefined : fromNumber(said, number, choice);
  const word = choice ?? saidWord(text);
  return word === undefined ? undefined : { text: word, plain: true, choice };
}

/** What follows a value in its sentence. */
function sentenceAfter(text: string, { end }: Span): string {
  return /^[^.。!?\n]{0,200}/.exec(text.slice(end))?.[0] ?? "";
}

/** A name that gets the number after it: "the line is x = 3". */
const NAMED = /(?<![\w)}\]\\])(?<![\d=+*/^-]\s?)([a-zA-Z](?:_\{?\w{1,9}\}?)?)\s?=\s?$/;

function fromNumber(text: string, { start, content }: Span, choice: string | undefined): Extracted {
  const name = NAMED.exec(text.slice(Math.max(0, start - 24), start))?.[1];
  return { text: name === undefined ? content : `${name}=${content}`, plain: true, choice };
}

/** The word that the last sentence ends with, of one that says what something is: "It is odd." */
function saidWord(text: string): string | undefined {
  const sentence =
    text
      .slice(-200)
      .split(/(?<=[.!?])\s|\n/)
      .findLast((part) => part.trim() !== "") ?? "";
  if (/\b(?:not|never|neither|nor|cannot)\b|n't\b/i.test(sentence)) return undefined;
  const points = /\s(?:is|are|was|be)\s([A-Z](?:,?\s(?:and\s)?[A-Z]){1,9})[.!]?\s{0,9}$/.exec(sentence)?.[1];
  return points ?? /\s(?:is|are|was|be)\s(?:an?\s|the\s)?(\p{L}{2,40})[.!]?\s{0,9}$/u.exec(sentence)?.[1];
}
