/**
 * Bounds that keep grading fast on any input: what a model writes is hostile by accident, and a reward function runs
 * on every completion of every step.
 */

/** Characters of a text that are looked at; an answer stands at the end. */
export const MAX_TEXT_CHARACTERS = 50_000;
/** Characters of one extracted answer. */
export const MAX_ANSWER_CHARACTERS = 2_000;
/** Tokens of one answer. */
export const MAX_TOKENS = 1_000;
/** Brackets, fractions and roots inside one another. */
export const MAX_DEPTH = 40;
/** Digits of one number. */
export const MAX_DIGITS = 400;
/** Elements of a list, set or tuple. */
export const MAX_ITEMS = 100;
/** Bits of a numerator or denominator that is still computed exactly. */
export const MAX_RATIONAL_BITS = 8_192;
/** Largest argument of `!` that is multiplied out. */
export const MAX_FACTORIAL = 170;
/** Pairs of expressions compared for one pair of answers. */
export const MAX_COMPARISONS = 20_000;
/** Parts of a matrix that is worked out. */
export const MAX_MATRIX_NODES = 4_000;
