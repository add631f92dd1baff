import { perItem } from "./reward.ts";

/**
 * maxPenalty·(1 − unique/total) over all n-grams (open-r1 and TRL `get_repetition_penalty_reward`).
 * @param maxPenalty at most 0
 */
export function repetitionPenalty(parts: readonly (string | number)[], n: number, maxPenalty: number): number {
  const total = parts.length - n + 1;
  if (total < 1) return 0;
  const seen = new Set<string>();
  for (let start = 0; start < total; start++) seen.add(parts.slice(start, start + n).join(" "));
  // Not −0 where nothing repeats.
  return seen.size === total ? 0 : maxPenalty * (1 - seen.size / total);
}

/** TRL: n-grams of token ids. */
export const repetition = perItem(
  "repetition",
  "0 down to −1, the share of token 3-grams that repeat others",
  ({ ids }, { repetitionNGrams, repetitionMaxPenalty }) =>
    repetitionPenalty(ids, repetitionNGrams, repetitionMaxPenalty),
);
