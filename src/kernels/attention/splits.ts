/** Splits of one sequence's context in decode, at most. */
export const MAX_SPLITS = 64;
/** A split holds at least this many keys. */
const MIN_SPLIT_KEYS = 64;
/** A split begins at a multiple of this. */
const SPLIT_STEP = 16;

/** Splits of a context of `length` keys in decode; the same rule in the kernels and on the host. */
export function splitsOf(length: number): number {
  return Math.max(1, Math.min(MAX_SPLITS, Math.ceil(length / MIN_SPLIT_KEYS)));
}

/** WGSL of {@link splitsOf}. */
export function splitsWgsl(length: string): string {
  return `clamp((${length} + ${MIN_SPLIT_KEYS - 1}u) / ${MIN_SPLIT_KEYS}u, 1u, ${MAX_SPLITS}u)`;
}

/** WGSL that leaves workgroups without a split, and gives the others' keys as `key_begin` and `key_end`. */
export function splitRangeWgsl(): string {
  return `let splits = ${splitsWgsl("info.w")};
  if (wg.x >= splits) { return; }
  let share = ((info.w + splits - 1u) / splits + ${SPLIT_STEP - 1}u) / ${SPLIT_STEP}u * ${SPLIT_STEP}u;
  let key_begin = min(wg.x * share, info.w);
  let key_end = min(key_begin + share, info.w);`;
}
