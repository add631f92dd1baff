import { isDelimiterRow } from "./tables.ts";

const MAX_BLOCK_CHARS = 6000;
/** Twenty quotations or lists within each other. */
const DEEP = /^(?:[ \t]{0,8}(?:>|[-*+][ \t]|\d{1,9}[.)][ \t])){20}/m;

/** Such a block is shown as it was written: the parser's worst cases grow faster than their text. */
export function isPlain(block: string): boolean {
  return block.length > MAX_BLOCK_CHARS || DEEP.test(block);
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const MATH = /^[ \t>]*\$\$[ \t]*$/;

/**
 * Cuts markdown into blocks that can be drawn on their own, so that only the last is drawn again while a text grows: at
 * blank lines, but not within code, a formula or an indented continuation, and after a table, of which the parser would make
 * all lines up to a blank one rows. Joined with newlines they are the text.
 */
export function splitBlocks(text: string): readonly string[] {
  const blocks: string[] = [];
  let block: string[] = [];
  let fence: string | undefined;
  let inMath = false;
  let blank = false;
  let inTable = false;
  for (const line of text.split("\n")) {
    const isOpen = fence !== undefined || inMath;
    const isAfterTable = inTable && !line.includes("|");
    if (!isOpen && (blank || isAfterTable) && block.length > 0 && line.trim() !== "" && !/^[ \t]/.test(line)) {
      blocks.push(block.join("\n"));
      block = [];
    }
    inTable = !isOpen && line.includes("|") && (inTable || isDelimiterRow(block.at(-1) ?? "", line));
    blank = !isOpen && line.trim() === "";
    block.push(line);
    const mark = FENCE.exec(line)?.[1];
    if (fence !== undefined) {
      // A closing fence is the same sign, at least as often, with nothing after it.
      if (mark?.startsWith(fence) && line.trim() === mark) fence = undefined;
    } else if (mark && !inMath) fence = mark;
    else if (MATH.test(line)) inMath = !inMath;
  }
  blocks.push(block.join("\n"));
  return blocks;
}
