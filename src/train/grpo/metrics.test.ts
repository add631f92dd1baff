import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DATA, hasData } from "../../testing-data.ts";
import { groupAdvantages } from "./advantages.ts";
import { grpoLoss } from "./loss.ts";
import { samplingMismatch, stepMetrics, type StepMetricsInput } from "./metrics.ts";

const logps = Float64Array.of(-1, -2, -3, -4);
const mask = Uint8Array.of(1, 1, 1, 0);

function metricsOf(names: readonly string[], options: { readonly beta?: number; readonly entropy_coef?: number } = {}) {
  const { beta = 0, entropy_coef = 0 } = options;
  const rewards = [names.map(() => 1), names.map((_, k) => (k === 0 ? 0 : null))];
  const advantages = groupAdvantages(rewards, { num_generations: 2 });
  const input = { lengths: [3, 1], logps, refLogps: logps, entropies: Float64Array.of(1, 2, 3, 4), mask };
  const loss = grpoLoss(
    { ...input, advantages: advantages.advantages },
    {
      loss_type: "dapo",
      importance_sampling_level: "token",
      kl_estimator: "k3",
      beta,
      epsilon: 0.2,
      epsilon_high: 0.28,
      max_completion_length: 8,
      entropy_coef,
    },
  );
  const given: StepMetricsInput = {
    config: { beta, entropy_coef, reward_funcs: names },
    lengths: input.lengths,
    truncated: [true, false],
    advantages,
    loss: loss.loss,
    policyLoss: loss.policyLoss,
    statistics: loss.statistics,
    sampling: samplingMismatch(logps, logps, mask),
    gradNorm: 0.5,
    learningRate: 1e-4,
    numTokens: 100,
    stepTime: 2,
  };
  return { given, metrics: stepMetrics(given) };
}

test("a step's metrics", () => {
  const { metrics } = metricsOf(["accuracy", "format"]);
  expect(metrics).toEqual({
    loss: expect.closeTo(-Math.SQRT1_2, 3),
    grad_norm: 0.5,
    learning_rate: 1e-4,
    reward: 1,
    reward_std: Math.SQRT2,
    frac_reward_zero_std: 0,
    "rewards/accuracy/mean": 0.5,
    "rewards/accuracy/std": Math.SQRT1_2,
    // One value alone has no deviation.
    "rewards/format/mean": 1,
    "completions/mean_length": 2,
    "completions/min_length": 1,
    "completions/max_length": 3,
    "completions/clipped_ratio": 0.5,
    "completions/mean_terminated_length": 1,
    "completions/min_terminated_length": 1,
    "completions/max_terminated_length": 1,
    entropy: 2,
    "clip_ratio/low_mean": 0,
    "clip_ratio/low_min": 0,
    "clip_ratio/high_mean": 0,
    "clip_ratio/high_max": 0,
    "clip_ratio/region_mean": 0,
    "sampling/sampling_logp_difference/mean": 0,
    "sampling/sampling_logp_difference/max": 0,
    "sampling/importance_sampling_ratio/min": 1,
    "sampling/importance_sampling_ratio/mean": 1,
    "sampling/importance_sampling_ratio/max": 1,
    num_tokens: 100,
    step_time: 2,
  });
});

test("KL is told with a beta, the policy's own loss with an entropy bonus", () => {
  expect(metricsOf(["a"], { beta: 0.1 }).metrics["kl"]).toBe(0);
  const { metrics } = metricsOf(["a"], { entropy_coef: 0.5 });
  expect(metrics["entropy_coef"]).toBe(0.5);
  expect((metrics["policy_loss"] ?? 0) - (metrics["loss"] ?? 0)).toBeCloseTo(0.5 * 2, 12);
});

test("no completion that ended has length 0, as in TRL", () => {
  const { given } = metricsOf(["a"]);
  const metrics = stepMetrics({ ...given, truncated: [true, true], epoch: 0.5 });
  expect(metrics).toMatchObject({
    "completions/clipped_ratio": 1,
    "completions/mean_terminated_length": 0,
    "completions/max_terminated_length": 0,
    epoch: 0.5,
  });
});

test("sampler and trainer are compared where a token counts", () => {
  expect(samplingMismatch(Float64Array.of(-1, -2, NaN), Float64Array.of(-1, -3, 0), Uint8Array.of(1, 1, 0))).toEqual({
    "sampling/sampling_logp_difference/mean": 0.5,
    "sampling/sampling_logp_difference/max": 1,
    "sampling/importance_sampling_ratio/min": 1,
    "sampling/importance_sampling_ratio/mean": (1 + Math.E) / 2,
    "sampling/importance_sampling_ratio/max": Math.E,
  });
  const none = samplingMismatch(Float64Array.of(NaN), Float64Array.of(NaN), Uint8Array.of(0));
  expect(Object.values(none)).toEqual([0, 0, 0, 0, 0]);
});

const LOG = "grpo/trl-trainer_state.200steps.json";

describe.runIf(hasData(LOG))("a real TRL log of 200 steps", () => {
  const NOT_OURS: Readonly<Record<string, string>> = {
    step: "the line's own field",
    completion_length: "an older name of completions/mean_length, logged beside it",
  };

  test("has no metric that is neither ours nor listed", () => {
    const { log_history } = JSON.parse(readFileSync(join(DATA, LOG), "utf8")) as {
      readonly log_history: readonly Readonly<Record<string, number>>[];
    };
    const logged = new Set(log_history.flatMap((line) => Object.keys(line)));
    const names = [...logged].flatMap((name) => /^rewards\/(.+)\/mean$/.exec(name)?.[1] ?? []);
    expect(names.length).toBeGreaterThan(1);
    const { given } = metricsOf(names, { beta: 0.1 });
    // Two values of each reward, so that each has a deviation.
    const rewards = [names.map(() => 1), names.map(() => 0)];
    const advantages = groupAdvantages(rewards, { num_generations: 2 });
    const ours = stepMetrics({ ...given, advantages, epoch: 1 });
    const missing = [...logged].filter((name) => !Object.hasOwn(ours, name));
    expect(missing.toSorted()).toEqual(Object.keys(NOT_OURS).toSorted());
  });
});
