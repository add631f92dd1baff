import { isCorrect } from "./correctness.ts";
import type { Reward, RewardItem } from "./reward.ts";

function scoreGroup(items: readonly RewardItem[]): number[] {
  const lengths = items.map(({ ids }) => ids.length);
  const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)];
  if (shortest === longest) return items.map(() => 0);
  return items.map((item, index) => {
    const lambda = 0.5 - ((lengths[index] ?? 0) - shortest) / (longest - shortest);
    // open-r1 lets rows without a readable answer count as right, so that they are not punished.
    return isCorrect(item) === false ? Math.min(0, lambda) : lambda;
  });
}

/**
 * Kimi k1.5 (arXiv:2501.12599, 2.3.3): λ = ½ − (len − min)/(max − min) over the completions of one prompt; wrong ones
 * get min(0, λ). Lengths are in tokens.
 */
export const length: Reward = {
  name: "length",
  description: "½ for the shortest completion of its group down to −½ for the longest; wrong ones at most 0",
  score: (items, _, groupSize) => {
    const scores: number[] = [];
    const size = Math.max(1, groupSize);
    for (let start = 0; start < items.length; start += size)
      scores.push(...scoreGroup(items.slice(start, start + size)));
    return scores;
  },
};
