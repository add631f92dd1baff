import { DEFAULT_REWARD_CONTEXT } from "./reward.ts";
import type { RewardContext, RewardItem } from "./reward.ts";
import { parseRewards } from "./rewards.ts";

/** A completion with what a test says of it. */
export function item(known: Partial<RewardItem>): RewardItem {
  return { completion: "", ids: [], finished: true, columns: {}, ...known };
}

/** What one reward gives a completion that is its own group. */
export function scoreOne(
  name: string,
  scored: RewardItem,
  context: RewardContext = DEFAULT_REWARD_CONTEXT,
): number | null | undefined {
  const [reward] = parseRewards([name]);
  return reward?.score([scored], context, 1)[0];
}
