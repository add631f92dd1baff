/** Numbers, operators, brackets and single letters: a line of a sum. */
const SUM = /^[\s\d.,+\-−*/×÷·^=≈<>≤≥≠()[\]{}%√π|$€£¥a-zA-Z]+$/;
const WORD = /[A-Za-z]{2,}/;

/**
 * What a list's item or a quotation takes away from a line that is part of a sum: `+ 5` is an addition, `- 3 + 4` may be a
 * negative number, and `> 5` a comparison. Ordinary items, and bare numbers in a list of them, need none of it.
 * @param source the item's text with its marker
 * @param before the line before it
 * @returns the sign that is to be shown; undefined where it is only a marker
 */
export function signOf(source: string, before = ""): string | undefined {
  const [, sign, line = ""] = /^([-+*>])[ \t]*([^\n]*)/.exec(source) ?? [];
  // `>= 2` is no quotation.
  if (source.startsWith(">=")) return sign;
  if (
    sign === undefined ||
    !SUM.test(line) ||
    WORD.test(line) ||
    !/^[\s(√π]*[\d(√π]|^\s*[a-zA-Z]\s*[-+*/=^]/.test(line)
  )
    return undefined;
  const hasOperator = /[+*/×÷·^=≈−]|\d\s*-\s*[\d(]/.test(line);
  return sign === "+" || sign === ">" || hasOperator || isTerm(before) ? sign : undefined;
}

/** Whether a line is a number or a sum, from which the next goes on, and no item itself. */
function isTerm(line: string): boolean {
  return SUM.test(line) && !WORD.test(line) && /\d\s*$/.test(line) && !/^\s*(?:[-+*>]|\d+[.)])[ \t]/.test(line);
}

/** The number that a list's item was written with. */
export function numberOf(source: string): number | undefined {
  const [, digits] = /^(\d{1,9})[.)]/.exec(source) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
