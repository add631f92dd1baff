/** A stretch of a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** What it holds, without its delimiters. */
  readonly content: string;
}

const BOX = /\\(?:boxed|fbox)(?![a-zA-Z])\s{0,20}(\{|[^\s{}\\$])?/g;
/** What joins two boxes into one answer: `\boxed{1} papers and \boxed{2} bins`. */
const JOINT = /[,;、，；+&]|(?<![a-zA-Z])(?:and|or)(?![a-zA-Z])|^\s*(?:と|和|或|または|及)/;
/** What takes the earlier box back, or ends its sentence. */
const APART =
  /[.?!。？！]|\n\s*\n|(?<![a-zA-Z])(?:no|not|wait|rather|actually|instead|hmm|sorry|correction|but|so|then|hence|thus|therefore|or rather)(?![a-zA-Z])|不|いや|ではなく|因此|所以/i;
/** Characters between two boxes of one answer, and of them those that are not in commands. */
const MAX_GAP = 60;
const MAX_WORDS = 24;

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

/** Boxes that are not inside another, the empty ones left out; undefined where the last one never closes. */
function boxes(text: string): Span[] | undefined {
  const found: Span[] = [];
  BOX.lastIndex = 0;
  for (let match = BOX.exec(text); match; match = BOX.exec(text)) {
    const [whole, first] = match;
    const after = match.index + whole.length;
    if (first === undefined) {
      if (text.slice(after).trim() === "") return undefined;
      continue;
    }
    const end = first === "{" ? groupEnd(text, after - 1) : after;
    if (end === undefined) return undefined;
    const content = first === "{" ? text.slice(after, end - 1) : first;
    if (content.trim() !== "") found.push({ start: match.index, end, content });
    BOX.lastIndex = end;
  }
  return found;
}

/**
 * The last boxed answer; neighbouring boxes that commas or "and" join count as one list.
 * @returns undefined where there is none; "cut" where the last box is never closed, which gives no credit to an
 * earlier one either
 */
export function lastBoxed(text: string): Span | "cut" | undefined {
  const all = boxes(text);
  if (!all) return "cut";
  const last = all.at(-1);
  if (!last) return undefined;
  let first = all.length - 1;
  const isJoined = (index: number): boolean => {
    const gap = text.slice(all[index - 1]?.end, all[index]?.start);
    if (gap.length > MAX_GAP) return false;
    const words = gap.replaceAll(/\\[a-zA-Z]{1,20}/g, " ");
    const said = words.replaceAll(/\s/g, "").length <= MAX_WORDS;
    return said && JOINT.test(gap.replaceAll(/\\(?:text|quad|qquad)(?![a-z])|[{}]/g, " ")) && !APART.test(words);
  };
  while (first > 0 && isJoined(first)) first--;
  const parts = all.slice(first);
  return { start: parts[0]?.start ?? 0, end: last.end, content: parts.map(({ content }) => content).join(", ") };
}
