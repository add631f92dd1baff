import { eastAsianNumbers } from "./east-asian.ts";
import { plainGlyphs } from "./glyphs.ts";

/** Commands whose doubled backslash is an escaping accident, not a new row followed by letters. */
const DOUBLED =
  /(?<!\\)\\\\(?=(?:boxed|left|right|[dtc]?frac|sqrt|text|mathrm|mathbf|leq?|geq?|pi|infty|cup|cap|in|pm|cdot|times|theta|begin|end|circ)(?![a-z]))/g;

/** Glyphs to LaTeX, doubled backslashes to single ones. */
export function cleanText(text: string): string {
  return eastAsianNumbers(
    plainGlyphs(text)
      .replaceAll(DOUBLED, "\\")
      .replaceAll(/(?<=\d)\s?\.\.\.(?!\.)/g, "\\ldots ")
      .replaceAll("{:}", ":")
      .replaceAll(/[「」『』]/g, "")
      .replaceAll(/(?<![\d.])(\d{1,9})\s?[対对比]\s?(?=\d)(?!\d{1,9}(?:\.\d{1,9})?[还還要]?[大小多少高低])/g, "$1:")
      .replaceAll(/(?<!\d)(\d{1,2})\s?[時时点點]\s?(\d{1,2})分(?![之の钟鐘間])/g, (_, hour: string, minute: string) => {
        return `${hour}:${minute.padStart(2, "0")}`;
      })
      .replaceAll(/\b(ratio\b[^.\d\n]{0,40})(\d{1,9}) to (?=\d)/g, "$1$2:"),
  );
}

const LAYOUT = /\\(?:left|right|middle|[bB]igg?[lrm]?|displaystyle|textstyle|limits|nolimits)(?![a-zA-Z])\.?/g;

/** `3{,}14` has a decimal comma, `3{,}141` groups thousands. */
function bracedComma(_: string, digits: string): string {
  return digits.length === 3 ? digits : `.${digits}`;
}

/** `x < 1 ∪ x > 3` joins conditions rather than sets. */
function isUnionOfConditions(text: string): boolean {
  return text.includes("\\cup") && /[<>]/.test(text) && !/[()[\]{}]/.test(text);
}

/** 5C2, _5C_2, {}_{5}\mathrm{C}_{2}: as combinations are written in Japan. */
const CHOOSE =
  /(?<![\w}.])(?:\{\}\s?)?_?\{?(\d{1,4})\}?\s?(?:C|\\(?:mathrm|text|rm)\s?\{?\s?C\s?\}?)\s?_?\{?(\d{1,4})\}?(?![\w.])/g;

/** 5P2, the arrangements. */
const ARRANGE = new RegExp(CHOOSE.source.replaceAll("C", "P"), "g");

/** Spacing, sizes and separators that do not change an answer, and forms of congruences and currencies made one. */
export function cleanAnswer(text: string): string {
  return eastAsianNumbers(isUnionOfConditions(text) ? text.replaceAll(/\\cup(?![a-z])/g, "\\lor ") : text)
    .replaceAll(/(?<=\d)\{[,.]\}\s{0,9}(\d{1,60})(?!\d)/g, bracedComma)
    .replaceAll(/(?<=\d)(?:,\\!\s{0,9}|\\[,;:! ]|~)(?=\d{3}(?!\d))/g, "")
    .replaceAll(LAYOUT, " ")
    .replaceAll(/(?<!\\)\\[,;:!> ]/g, " ")
    .replaceAll(/\\(?:begin|end)\{(?:align|equation|gather|eqnarray|aligned|gathered|split)\*?\}/g, " ")
    .replaceAll(/~(?!\s{0,9}[-\d.])/g, " ")
    .replaceAll(/\\mathcal\s?(?:\{\s?O\s?\}|O)/g, "O")
    .replaceAll(
      /\^\s?\{?\s?\\circ\s?\}?\s?\\?(?:text|mathrm|rm)?\s?\{?\s?([CF])(?![a-zA-Z])\s?\}?/g,
      String.raw`\text{°$1}`,
    )
    .replaceAll(/\(\s?(?:\\bmod|\\mod|\\text\{\s?mod\s?\}|mod)\s?([^()]{1,60})\)/g, String.raw`\pmod{$1}`)
    .replaceAll(/(?<![a-zA-Z\\])mod(?![a-zA-Z])\s?(\d{1,40})/g, String.raw`\pmod{$1}`)
    .replaceAll(/\\?\$(?!\s?[-\d.])(?<!\d\s?\\?\$)|\\(?=\$|[€£¥₹])/g, "")
    .replaceAll(/\*\*|__|`/g, "")
    .replaceAll(ARRANGE, String.raw`\frac{$1!}{($1-$2)!}`)
    .replaceAll(CHOOSE, String.raw`\binom{$1}{$2}`)
    .replaceAll(/(?<=[\])])\s{0,9}U\s{0,9}(?=[[(])/g, "\\cup ")
    .trim()
    .replace(/(?<!\\)[.,;:\s]{1,20}$/, "")
    .trim();
}

/** What two ways of writing the same string share: spaces count only where they part words or numbers. */
export function canonicalString(text: string): string {
  return cleanAnswer(text)
    .replaceAll(/\s+/g, " ")
    .replaceAll(/ ?([^\w\s]) ?/g, "$1");
}

const WORDING =
  /\\(?:text|textbf|textit|textnormal|textrm|textsf|emph|mbox|mathrm|mathbf|mathit|hbox|boxed)(?![a-zA-Z])/g;

/** An answer without its fonts and marks, as words. */
export function wording(text: string): string {
  return text
    .replaceAll(WORDING, " ")
    .replaceAll(/[{}$*_`~]|\\[ ,;!]/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .replace(/[.,;:!。]{1,9}$/, "")
    .trim();
}

/** What two ways of naming the same thing share: letters and digits, in lower case. */
export function canonicalWords(text: string): string {
  return text
    .replaceAll(WORDING, " ")
    .toLowerCase()
    .replaceAll(/-(?=\d)/g, "minus ")
    .replaceAll(/(?<=\d)\s?(?:st|nd|rd|th)(?![a-z])/g, "")
    .replaceAll(/(?<=\d)\.(?=\d)/g, "point")
    .replaceAll(/(?<=[ap])\.\s?m\.?(?![a-z])/g, "m")
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}
