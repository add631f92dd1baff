/**
 * Bounds that keep grading fast on any input: what a model writes is hostile by accident, and a reward function runs
 * on every completion of every step.
 */

/** Characters of a text that are looked at; an answer stands at the end. */
export const MAX_TEXT_CHARACTERS = 12_000;
/** Characters of one extracted answer. */
export const MAX_ANSWER_CHARACTERS = 2_000;
/** Tokens of one answer. */
export const MAX_TOKENS = 500;
/** Brackets, fractions and roots inside one another. */
export const MAX_DEPTH = 40;
/** Digits of one number. */
export const MAX_DIGITS = 400;
/** Elements of a list, set or tuple. */
export const MAX_ITEMS = 100;
/** Bits of a numerator or denominator that is still computed exactly. */
export const MAX_RATIONAL_BITS = 2_048;
/** Largest argument of `!` that is multiplied out; residues go further. */
export const MAX_FACTORIAL = 170;
export const MAX_RESIDUE_FACTORIAL = 20_000;
/** Terms of a sum or product. */
export const MAX_TERMS = 400;
/** Parts of a matrix that is worked out. */
export const MAX_MATRIX_NODES = 2_000;
/** Visits of a node while comparing two answers. */
export const MAX_WORK = 20_000;
