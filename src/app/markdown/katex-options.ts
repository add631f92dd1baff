import type { KatexOptions } from "katex";

/** A longer formula is shown as it was written: typesetting one must not hold up the page. */
export const MAX_FORMULA_CHARS = 1000;

/** No links, images, classes or styles of the model's choosing; macros that expand without end give up early. */
export const KATEX_OPTIONS: Readonly<KatexOptions> = {
  trust: false,
  strict: "ignore",
  throwOnError: true,
  maxExpand: 200,
  // In em: a rule as wide as the page is all there can be.
  maxSize: 20,
};
