import type { GrpoConfig } from "../config/grpo-config.ts";
import type { CompletionRecord, CompletionToken, Metrics } from "../events.ts";
import type { Advantages } from "../grpo/advantages.ts";
import { samplingMismatch, stepMetrics } from "../grpo/metrics.ts";
import { samplingLogps } from "./grpo-update.ts";
import type { GrpoUpdateResult } from "./grpo-update.ts";
import type { RunProblem } from "./problems.ts";
import type { RewardBatch } from "./reward-batch.ts";
import type { Rollout } from "./rollout.ts";

export interface StepTimes {
  readonly numTokens: number;
  /** Seconds: the whole step, sampling alone, updating alone. */
  readonly stepTime: number;
  readonly rolloutTime: number;
  readonly updateTime: number;
  readonly epoch?: number;
}

/** The step's metrics by TRL's names, and the speed of its two halves. */
export function grpoMetrics(
  config: GrpoConfig,
  rollouts: readonly Rollout[],
  advantages: Advantages,
  update: GrpoUpdateResult,
  times: StepTimes,
): Metrics {
  const completionTokens = rollouts.reduce((sum, { ids }) => sum + ids.length, 0);
  const tokens = rollouts.reduce((sum, { promptIds, ids }) => sum + promptIds.length + ids.length, 0);
  // The sampler reports the whole distribution at temperature 1, which is the trainer's only there.
  const comparable = config.temperature === 1;
  const metrics = stepMetrics({
    config,
    lengths: rollouts.map(({ ids }) => ids.length),
    truncated: rollouts.map(({ finished }) => !finished),
    advantages,
    loss: update.loss.loss,
    policyLoss: update.loss.policyLoss,
    statistics: update.loss.statistics,
    ...(comparable ? { sampling: samplingMismatch(update.old.logps, samplingLogps(rollouts), update.mask) } : {}),
    gradNorm: update.gradNorm,
    learningRate: update.learningRate,
    numTokens: times.numTokens,
    stepTime: times.stepTime,
    ...(times.epoch === undefined ? {} : { epoch: times.epoch }),
  });
  return {
    ...metrics,
    packing_efficiency: update.packing_efficiency,
    "throughput/rollout_tokens_per_second": completionTokens / times.rolloutTime,
    "throughput/update_tokens_per_second": (tokens * config.num_iterations) / times.updateTime,
    ...(update.skipped > 0 ? { skipped_updates: update.skipped } : {}),
  };
}

export function completionRecords(
  config: GrpoConfig,
  step: number,
  problems: readonly RunProblem[],
  rollouts: readonly Rollout[],
  rewards: RewardBatch,
  advantages: Advantages,
  update: GrpoUpdateResult,
): readonly CompletionRecord[] {
  let at = 0;
  return rollouts.map(({ prompt, text, ids, finished, pieces, samplingLogps: sampled }, i): CompletionRecord => {
    const start = at;
    at += ids.length;
    const kl = update.loss.perCompletion.kl?.[i];
    return {
      step,
      group: prompt,
      prompt: problems[prompt]?.prompt ?? "",
      completion: text,
      rewards: Object.fromEntries(config.reward_funcs.map((name, k) => [name, rewards.values[i]?.[k] ?? null])),
      reward: advantages.rewards[i] ?? null,
      advantage: advantages.advantages[i] ?? 0,
      length: ids.length,
      finish_reason: finished ? "eos" : "length",
      ...(kl === undefined ? {} : { kl }),
      clip_fraction: update.loss.perCompletion.clipFraction[i] ?? 0,
      ...(config.log_tokens
        ? { tokens: ids.map((id, t) => tokenRecord(update, start + t, id, pieces[t] ?? "", sampled[t])) }
        : {}),
    };
  });
}

function tokenRecord(
  update: GrpoUpdateResult,
  at: number,
  id: number,
  text: string,
  sampled: number | undefined,
): CompletionToken {
  const refLogp = update.refLogps?.[at];
  return {
    id,
    text,
    logp: update.logps[at] ?? Number.NaN,
    old_logp: update.old.logps[at] ?? Number.NaN,
    ...(refLogp === undefined ? {} : { ref_logp: refLogp }),
    ratio: update.loss.perToken.ratio[at] ?? 1,
    entropy: update.old.entropies[at] ?? Number.NaN,
    ...(sampled === undefined ? {} : { sampling_logp: sampled }),
  };
}
