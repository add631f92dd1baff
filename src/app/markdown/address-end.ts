/** What is written without spaces before the next word, so that an address can run into it. */
const CJK_LETTER = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー々〆]/u;
/** A place in an address where a word of its own may begin, as in /wiki/日本. */
const BEFORE_WORD = /[/=#?&_-]/;
/** Of Japanese, these stand in titles; other hiragana go on with the sentence. */
const IN_TITLE = /[\p{Script=Han}\p{Script=Katakana}\p{Script=Hangul}ー々の]/u;
const OTHER_LETTER = /[\p{L}\p{M}\p{N}]/u;
const FULL_WIDTH = /[\uff00-\uffef]/;

/**
 * Where a bare address ends, as its writer means it: at spaces and at what is no part of an address, such as full-width
 * brackets and the Japanese that goes on after it.
 * @param from where it begins
 */
export function addressEnd(text: string, from: number): number {
  let at = from;
  let isInTitle = false;
  for (; at < text.length;) {
    const sign = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (/[\s<>"`|\\^{}]/.test(sign)) break;
    if (sign.length > 1 || sign > "~") {
      if (FULL_WIDTH.test(sign)) break;
      if (CJK_LETTER.test(sign)) {
        isInTitle = IN_TITLE.test(sign) && (isInTitle || BEFORE_WORD.test(text[at - 1] ?? ""));
        if (!isInTitle) break;
      } else if (!OTHER_LETTER.test(sign)) break;
    } else isInTitle = false;
    at += sign.length;
  }
  return withoutTrail(text, from, at);
}

/** Without the punctuation after it, and without brackets that were opened before it. */
function withoutTrail(text: string, from: number, to: number): number {
  let depth = 0;
  for (let at = from; at < to; at++) depth += text[at] === "(" ? 1 : text[at] === ")" ? -1 : 0;
  let end = to;
  for (; end > from; end--) {
    const last = text[end - 1] ?? "";
    if (last === ")" && depth < 0) depth++;
    else if (!/[.,:;!?'*_~]/.test(last)) break;
  }
  return end;
}
