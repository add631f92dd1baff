/** A stretch of a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** What it holds, without its delimiters. */
  readonly content: string;
}

const BOX = /\\(?:boxed|fbox)\s*(\{|[^\s{}\\$])/g;
/**
 * Boxes no further apart, spacing commands aside, are one answer (`\boxed{1} papers and \boxed{2} bins`), unless a
 * sentence ends between them.
 */
const MAX_GAP = 20;

/** The end of a group, just after its closing brace; undefined where it never closes. */
function groupEnd(text: string, open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    const sign = text[at];
    if (sign === "\\") at++;
    else if (sign === "{") depth++;
    else if (sign === "}" && --depth === 0) return at + 1;
  }
  return undefined;
}

/** Every box that is not inside another; one that never closes ends the search. */
function boxes(text: string): Span[] {
  const found: Span[] = [];
  BOX.lastIndex = 0;
  for (let match = BOX.exec(text); match; match = BOX.exec(text)) {
    const [whole, first = ""] = match;
    const open = match.index + whole.length - 1;
    const end = first === "{" ? groupEnd(text, open) : open + 1;
    if (end === undefined) break;
    found.push({ start: match.index, end, content: first === "{" ? text.slice(open + 1, end - 1) : first });
    BOX.lastIndex = end;
  }
  return found;
}

/** The last boxed answer; neighbouring boxes count as one list. */
export function lastBoxed(text: string): Span | undefined {
  const all = boxes(text);
  const last = all.at(-1);
  if (!last) return undefined;
  let first = all.length - 1;
  const near = (index: number): boolean => {
    const gap = text.slice(all[index - 1]?.end, all[index]?.start);
    if (/[.?!]/.test(gap)) return false;
    return gap.length <= 3 * MAX_GAP && gap.replaceAll(/\\[a-z]+/g, "").length <= MAX_GAP;
  };
  while (first > 0 && near(first)) first--;
  const parts = all.slice(first);
  return { start: parts[0]?.start ?? 0, end: last.end, content: parts.map(({ content }) => content).join(", ") };
}
