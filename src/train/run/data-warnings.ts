import type { TrainWarningCode } from "../events.ts";

/** What a run says of its data before the first step. */
export interface DataWarning {
  readonly code: TrainWarningCode;
  readonly message: string;
}

const SHOWN = 8;

/** Line numbers for a reader: `line 3`, `lines 3, 4`, and of many the first and how many more. */
export function namedLines(lines: readonly number[]): string {
  const shown = lines.slice(0, SHOWN).join(", ");
  const more = lines.length > SHOWN ? ` and ${lines.length - SHOWN} more` : "";
  return `${lines.length === 1 ? "line" : "lines"} ${shown}${more}`;
}

/**
 * A number of tokens that a text cannot exceed, without encoding it: a byte is at least a token's part, and a UTF-16 unit
 * has three bytes at most. With room for what normalisation and splitting add.
 */
export function mostTokens(text: string): number {
  return (/^[\0-\x7F]*$/.test(text) ? 1 : 4) * text.length + 8;
}
