import { LOSS_TYPES } from "../../../train/grpo/estimators.ts";

export interface ClipSettings {
  readonly epsilon: number;
  readonly epsilonHigh: number;
  readonly advantage: number;
}

export interface ClipPoint {
  readonly ratio: number;
  /** What is maximised: min(r·A, clip(r, 1 − ε, 1 + ε_high)·A). */
  readonly objective: number;
  /** Its derivative with respect to the token's log probability; 0 where clipping stopped it. */
  readonly gradient: number;
  /** Which bound stopped the gradient. */
  readonly clipped: -1 | 0 | 1;
}

export function clipPoint(ratio: number, { epsilon, epsilonHigh, advantage }: ClipSettings): ClipPoint {
  // The trainer minimises, so its value and gradient have the other sign; the fields of averaging play no part here.
  const { value, gradLogRatio, clipped } = LOSS_TYPES.grpo.surrogate(ratio, advantage, Math.log(ratio), {
    loss_type: "grpo",
    importance_sampling_level: "token",
    beta: 0,
    kl_estimator: "k3",
    epsilon,
    epsilon_high: epsilonHigh,
    max_completion_length: 1,
  });
  return { ratio, objective: 0 - value, gradient: 0 - gradLogRatio, clipped };
}

/** The objective's corners between two ratios; it is straight between them. */
export function clipCurve(settings: ClipSettings, from: number, to: number): readonly ClipPoint[] {
  const corners = [1 - settings.epsilon, 1, 1 + settings.epsilonHigh].filter((ratio) => ratio > from && ratio < to);
  return [from, ...corners, to].map((ratio) => clipPoint(ratio, settings));
}
