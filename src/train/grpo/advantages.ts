import { R1Error } from "../../errors.ts";
import { nanMean, nanStd } from "./statistics.ts";

export const SCALE_REWARDS = ["group", "batch", "none"] as const;
/** What a reward's distance from its group's mean is divided by: the group's deviation, the batch's, or nothing. */
export type ScaleRewards = (typeof SCALE_REWARDS)[number];

export const ADVANTAGE_ESTIMATORS = ["grpo", "rloo"] as const;
/** `grpo`: against the group's mean (DeepSeekMath §4.1); `rloo`: against the mean of the others (Ahmadian 2024). */
export type AdvantageEstimator = (typeof ADVANTAGE_ESTIMATORS)[number];

export const MULTI_OBJECTIVE_AGGREGATIONS = ["sum_then_normalize", "normalize_then_sum"] as const;
/** Whether several rewards are added before they are normalised in the group, or after (GDPO). */
export type MultiObjectiveAggregation = (typeof MULTI_OBJECTIVE_AGGREGATIONS)[number];

export interface AdvantageOptions {
  /** Completions of one prompt, G; they stand next to each other. */
  readonly num_generations: number;
  /** One weight for each reward function; all 1 where left out. */
  readonly reward_weights?: readonly number[];
  readonly scale_rewards?: ScaleRewards;
  readonly estimator?: AdvantageEstimator;
  readonly multi_objective_aggregation?: MultiObjectiveAggregation;
  /** 1: sample deviation (TRL, verl); 0: population deviation (GRPO-Zero, nano-aha-moment). */
  readonly ddof?: 0 | 1;
  /** Added to the deviation, so that a group of equal rewards divides by more than 0. */
  readonly eps?: number;
}

export interface RewardStatistics {
  /** Null where no completion has a value. */
  readonly mean: number | null;
  /** Null where there are fewer than two values (`ddof` 1). */
  readonly std: number | null;
}

export interface Advantages {
  /** [B] one for each completion; 0 where it has no reward. */
  readonly advantages: readonly number[];
  /** [B] weighted sum over the reward functions that gave a value; null where none did. */
  readonly rewards: readonly (number | null)[];
  /** Mean and deviation of `rewards` over the whole batch: TRL's `reward` and `reward_std`. */
  readonly reward: number | null;
  readonly reward_std: number | null;
  /**
   * Share of the groups with a reward whose deviation, the one of `scale_rewards`, is 0: nothing to learn from. Null where
   * no completion has a reward, for which TRL says 0.
   */
  readonly frac_reward_zero_std: number | null;
  /** Per reward function, unweighted: TRL's `rewards/{func}/mean` and `/std`. */
  readonly functions: readonly RewardStatistics[];
  /** [B / G] of the summed rewards. */
  readonly groups: readonly RewardStatistics[];
}

type Rewards = readonly (number | null)[];

/** TRL's guard against a deviation of 0. */
export const ADVANTAGE_EPS = 1e-4;
/** `torch.isclose` against 0. */
const ZERO_STD = 1e-8;

/**
 * Advantages of a batch of completions from their rewards, as `_generate_and_score_completions` in
 * `trl/trainer/grpo_trainer.py` (and `rloo_trainer.py` for the estimator `rloo`).
 * @param rewardsPerFunction [B][functions], completions in prompt-major order; null where a function does not apply
 * @throws R1Error E_OPTION when the batch is not a whole number of groups or a row is not as long as the weights
 */
export function groupAdvantages(
  rewardsPerFunction: readonly (readonly (number | null)[])[],
  options: AdvantageOptions,
): Advantages {
  const { num_generations: size, scale_rewards: scale = "group", estimator = "grpo", ddof = 1 } = options;
  const count = rewardsPerFunction.length;
  if (!Number.isInteger(size) || size < 1 || count % size !== 0) {
    throw new R1Error(
      "E_OPTION",
      `num_generations: found ${size} for ${count} completions; expected a divisor of their count`,
    );
  }
  const weights = options.reward_weights ?? (rewardsPerFunction[0] ?? []).map(() => 1);
  for (const row of rewardsPerFunction) {
    if (row.length === weights.length) continue;
    throw new R1Error("E_OPTION", `reward_weights: found ${weights.length} for ${row.length} reward functions`);
  }

  const rewards = rewardsPerFunction.map((row) => weightedSum(row, weights));
  const columns = weights.map((_, k) => rewardsPerFunction.map((row) => row[k] ?? null));
  const groups = inGroups(rewards, size);
  const deviation = { ddof, eps: options.eps ?? ADVANTAGE_EPS };
  const { advantages, stds } =
    estimator === "rloo"
      ? { advantages: groups.flatMap(leaveOneOut), stds: groups.map((group) => nanStd(group, ddof)) }
      : options.multi_objective_aggregation === "normalize_then_sum"
        ? normalizeThenSum(columns, weights, size, deviation)
        : sumThenNormalize(groups, scale, deviation);
  return {
    advantages: advantages.map((advantage) => advantage ?? 0),
    rewards,
    reward: nanMean(rewards),
    reward_std: nanStd(rewards, ddof),
    frac_reward_zero_std: shareOfZeroStd(stds, groups),
    functions: columns.map((column) => ({ mean: nanMean(column), std: nanStd(column, ddof) })),
    groups: groups.map((group) => ({ mean: nanMean(group), std: nanStd(group, ddof) })),
  };
}

