/** Unicode that stands for a LaTeX command or an ASCII sign. */
const UNICODE: Readonly<Record<string, string>> = {
  "−": "-",
  "–": "-",
  "×": "\\times ",
  "·": "\\cdot ",
  "∙": "\\cdot ",
  "÷": "\\div ",
  π: "\\pi ",
  "∞": "\\infty ",
  "≤": "\\le ",
  "≥": "\\ge ",
  "≠": "\\ne ",
  "≈": "\\approx ",
  "∈": "\\in ",
  "∪": "\\cup ",
  "∩": "\\cap ",
  "±": "\\pm ",
  "∓": "\\mp ",
  "°": "^\\circ ",
  "√": "\\sqrt ",
  "∅": "\\emptyset ",
  "→": "\\to ",
  "⇒": "\\Rightarrow ",
  "¹": "^{1}",
  "²": "^{2}",
  "³": "^{3}",
  "½": "\\frac{1}{2}",
  "¼": "\\frac{1}{4}",
  "¾": "\\frac{3}{4}",
  ℝ: "\\mathbb{R}",
  "，": ",",
  "（": "(",
  "）": ")",
  "％": "%",
  "\u00a0": " ",
  "\u202f": " ",
  "\u2009": " ",
};
const UNICODE_PATTERN = new RegExp(`[${Object.keys(UNICODE).join("")}]`, "gu");

/** Commands whose doubled backslash is an escaping accident, not a new row followed by letters. */
const DOUBLED =
  /(?<!\\)\\\\(?=(?:boxed|left|right|[dtc]?frac|sqrt|text|mathrm|mathbf|leq?|geq?|pi|infty|cup|cap|in|pm|cdot|times|theta|begin|end|circ)(?![a-z]))/g;

/** Unicode signs to LaTeX, doubled backslashes to single ones. */
export function cleanText(text: string): string {
  return text.replaceAll(UNICODE_PATTERN, (sign) => UNICODE[sign] ?? sign).replaceAll(DOUBLED, "\\");
}

/** Spacing, sizes, currency and thousands separators that do not change an answer. */
export function cleanAnswer(text: string): string {
  return text
    .replaceAll(/(?<=\d)(?:\{,\}|,\\!\s*|\\[,;:!]\s*)(?=\d{3}(?!\d))/g, "")
    .replaceAll(/\\(?:left|right|[bB]igg?[lr]?|displaystyle|limits|nolimits)(?![a-zA-Z])\.?/g, " ")
    .replaceAll(/\\(?:begin|end)\{(?:align|equation|gather|eqnarray|aligned)\*?\}/g, " ")
    .replaceAll(/(?<!\\)\\[!,;:> ]|~/g, " ")
    .replaceAll(/\\?[$€£¥]/g, "")
    .replaceAll(/\*\*/g, "")
    .replaceAll(/(?<=[\])])\s*U\s*(?=[[(])/g, "\\cup ")
    .trim()
    .replace(/(?<!\\)[.,;:\s]{1,20}$/, "");
}

/** What two ways of writing the same string share: spaces count only where they part words or numbers. */
export function canonicalString(text: string): string {
  return cleanAnswer(text)
    .replaceAll(/\s+/g, " ")
    .replaceAll(/ ?([^\w\s]) ?/g, "$1");
}

/** What two ways of naming the same thing share: letters and digits, in lower case. */
export function canonicalWords(text: string): string {
  return text
    .replaceAll(/\\(?:text|textbf|textit|textnormal|textrm|mbox|mathrm|mathbf|hbox|boxed)(?![a-zA-Z])/g, " ")
    .toLowerCase()
    .replaceAll(/-(?=\d)/g, "minus ")
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}
