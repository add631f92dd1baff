import type { GrpoConfig } from "../config/grpo-config.ts";
import { rewardContext } from "../rewards/reward.ts";
import { parseRewards } from "../rewards/rewards.ts";
import type { RunProblem } from "./problems.ts";
import type { Rollout } from "./rollout.ts";

/** What the reward functions gave. */
export interface RewardBatch {
  /** [completions][functions]; null where a function does not apply or failed. */
  readonly values: readonly (readonly (number | null)[])[];
  /** A sentence for each function that threw, or gave a value that is no number. */
  readonly failures: readonly string[];
  /** [functions] whether it applied to no completion, without having failed. */
  readonly unused: readonly boolean[];
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
  const unused: boolean[] = [];
  const columns = parseRewards(config.reward_funcs).map((reward) => {
    const before = failures.length;
    const column = scoreColumn(() => reward.score(items, context, config.num_generations), reward.name, failures);
    unused.push(failures.length === before && items.every((_, i) => (column[i] ?? null) === null));
    return column;
  });
  return { values: items.map((_, i) => columns.map((column) => column[i] ?? null)), failures, unused };
}

/** One function's values; null for those that are no number. */
function scoreColumn(
  score: () => readonly (number | null)[],
  name: string,
  failures: string[],
): readonly (number | null)[] {
  try {
    const column = score();
    const wrong = column.filter((value) => value !== null && !Number.isFinite(value));
    if (wrong.length > 0) {
      failures.push(`reward function ${name} gave ${wrong[0]} for ${wrong.length} of ${column.length} completions`);
    }
    return column.map((value) => (Number.isFinite(value) ? value : null));
  } catch (error) {
    failures.push(`reward function ${name} failed: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}
