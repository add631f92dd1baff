import type { GrpoConfig } from "../config/grpo-config.ts";
import type { CompletionRecord, CompletionToken, Metrics } from "../events.ts";
import type { Advantages } from "../grpo/advantages.ts";
import { samplingMismatch, stepMetrics } from "../grpo/metrics.ts";
import { namedLines } from "./data-warnings.ts";
import type { DataWarning } from "./data-warnings.ts";
import { samplingLogps } from "./grpo-update.ts";
import type { GrpoUpdateResult } from "./grpo-update.ts";
import { UPDATE_SKIPPED } from "./non-finite.ts";
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
  const unrewarded = advantages.rewards.filter((reward) => reward === null).length;
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
    // A clock that is too coarse gives no speed.
    ...(times.rolloutTime > 0 ? { "throughput/rollout_tokens_per_second": completionTokens / times.rolloutTime } : {}),
    ...(times.updateTime > 0
      ? { "throughput/update_tokens_per_second": (tokens * config.num_iterations) / times.updateTime }
      : {}),
    ...(unrewarded > 0 ? { frac_no_reward: unrewarded / rollouts.length } : {}),
    ...(update.skipped > 0 ? { skipped_updates: update.skipped } : {}),
  };
}

/** What there is to say of a step's rewards and of its update. */
export function stepWarnings(
  config: GrpoConfig,
  problems: readonly RunProblem[],
  rollouts: readonly Rollout[],
  rewards: RewardBatch,
  advantages: Advantages,
  update: GrpoUpdateResult,
): readonly DataWarning[] {
  const warnings: DataWarning[] = rewards.failures.map((message) => ({ code: "REWARD_FAILED", message }));
  const unrewarded = rollouts.filter((_, i) => advantages.rewards[i] === null);
  if (unrewarded.length > 0) {
    const lines = unrewarded.flatMap(({ prompt }) => problems[prompt]?.line ?? []);
    const where = lines.length === 0 ? "" : ` (${namedLines([...new Set(lines)])})`;
    const message = `no reward function applies to ${unrewarded.length} of ${rollouts.length} completions${where}: nothing is learnt from them`;
    warnings.push({ code: "NO_REWARD", message });
  }
  if (unrewarded.length < rollouts.length) {
    for (const name of config.reward_funcs.filter((_, k) => rewards.unused[k] === true)) {
      const message = `reward function ${name} applies to none of the ${rollouts.length} completions`;
      warnings.push({ code: "REWARD_NOT_APPLICABLE", message });
    }
  }
  if (update.skipped > 0) warnings.push(UPDATE_SKIPPED);
  if (update.mask.every((counts) => counts === 0)) {
    const message = `all ${rollouts.length} completions ran into max_completion_length ${config.max_completion_length} and are masked (mask_truncated_completions): this step had nothing to learn from`;
    warnings.push({ code: "NOTHING_SCORED", message });
  }
  if (advantages.frac_reward_zero_std === 1) {
    const message = "in every group all rewards were equal: this step had nothing to learn from";
    warnings.push({ code: "DEAD_GROUPS", message });
  }
  return warnings;
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
