import type { Metrics } from "../events.ts";
import type { Advantages } from "./advantages.ts";
import type { LossStatistics } from "./loss-statistics.ts";

type Values = Float32Array | Float64Array;

export interface StepMetricsInput {
  readonly config: {
    readonly beta: number;
    readonly entropy_coef: number;
    readonly reward_funcs: readonly string[];
  };
  /** [B] tokens of each completion, the end-of-sequence token included. */
  readonly lengths: readonly number[];
  /** [B] whether it ran into the length limit. */
  readonly truncated: readonly boolean[];
  readonly advantages: Advantages;
  /** Sum of the micro-batches' losses. */
  readonly loss: number;
  /** The same without the entropy bonus. */
  readonly policyLoss: number;
  readonly statistics: LossStatistics;
  /** From {@link samplingMismatch}, where sampler and trainer have each their own log probabilities. */
  readonly sampling?: Metrics;
  /** Norm of the whole gradient before it is clipped. */
  readonly gradNorm: number;
  readonly learningRate: number;
  /** Prompt and completion tokens since the run began, this step's included. */
  readonly numTokens: number;
  /** Passes over a dataset; left out for a task, which has no end. */
  readonly epoch?: number;
  /** In seconds. */
  readonly stepTime: number;
}

/**
 * One step's metrics, by TRL's names (`_generate_and_score_completions` and `_compute_loss` of `grpo_trainer.py`).
 * What has no value, such as the mean of a reward that applied to no completion, is left out.
 */
export function stepMetrics(input: StepMetricsInput): Metrics {
  const { config, advantages, lengths, truncated, statistics } = input;
  const { kl, entropy, ...clipRatios } = statistics;
  const terminated = lengths.filter((_, i) => truncated[i] === false);
  const all: Readonly<Record<string, number | null | undefined>> = {
    loss: input.loss,
    grad_norm: input.gradNorm,
    learning_rate: input.learningRate,
    reward: advantages.reward,
    reward_std: advantages.reward_std,
    frac_reward_zero_std: advantages.frac_reward_zero_std,
    ...Object.fromEntries(
      config.reward_funcs.flatMap((name, k) => [
        [`rewards/${name}/mean`, advantages.functions[k]?.mean],
        [`rewards/${name}/std`, advantages.functions[k]?.std],
      ]),
    ),
    ...lengthMetrics("length", lengths),
    "completions/clipped_ratio": lengths.length === 0 ? 0 : 1 - terminated.length / lengths.length,
    ...lengthMetrics("terminated_length", terminated),
    entropy,
    kl: config.beta === 0 ? undefined : kl,
    ...clipRatios,
    ...(config.entropy_coef === 0 ? {} : { policy_loss: input.policyLoss, entropy_coef: config.entropy_coef }),
    ...input.sampling,
    num_tokens: input.numTokens,
    epoch: input.epoch,
    step_time: input.stepTime,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (typeof value === "number" ? [[name, value] as const] : [])),
  );
}

/**
 * How far the sampler's log probabilities are from the trainer's for the same weights: 0 and 1 where their kernels
 * compute the same. TRL caps the ratio, which is shown as it is here.
 * @param logps [tokens] the trainer's, before the update
 * @param samplingLogps [tokens] the sampler's
 * @param mask [tokens] 1 where a token counts
 */
export function samplingMismatch(logps: Values, samplingLogps: Values, mask: Uint8Array): Metrics {
  let [count, sum, most, ratioSum, leastRatio, mostRatio] = [0, 0, 0, 0, Infinity, 0];
  for (const [t, counts] of mask.entries()) {
    if (counts !== 1) continue;
    const difference = (logps[t] ?? NaN) - (samplingLogps[t] ?? NaN);
    const ratio = Math.exp(difference);
    count++;
    sum += Math.abs(difference);
    most = Math.max(most, Math.abs(difference));
    ratioSum += ratio;
    leastRatio = Math.min(leastRatio, ratio);
    mostRatio = Math.max(mostRatio, ratio);
  }
  // Zeros where there is nothing to compare, as in TRL.
  const none = count === 0;
  return {
    "sampling/sampling_logp_difference/mean": none ? 0 : sum / count,
    "sampling/sampling_logp_difference/max": most,
    "sampling/importance_sampling_ratio/min": none ? 0 : leastRatio,
    "sampling/importance_sampling_ratio/mean": none ? 0 : ratioSum / count,
    "sampling/importance_sampling_ratio/max": mostRatio,
  };
}

/** Mean, least and most; 0 where there is none, as in TRL. */
function lengthMetrics(name: string, lengths: readonly number[]): Metrics {
  const some = lengths.length > 0 ? lengths : [0];
  const [first = 0] = some;
  return {
    [`completions/mean_${name}`]: some.reduce((sum, length) => sum + length, 0) / some.length,
    [`completions/min_${name}`]: some.reduce((least, length) => Math.min(least, length), first),
    [`completions/max_${name}`]: some.reduce((most, length) => Math.max(most, length), first),
  };
}
