import type { GrpoLossOptions } from "./loss.ts";

/** A value of one token and its derivative with respect to the token's log probability under the policy. */
export interface Derived {
  readonly value: number;
  readonly grad: number;
}

/**
 * KL(policy ‖ reference) of a token the policy sampled, in nats, from its two log probabilities
 * (Schulman 2020, "Approximating KL divergence"). TRL uses k3; verl calls them `kl`, `mse` and `low_var_kl`.
 */
export const KL_ESTIMATORS = {
  k1: (logp: number, ref: number): Derived => ({ value: logp - ref, grad: 1 }),
  k2: (logp: number, ref: number): Derived => ({ value: (logp - ref) ** 2 / 2, grad: logp - ref }),
  k3: (logp: number, ref: number): Derived => {
    // exp(d) − 1 without the loss of digits near d = 0, where a young policy is.
    const d = ref - logp;
    const grown = Math.expm1(d);
    return { value: grown - d, grad: -grown };
  },
} as const satisfies Record<string, (logp: number, ref: number) => Derived>;

export type KlEstimator = keyof typeof KL_ESTIMATORS;

/** A policy term −J of one token, or of one completion at sequence level. */
export interface Surrogate {
  readonly value: number;
  /** Derivative with respect to the log of the importance ratio. */
  readonly gradLogRatio: number;
  /** Derivative with respect to the token's log probability where it appears beside the ratio. */
  readonly gradLogp: number;
  /** −1 or 1 where the ratio left the trust region on the low or high side and that stopped the gradient; else 0. */
  readonly clipped: -1 | 0 | 1;
}

type SurrogateOf = (ratio: number, advantage: number, logp: number, options: GrpoLossOptions) => Surrogate;

/** PPO's clipped surrogate, with DAPO's separate upper bound and INTELLECT-2's cap `delta` on the unclipped ratio. */
const clippedSurrogate: SurrogateOf = (ratio, advantage, _, { epsilon, epsilon_high, delta }) => {
  const low = 1 - epsilon;
  const high = 1 + epsilon_high;
  const cap = delta ?? Infinity;
  const capped = Math.min(ratio, cap);
  const clamped = Math.min(Math.max(ratio, low), high);
  const takesCapped = capped * advantage <= clamped * advantage;
  const taken = takesCapped ? capped : clamped;
  const follows = takesCapped ? ratio <= cap : ratio >= low && ratio <= high;
  return {
    value: -taken * advantage,
    gradLogRatio: follows ? -ratio * advantage : 0,
    gradLogp: 0,
    clipped: capped < low && advantage < 0 ? -1 : capped > high && advantage > 0 ? 1 : 0,
  };
};

/** MiniMax-M1's CISPO: the ratio, capped and without gradient, weighs the log probability. */
const cispoSurrogate: SurrogateOf = (ratio, advantage, logp, { epsilon_high }) => {
  // `epsilon_high` is the cap itself here, not its distance from 1.
  const weight = -Math.min(ratio, epsilon_high) * advantage;
  return {
    value: weight * logp,
    gradLogRatio: 0,
    gradLogp: weight,
    clipped: ratio > epsilon_high && advantage > 0 ? 1 : 0,
  };
};

/** Sizes that a loss is averaged over. */
export interface Sizes {
  /** Counted tokens of the completion. */
  readonly completionTokens: number;
  /** Counted tokens and completions of this (micro-)batch. */
  readonly activeTokens: number;
  readonly completions: number;
  /** The same over all micro-batches of the step. */
  readonly totals: { readonly activeTokens: number; readonly completions: number };
  readonly maxCompletionLength: number;
}

interface LossType {
  readonly surrogate: SurrogateOf;
  /** What one token's term is multiplied by before all are added. */
  readonly tokenWeight: (sizes: Sizes) => number;
  /** What one token's entropy is multiplied by, so that the step's sum is the mean entropy. */
  readonly entropyWeight: (sizes: Sizes, entropyTokens: number) => number;
}

// Micro-batches count by their completions; where all are equally large this is TRL's 1 / accumulation steps.
const share = ({ completions, totals }: Sizes) => completions / Math.max(totals.completions, 1);
const inActiveTokens = ({ totals }: Sizes) => 1 / Math.max(totals.activeTokens, 1);
const meanOfMicroBatch = (sizes: Sizes, entropyTokens: number) => share(sizes) / Math.max(entropyTokens, 1);

/** The losses by TRL's names; they differ in what a token's term is divided by, and CISPO in the term itself. */
export const LOSS_TYPES = {
  /** DeepSeekMath: each completion counts the same, whatever its length. */
  grpo: {
    surrogate: clippedSurrogate,
    tokenWeight: ({ completionTokens, totals }) =>
      1 / (Math.max(completionTokens, 1) * Math.max(totals.completions, 1)),
    entropyWeight: meanOfMicroBatch,
  },
  /** Each token counts the same within its micro-batch. */
  bnpo: {
    surrogate: clippedSurrogate,
    tokenWeight: (sizes) => share(sizes) / Math.max(sizes.activeTokens, 1),
    entropyWeight: meanOfMicroBatch,
  },
  /** Each token counts the same within the whole step. */
  dapo: { surrogate: clippedSurrogate, tokenWeight: inActiveTokens, entropyWeight: inActiveTokens },
  /** Dr. GRPO: a constant, so that the length of what was written changes nothing. */
  dr_grpo: {
    surrogate: clippedSurrogate,
    tokenWeight: ({ totals, maxCompletionLength }) => 1 / (Math.max(totals.completions, 1) * maxCompletionLength),
    entropyWeight: meanOfMicroBatch,
  },
  cispo: { surrogate: cispoSurrogate, tokenWeight: inActiveTokens, entropyWeight: inActiveTokens },
} as const satisfies Record<string, LossType>;

export type LossTypeName = keyof typeof LOSS_TYPES;
