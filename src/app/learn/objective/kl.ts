import { KL_ESTIMATORS } from "../../../train/grpo/estimators.ts";
import type { KlEstimator } from "../../../train/grpo/estimators.ts";

export const ESTIMATORS = ["k1", "k2", "k3"] as const satisfies readonly KlEstimator[];

/** What an estimator says of one token whose log probability moved by `logRatio` = log π − log π_ref, in nats. */
export function klEstimate(estimator: KlEstimator, logRatio: number): number {
  return KL_ESTIMATORS[estimator](logRatio, 0).value;
}

/** A token of a small vocabulary under both policies. */
export interface DriftToken {
  readonly policy: number;
  readonly reference: number;
  readonly logRatio: number;
}

/** The reference's logits, and how each changes as the policy moves away from it. */
const LOGITS = [1.2, 0.6, 0.1, -0.4, -0.9, -1.5] as const;
const DIRECTION = [0.9, -0.5, 0.6, -0.9, 0.3, -0.6] as const;

/** A policy that has moved from its reference by `drift` times a fixed direction in its logits. */
export function driftedTokens(drift: number): readonly DriftToken[] {
  const reference = softmax(LOGITS);
  const policy = softmax(LOGITS.map((logit, i) => logit + drift * (DIRECTION[i] ?? 0)));
  return policy.map((p, i) => {
    const q = reference[i] ?? 0;
    return { policy: p, reference: q, logRatio: Math.log(p / q) };
  });
}

export interface EstimatorStatistics {
  /** Expected value when tokens are drawn from the policy, in nats. */
  readonly mean: number;
  /** Standard deviation of one draw. */
  readonly std: number;
}

export function estimatorStatistics(tokens: readonly DriftToken[], estimator: KlEstimator): EstimatorStatistics {
  const expected = (of: (value: number) => number): number =>
    tokens.reduce((sum, { policy, logRatio }) => sum + policy * of(klEstimate(estimator, logRatio)), 0);
  const mean = expected((value) => value);
  return { mean, std: Math.sqrt(expected((value) => (value - mean) ** 2)) };
}

/** KL(policy ‖ reference), in nats. */
export function divergence(tokens: readonly DriftToken[]): number {
  return tokens.reduce((sum, { policy, logRatio }) => sum + policy * logRatio, 0);
}

function softmax(logits: readonly number[]): readonly number[] {
  const powers = logits.map(Math.exp);
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
