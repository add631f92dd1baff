import type { Sign } from "./scales.ts";

/** The colour of a text that says an advantage. */
export const SIGN_TEXT: Readonly<Record<Sign, string>> = {
  positive: "text-positive",
  negative: "text-negative",
  zero: "text-zero",
};

/** The colour of a mark that stands for an advantage. */
export const SIGN_FILL: Readonly<Record<Sign, string>> = {
  positive: "bg-positive",
  negative: "bg-negative",
  zero: "bg-zero",
};