/** The weighted sum of the values that are there; null where none is (not 0, which would shift the group's mean). */
export function weightedSum(values: Rewards, weights: readonly number[]): number | null {
  let sum: number | null = null;
  for (const [k, weight] of weights.entries()) {
    const value = values[k] ?? null;
    if (value !== null) sum = (sum ?? 0) + weight * value;
  }
  return sum;
}

function shareOfZeroStd(stds: Rewards, groups: readonly Rewards[]): number | null {
  const rewarded = stds.filter((_, g) => groups[g]?.some((reward) => reward !== null) === true);
  // The only reward of a group has nothing that it could be better than.
  return nanMean(rewarded.map((std) => (std === null || std <= ZERO_STD ? 1 : 0)));
}

function inGroups(values: Rewards, size: number): readonly Rewards[] {
  return Array.from({ length: values.length / size }, (_, g) => values.slice(g * size, (g + 1) * size));
}

function leaveOneOut(group: Rewards): Rewards {
  return group.map((reward, i) => {
    const others = nanMean(group.toSpliced(i, 1));
    return reward === null || others === null ? null : reward - others;
  });
}

interface Normalized {
  readonly advantages: Rewards;
  /** One for each group. */
  readonly stds: readonly (number | null)[];
}

/** How deviations are taken: what is subtracted from the count, and what is added to the result. */
interface Deviation {
  readonly ddof: 0 | 1;
  readonly eps: number;
}

/** What a group's centred rewards are divided by; null, where it does not exist, leaves the group out, as NaN does. */
const DIVISORS: Readonly<
  Record<ScaleRewards, (group: number | null, batch: number | null, eps: number) => number | null>
> = {
  group: (group, _, eps) => (group === null ? null : group + eps),
  batch: (_, batch, eps) => (batch === null ? null : batch + eps),
  none: () => 1,
};

function sumThenNormalize(groups: readonly Rewards[], scale: ScaleRewards, { ddof, eps }: Deviation): Normalized {
  const batch = nanStd(groups.flat(), ddof);
  const stds = groups.map((group) => nanStd(group, ddof));
  return {
    advantages: groups.flatMap((group, g) => center(group, DIVISORS[scale](stds[g] ?? null, batch, eps))),
    stds: scale === "batch" ? groups.map(() => batch) : stds,
  };
}

/** Each reward is normalised in its group, then they are added, then the batch is whitened. */
function normalizeThenSum(
  columns: readonly Rewards[],
  weights: readonly number[],
  size: number,
  deviation: Deviation,
): Normalized {
  const normalized = columns.map((column) => inGroups(column, size).flatMap((group) => whiten(group, deviation)));
  const sums = (columns[0] ?? []).map((_, i) => {
    const row = normalized.map((column) => column[i] ?? null);
    // A row with rewards of which none could be normalised counts as 0, as in TRL.
    return weightedSum(row, weights) ?? (columns.some((column) => column[i] !== null) ? 0 : null);
  });
  const std = nanStd(sums, deviation.ddof);
  return { advantages: whiten(sums, deviation), stds: inGroups(sums, size).map(() => std) };
}

function whiten(values: Rewards, { ddof, eps }: Deviation): Rewards {
  const std = nanStd(values, ddof);
  return center(values, std === null ? null : std + eps);
}

function center(values: Rewards, divisor: number | null): Rewards {
  const mean = nanMean(values);
  return values.map((value) => (value === null || mean === null || divisor === null ? null : (value - mean) / divisor));
}
