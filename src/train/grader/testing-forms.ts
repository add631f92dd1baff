import type { Rng } from "../rng.ts";

/** Ways to write one answer, and answers that are others. */
export interface Family {
  /** The first form is the gold answer. */
  readonly equal: readonly Form[];
  readonly different: readonly Form[];
}

/** `math` is LaTeX, `plain` is text that stands without delimiters. */
export interface Form {
  readonly text: string;
  readonly as: "math" | "plain";
}

export type Maker = (rng: Rng) => Family;

export function math(...texts: readonly string[]): Form[] {
  return texts.map((text) => ({ text, as: "math" }));
}

export function plain(...texts: readonly string[]): Form[] {
  return texts.map((text) => ({ text, as: "plain" }));
}
