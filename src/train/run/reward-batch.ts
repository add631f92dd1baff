import type { GrpoConfig } from "../config/grpo-config.ts";
import { rewardContext } from "../rewards/reward.ts";
import { parseRewards } from "../rewards/rewards.ts";
import type { RunProblem } from "./problems.ts";
import type { Rollout } from "./rollout.ts";

/** What the reward functions gave. */
export interface RewardBatch {
  /** [completions][functions]; null where a function does not apply or failed. */
  readonly values: readonly (readonly (number | null)[])[];
  /** A sentence for each function that threw. */
  readonly failures: readonly string[];
}

/**
 * Scores completions with every reward function. One that throws, or gives what is no number, counts as not applying.
 * @throws R1Error E_OPTION for an unknown function
 */
export function scoreRewards(
  config: GrpoConfig,
  problems: readonly RunProblem[],
  rollouts: readonly Rollout[],
): RewardBatch {
  const items = rollouts.map(({ prompt, text, ids, finished }) => {
    const { columns = {}, verify } = problems[prompt] ?? {};
    return { completion: text, ids, finished, columns, ...(verify ? { verify } : {}) };
  });
  const context = rewardContext(config);
  const failures: string[] = [];
  const columns = parseRewards(config.reward_funcs).map((reward) => {
    try {
      return reward.score(items, context, config.num_generations);
    } catch (error) {
      failures.push(`reward function ${reward.name} failed: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
  return {
    values: items.map((_, i) =>
      columns.map((column) => {
        const value = column[i] ?? null;
        return value !== null && Number.isFinite(value) ? value : null;
      }),
    ),
    failures,
  };
}
