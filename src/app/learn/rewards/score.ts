import { DEFAULT_REWARD_CONTEXT } from "../../../train/rewards/reward.ts";
import { REWARDS } from "../../../train/rewards/rewards.ts";

/** R1's three; the reward is their sum (DeepSeek-R1, arXiv:2501.12948, §2.2.2 and §2.3.2). */
export const R1_REWARDS = ["accuracy", "format", "language_consistency"] as const;

/** Rewards of TRL and open-r1 that need no tokens, for comparison. */
export const OTHER_REWARDS = [
  "reasoning_accuracy",
  "think_format",
  "tag_count",
  "reasoning_steps",
  "repetition_words",
] as const;

export type RewardName = (typeof R1_REWARDS)[number] | (typeof OTHER_REWARDS)[number];

export interface Scored {
  readonly completion: string;
  readonly solution: string;
  readonly language: "en" | "ja";
}

/** What the trainer's own function gives; null where it does not apply. */
export function scoreCompletion(name: RewardName, { completion, solution, language }: Scored): number | null {
  const item = { completion, ids: [], finished: true, columns: { solution, language } };
  return REWARDS.get(name)?.score([item], DEFAULT_REWARD_CONTEXT, 1)[0] ?? null;
}
