/** A formula on one line is no longer than this: what looks for its end stops there. */
const MAX_DOLLAR = 400;

/** What only a formula has. */
const TEX = /[\\^_{}]|(?:^|[^=<>])=(?:[^=]|$)/;
const LATIN = /[\p{L}\p{N}]/u;
const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
/** “The $n$th”: what may follow a formula at once. */
const SUFFIX = /^(?:th|st|nd|rd|s|es|'s|d)(?![\p{L}\p{N}])/u;

/**
 * Where the formula ends that begins after a single dollar; below 0 where that is money, a variable of a shell, or any other
 * dollar sign. As Pandoc reads it (no space within, no digit after, one line), and further: what stands around is no part of
 * a name, and what is within is no prose.
 */
export function closeOfDollar(text: string, from: number): number {
  const first = text[from] ?? " ";
  const before = text[from - 2] ?? "";
  if (first === "$" || first === "\n" || /[)\]}.,;:!?]/.test(first)) return -1;
  // 10$, US$3, foo$: but 2$\pi$.
  if (LATIN.test(before) && !CJK.test(before) && first !== "\\") return -1;
  const most = Math.min(text.length, from + MAX_DOLLAR);
  for (let i = from; i < most; i++) {
    const sign = text[i];
    if (sign === "\\") i++;
    else if (sign === "\n" || sign === "`") return -1;
    else if (sign === "$") return isFormula(text.slice(from, i), text.slice(i + 1, i + 5)) ? i : -1;
  }
  return -1;
}

function isFormula(body: string, after: string): boolean {
  const isPadded = /^\s/.test(body);
  // `$ x $` is a formula where it could be nothing else: `$ 5 $` are two prices.
  if (isPadded !== /\s$/.test(body)) return false;
  if (isPadded && !TEX.test(body) && !/^\s*[A-Za-z]\s*$/.test(body)) return false;
  if (/^[\d${]/.test(after)) return false;
  if (after.startsWith("(") && body.startsWith("(")) return false;
  const [next = ""] = after;
  if (LATIN.test(next) && !CJK.test(next) && !SUFFIX.test(after) && !body.includes("\\")) return false;
  return !isProse(body);
}

/** Words side by side, as between two prices, or quotations, and no sign of TeX. */
function isProse(body: string): boolean {
  if (TEX.test(body)) return false;
  if (body.includes('"')) return true;
  const words = body.match(/(?<![\p{L}\p{N}])[A-Za-z]{2,}(?![\p{L}\p{N}])/gu)?.length ?? 0;
  return words > 1 || (words === 1 && /^\d[\d,.]*\s/.test(body)) || /^\d[\d,.]*[^\S\n].*[,;]\s/.test(body);
}
