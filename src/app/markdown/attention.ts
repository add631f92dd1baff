/**
 * Whether asterisks and the like are meant as emphasis. CommonMark lets them open anywhere before text; what a model writes
 * as `2*3*4`, `x**2`, `count(*)` or `src/*.ts` is a sign of its own.
 */

/** Written without spaces between words, so that emphasis begins and ends within what looks like a word. */
const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー々]/u;
const OPERAND = /[\p{L}\p{N})\]}）］｝%!'′°√∞]/u;
const OPENING = /[([{（［｛「『【《〈]/;
const DIGIT = /\p{N}/u;

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
  // 第1**重要** is emphasis, 100*税率 a product.
  if (isOperand && !(size > 1 && CJK.test(after))) return false;
  if (/[)\]},;=]/.test(after) || (before === "/" && after === "/")) return false;
  return size > 1 || !(/[/\\=+^<>&@#]/.test(before) || /[./]/.test(after));
}

/** Whether a run may end emphasis. */
export function mayClose({ before, after, size }: Flanks): boolean {
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
  const open: string[] = [];
  for (const match of text.matchAll(/`+[^`]*`+|\\.|\*+|_+|~~/g)) {
    const [run] = match;
    if (!/^[*_~]/.test(run)) continue;
    const end = match.index + run.length;
    const flanks = { before: text[match.index - 1] ?? "", after: text[end] ?? "", size: run.length };
    const isAfterText = /\S/.test(flanks.before);
    if (isAfterText && open.includes(run) && mayClose(flanks)) open.length = open.lastIndexOf(run);
    else if (/\S/.test(flanks.after) && mayOpen(flanks)) open.push(run);
  }
  return open.includes(mark);
}
