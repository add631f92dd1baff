import type { Span } from "./boxed.ts";

const CLOSERS: Readonly<Record<string, string>> = { $$: "$$", $: "$", "\\[": "\\]", "\\(": "\\)" };
const OPEN = /\$\$|\$|\\\[|\\\(|\\begin\{((?:align|equation|gather|eqnarray)\*?)\}|\\./gs;
/** Between two formulas that are one answer: `$1$ and $2$`. */
const JOINT = /^[\s,;、]*(?:\\q?quad)?\s*(?:and|or|,|;|と|または|和|或|或者|还是|及)?\s*(?:\\q?quad)?\s*$/;
const MAX_JOINT = 20;

/** True for the dollar sign of an amount: `\$5`, or the second one of "$5 and $6". */
function isCurrency(text: string, at: number): boolean {
  return text[at - 1] === "\\" || (/\s/.test(text[at - 1] ?? "") && /\d/.test(text[at + 1] ?? ""));
}

function closing(text: string, closer: string, from: number): number {
  let at = text.indexOf(closer, from);
  while (closer === "$" && at >= 0 && isCurrency(text, at)) at = text.indexOf(closer, at + 1);
  return at;
}

/** Formulas between `$…$`, `$$…$$`, `\(…\)`, `\[…\]` and display environments. */
export function formulas(text: string): Span[] {
  const found: Span[] = [];
  // What closes nowhere after one place closes nowhere after later ones: searching again would take quadratic time.
  const missing = new Set<string>();
  OPEN.lastIndex = 0;
  for (let match = OPEN.exec(text); match; match = OPEN.exec(text)) {
    const [open, environment] = match;
    const closer = environment === undefined ? CLOSERS[open] : `\\end{${environment}}`;
    if (closer === undefined || missing.has(closer)) continue;
    const start = match.index;
    const inside = start + open.length;
    const close = closing(text, closer, inside);
    if (close < 0) {
      missing.add(closer);
      continue;
    }
    const end = close + closer.length;
    found.push({ start, end, content: text.slice(inside, close) });
    OPEN.lastIndex = end;
  }
  return found.filter(({ content }) => content.trim() !== "");
}

/** The last formula, with those before it that only commas and "and" separate from it. */
export function lastFormula(text: string): Span | undefined {
  const all = formulas(text);
  const last = all.at(-1);
  if (!last) return undefined;
  let first = all.length - 1;
  const joined = (index: number): boolean => {
    const gap = text.slice(all[index - 1]?.end, all[index]?.start);
    const separated = /[,;]\s*$/.test(all[index - 1]?.content ?? "") || gap.trim() !== "";
    return gap.length <= MAX_JOINT && separated && JOINT.test(gap);
  };
  while (first > 0 && joined(first)) first--;
  const parts = all.slice(first);
  const content = parts.map((part) => part.content.replace(/[,;\s]{1,20}$/, "")).join(", ");
  return { start: parts[0]?.start ?? 0, end: last.end, content };
}
