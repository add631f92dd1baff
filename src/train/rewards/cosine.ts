import { isCorrect } from "./correctness.ts";
import { perItem } from "./reward.ts";
import type { RewardContext } from "./reward.ts";

/**
 * Cosine-scaled reward (arXiv:2502.03373; TRL `get_cosine_scaled_reward`): from the best value at length 0 to the worst
 * at `cosineMaxLen` for right answers, the other way round for wrong ones, so that long wrong answers are punished less.
 * @param length in tokens; beyond the maximum it counts as the maximum
 */
export function cosineScaled(correct: boolean, length: number, context: RewardContext): number {
  const progress = Math.min(length, context.cosineMaxLen) / context.cosineMaxLen;
  const [low, high] = correct
    ? [context.cosineMinValueCorrect, context.cosineMaxValueCorrect]
    : [context.cosineMaxValueWrong, context.cosineMinValueWrong];
  return low + 0.5 * (high - low) * (1 + Math.cos(progress * Math.PI));
}

export const cosine = perItem(
  "cosine",
  "right: 1 falling to ½ with length; wrong: −1 rising to −½ with length",
  (item, context) => {
    const correct = isCorrect(item);
    return correct === undefined ? null : cosineScaled(correct, item.ids.length, context);
  },
);
