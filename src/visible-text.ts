/**
 * What cannot be seen, or turns the direction of what stands around it: control and formatting characters, separators of
 * lines, fillers, halves of characters. Variation selectors stay, which choose the form of a character that is seen.
 */
const INVISIBLE =
  /(?![\ufe00-\ufe0f\u{e0100}-\u{e01ef}])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** A joiner between pictures makes one of them, such as a family. */
const JOINED = /(?<=[\p{Extended_Pictographic}\ufe0f])\u200d(?=\p{Extended_Pictographic})/u;

/**
 * Text from outside (a name, a path, what a server says) as it may stand on a page or in a terminal: with everything
 * escaped that could hide, steer the terminal, or turn around what stands beside it.
 */
export function visible(text: string): string {
  return escaped(text, INVISIBLE);
}

/** The same for text of several lines. */
export function visibleLines(text: string): string {
  return escaped(text, INVISIBLE, /[\n\t]/);
}

function escaped(text: string, signs: RegExp, kept?: RegExp): string {
  return text.replaceAll(signs, (sign, at: number) => {
    if (kept?.test(sign) || (sign === "\u200d" && JOINED.test(text.slice(Math.max(0, at - 2), at + 3)))) return sign;
    return `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
