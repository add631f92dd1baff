/**
 * Whether asterisks and the like are meant as emphasis. CommonMark lets them open anywhere before text; what a model writes
 * as `2*3*4`, `x**2`, `count(*)` or `src/*.ts` is a sign of its own.
 */

/** Written without spaces between words, so that emphasis begins and ends within what looks like a word. */
const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー々]/u;
const OPERAND = /[\p{L}\p{N})\]}）］｝%!'′°√∞]/u;
const OPENING = /[([{（［｛「『【《〈]/;
const DIGIT = /\p{N}/u;
/** What ends an operand that is quoted, code or a formula: `"a"*"b"`, `|x|*|y|`. */
const FENCE = /["'`$|]/;

export interface Flanks {
  /** The characters beside the run; empty at a line's ends. */
  readonly before: string;
  readonly after: string;
  /** Signs in the run. */
  readonly size: number;
}

/** Whether a run may begin emphasis: nothing stands before it that it could belong to, and words follow. */
export function mayOpen({ before, after, size }: Flanks): boolean {
  const isOperand = OPERAND.test(before) && !CJK.test(before);
  // 第1**重要** is emphasis, 100*税率 and 税率*100 are products.
  if (isOperand && !(size > 1 && CJK.test(after))) return false;
  if (size === 1 && ((CJK.test(before) && DIGIT.test(after)) || isBetweenFences(before, after))) return false;
  if (/[)\]},;=]/.test(after) || (before === "/" && after === "/")) return false;
  return size > 1 || !(/[/\\=+^<>&@#]/.test(before) || /[./]/.test(after));
}

function isBetweenFences(before: string, after: string): boolean {
  return before === after && FENCE.test(before);
}

/**
 * Whether a run may end emphasis.
 * @param open the run that is open last, where there is one
 */
export function mayClose({ before, after, size }: Flanks, open?: Flanks): boolean {
  // One sign between operands ends what one sign began: in `**a*b**` it is a product.
  if (size === 1 && open?.size === 2 && OPERAND.test(before) && OPERAND.test(after)) return false;
  // 速度*时间*2 is a product, *約*3 is not.
  if (size === 1 && DIGIT.test(after) && OPERAND.test(open?.before ?? "")) return false;
  if (size === 1 && isBetweenFences(before, after)) return false;
  if (OPENING.test(before) || (DIGIT.test(before) && DIGIT.test(after)) || (before === "/" && after === "/"))
    return false;
  return size > 1 || !((before === ")" && after === "(") || before === "/");
}

/** Whether a run ends emphasis although CommonMark, which sees punctuation before a word, would not let it: `**Sum:**42`. */
export function closesAfterPunctuation({ before, after, size }: Flanks): boolean {
  return size > 1 && /[:.!?"”’…%]/.test(before) && /[\p{L}\p{N}]/u.test(after);
}

/**
 * Whether a run of this sign is still open at the end of a text that grows, so that it can be closed for now.
 * @param mark the run, such as `**`
 */
export function isLeftOpen(text: string, mark: string): boolean {
  const open: (Flanks & { readonly run: string })[] = [];
  for (const match of text.matchAll(/`+[^`]*`+|\\.|\*+|_+|~~/g)) {
    const [run] = match;
    if (!/^[*_~]/.test(run)) continue;
    const end = match.index + run.length;
    const flanks = { before: characterBefore(text, match.index), after: characterAt(text, end), size: run.length };
    const isAfterText = /\S/.test(flanks.before);
    const last = open.findLastIndex((other) => other.run === run);
    if (isAfterText && last >= 0 && mayClose(flanks, open.at(-1))) open.length = last;
    else if (/\S/.test(flanks.after) && mayOpen(flanks)) open.push({ ...flanks, run });
  }
  return open.some(({ run }) => run === mark);
}

/** The character that begins at a place, of one UTF-16 unit or of two. */
export function characterAt(text: string, at: number): string {
  const code = text.codePointAt(at);
  return code === undefined ? "" : String.fromCodePoint(code);
}

/** The character that ends before a place. */
export function characterBefore(text: string, at: number): string {
  return /[\ud800-\udbff]?[\udc00-\udfff]$|.$/s.exec(text.slice(Math.max(0, at - 2), at))?.[0] ?? "";
}
