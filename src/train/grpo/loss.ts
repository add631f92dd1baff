import { R1Error } from "../../errors.ts";
import { KL_ESTIMATORS, LOSS_TYPES, type KlEstimator, type LossTypeName, type Sizes } from "./estimators.ts";
import { entropyThreshold, highEntropyMask, keepsOffPolicy } from "./masks.ts";
import { lossStatistics, type LossStatistics } from "./loss-statistics.ts";

export const IMPORTANCE_SAMPLING_LEVELS = ["token", "sequence"] as const;
export type ImportanceSamplingLevel = (typeof IMPORTANCE_SAMPLING_LEVELS)[number];

type Values = Float32Array | Float64Array;

/** Values per token are packed: completions one after another, without padding, in the order of `lengths`. */
export interface GrpoLossInput {
  /** [B] tokens of each completion. */
  readonly lengths: readonly number[];
  /** [tokens] log probabilities under the policy that is trained, in nats, at the sampling temperature. */
  readonly logps: Values;
  /** [tokens] the same under the policy that sampled; left out, they are the current ones and every ratio is 1. */
  readonly oldLogps?: Values;
  /** [tokens] the same under the reference policy; needed where `beta` is not 0, and enough for `kl` to be told. */
  readonly refLogps?: Values;
  /** [tokens] in nats; needed for `entropy_coef` and `top_entropy_quantile`, and enough for `entropy` to be told. */
  readonly entropies?: Values;
  /** [tokens] the sampler's own log probabilities, for `off_policy_mask_threshold`; left out, `oldLogps`. */
  readonly samplingLogps?: Values;
  /** [tokens] 1 where a token counts; values elsewhere may be anything, NaN too. */
  readonly mask: Uint8Array;
  /** [B] */
  readonly advantages: readonly number[];
  /** Over the whole step, where this is one micro-batch of it; left out, this batch is all. */
  readonly totals?: {
    readonly activeTokens: number;
    readonly completions: number;
    /** Replaces the micro-batch's own quantile for `top_entropy_quantile`, so that packing changes nothing. */
    readonly entropyThreshold?: number;
  };
}

/** Names and meaning are TRL's; `docs/source/grpo_trainer.md` and `paper_index.md` there tell where each is from. */
export interface GrpoLossOptions {
  readonly loss_type: LossTypeName;
  readonly importance_sampling_level: ImportanceSamplingLevel;
  /** Weight of the KL divergence from the reference policy. */
  readonly beta: number;
  readonly kl_estimator: KlEstimator;
  /** The ratio is clipped below 1 − epsilon. */
  readonly epsilon: number;
  /** The ratio is clipped above 1 + epsilon_high; for `cispo` above epsilon_high. */
  readonly epsilon_high: number;
  /** Upper bound of the unclipped ratio; null for none. */
  readonly delta?: number | null;
  /** What `dr_grpo` divides by, in tokens. */
  readonly max_completion_length: number;
  /** Weight of the mean entropy that is subtracted from the loss; 0 for none. */
  readonly entropy_coef?: number;
  /** Share of the tokens, those of highest entropy, that carry the policy term; 1 for all. */
  readonly top_entropy_quantile?: number;
  /** Mean nats a token above which a completion with a negative advantage is dropped; null for never. */
  readonly off_policy_mask_threshold?: number | null;
}

export interface GrpoLossResult {
  /** This micro-batch's part of the step's loss: the parts are added. */
  readonly loss: number;
  /** The loss without the entropy bonus; TRL's `policy_loss`. */
  readonly policyLoss: number;
  /** [tokens] ∂loss/∂logp; 0 where a token does not count. */
  readonly gradLogps: Float32Array;
  /** [tokens] ∂loss/∂entropy, where `entropy_coef` is not 0. */
  readonly gradEntropies?: Float32Array;
  /** [B]; 0 for a completion of which no token counts. */
  readonly perCompletion: {
    readonly kl?: Float32Array;
    readonly entropy?: Float32Array;
    readonly clipFraction: Float32Array;
  };
  /** [tokens]; ratio 1, KL 0 and clipped 0 where a token does not count. */
  readonly perToken: {
    readonly ratio: Float32Array;
    readonly kl?: Float32Array;
    /** −1 below and 1 above the trust region where that stopped the gradient, else 0. */
    readonly clipped: Int8Array;
  };
  readonly statistics: LossStatistics;
  /** What the statistics are means over; `mergeLossStatistics` needs them. */
  readonly activeTokens: number;
}

/**
 * The policy loss of GRPO and its relatives on log probabilities, with its derivatives, as `_compute_loss` of
 * `trl/trainer/grpo_trainer.py`; KL estimators other than k3, which TRL lacks, are Schulman's (2020).
 * @throws R1Error E_OPTION when a table that the options need is missing
 * @throws R1Error E_INTERNAL when tables differ in length
 */
export function grpoLoss(input: GrpoLossInput, options: GrpoLossOptions): GrpoLossResult {
  checkInput(input, options);
  const { lengths, logps, oldLogps, refLogps, entropies, mask, advantages } = input;
  const { beta, entropy_coef: entropyCoef = 0, importance_sampling_level: level } = options;
  const { surrogate, tokenWeight, entropyWeight } = LOSS_TYPES[options.loss_type];
  const klOf = KL_ESTIMATORS[options.kl_estimator];
  const tokens = logps.length;
  const policyMask = policyMaskOf(input, options);

  const gradLogps = new Float32Array(tokens);
  const ratios = new Float32Array(tokens).fill(1);
  const kls = refLogps && new Float32Array(tokens);
  const clipped = new Int8Array(tokens);

  const activeTokens = countOnes(mask);
  const { totals = { activeTokens, completions: lengths.length } } = input;
  const common = {
    activeTokens,
    completions: lengths.length,
    totals,
    maxCompletionLength: options.max_completion_length,
  };

  let loss = 0;
  let start = 0;
  for (const [i, length] of lengths.entries()) {
    const end = start + length;
    const advantage = advantages[i] ?? 0;
    const completionTokens = countOnes(mask, start, end);
    const weight = tokenWeight({ ...common, completionTokens });
    const logRatio = (t: number) => (oldLogps ? at(logps, t) - at(oldLogps, t) : 0);
    const mean = (of: (t: number) => number) => meanOver(mask, start, end, completionTokens, of);
    const sequenceLogRatio = level === "sequence" ? mean(logRatio) : undefined;
    const kept = keepsCompletion(input, options, advantage, mean);
    // At sequence level every token's log probability moves the one ratio that all tokens' terms share.
    let sequenceGrad = 0;
    for (let t = start; t < end; t++) {
      if (mask[t] !== 1) continue;
      const logp = at(logps, t);
      const ratio = Math.exp(sequenceLogRatio ?? logRatio(t));
      const term = surrogate(ratio, advantage, logp, options);
      ratios[t] = ratio;
      clipped[t] = term.clipped;
      let grad = 0;
      if (kept && policyMask[t] === 1) {
        loss += weight * term.value;
        grad = weight * term.gradLogp;
        if (sequenceLogRatio === undefined) grad += weight * term.gradLogRatio;
        else sequenceGrad += weight * term.gradLogRatio;
      }
      if (refLogps && kls) {
        const kl = klOf(logp, at(refLogps, t));
        kls[t] = kl.value;
        // Without it, a KL that has no finite value would spoil a loss that it is no part of.
        if (beta !== 0) {
          loss += weight * beta * kl.value;
          grad += weight * beta * kl.grad;
        }
      }
      gradLogps[t] = grad;
    }
    if (sequenceGrad !== 0) {
      for (let t = start; t < end; t++) {
        if (mask[t] === 1) gradLogps[t] = at(gradLogps, t) + sequenceGrad / completionTokens;
      }
    }
    start = end;
  }

  const bonus =
    entropies && entropyCoef !== 0
      ? entropyBonus(entropies, policyMask, entropyCoef, (count) =>
          entropyWeight({ ...common, completionTokens: 0 } satisfies Sizes, count),
        )
      : undefined;
  const told = { lengths, mask, clipped, ...(kls && { kls }), ...(entropies && { entropies }) };
  return {
    loss: loss - (bonus?.value ?? 0),
    policyLoss: loss,
    gradLogps,
    ...(bonus && { gradEntropies: bonus.grads }),
    ...lossStatistics(told, options.loss_type),
    perToken: { ratio: ratios, ...(kls && { kl: kls }), clipped },
    activeTokens,
  };
}

/** Which tokens carry the policy term. */
function policyMaskOf({ entropies, mask, totals }: GrpoLossInput, options: GrpoLossOptions): Uint8Array {
  const { top_entropy_quantile: share = 1 } = options;
  if (!entropies || share >= 1) return mask;
  return highEntropyMask(entropies, mask, totals?.entropyThreshold ?? entropyThreshold(entropies, mask, 1 - share));
}

function keepsCompletion(
  { logps, oldLogps, samplingLogps = oldLogps }: GrpoLossInput,
  { off_policy_mask_threshold: threshold = null }: GrpoLossOptions,
  advantage: number,
  mean: (of: (t: number) => number) => number,
): boolean {
  if (threshold === null || !samplingLogps) return true;
  return keepsOffPolicy(
    advantage,
    mean((t) => at(samplingLogps, t) - at(logps, t)),
    threshold,
  );
}

function entropyBonus(
  entropies: Values,
  mask: Uint8Array,
  coefficient: number,
  weightOf: (count: number) => number,
): { readonly value: number; readonly grads: Float32Array } {
  const weight = coefficient * weightOf(countOnes(mask));
  const grads = new Float32Array(entropies.length);
  let value = 0;
  for (const [t, counts] of mask.entries()) {
    if (counts !== 1) continue;
    value += weight * at(entropies, t);
    grads[t] = -weight;
  }
  return { value, grads };
}

function checkInput(input: GrpoLossInput, options: GrpoLossOptions): void {
  const { lengths, logps, advantages, mask, oldLogps, refLogps, entropies, samplingLogps } = input;
  const needs: readonly (readonly [boolean, Values | undefined, string])[] = [
    [options.beta !== 0, refLogps, `beta: found ${options.beta} without log probabilities of a reference policy`],
    [
      (options.entropy_coef ?? 0) !== 0 || (options.top_entropy_quantile ?? 1) < 1,
      entropies,
      "entropy_coef, top_entropy_quantile: found without entropies",
    ],
  ];
  for (const [needed, values, complaint] of needs) {
    if (needed && !values) throw new R1Error("E_OPTION", complaint);
  }
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  for (const values of [logps, mask, oldLogps, refLogps, entropies, samplingLogps]) {
    if (values && values.length !== tokens) {
      throw new R1Error("E_INTERNAL", `GRPO loss: a table of ${values.length} values for ${tokens} tokens`);
    }
  }
  if (advantages.length !== lengths.length) {
    throw new R1Error("E_INTERNAL", `GRPO loss: ${advantages.length} advantages for ${lengths.length} completions`);
  }
}

function at(values: Values, index: number): number {
  return values[index] ?? NaN;
}

function countOnes(mask: Uint8Array, start = 0, end = mask.length): number {
  let count = 0;
  for (let t = start; t < end; t++) if (mask[t] === 1) count++;
  return count;
}

/** Mean over the tokens that count; 0 where none does. */
function meanOver(mask: Uint8Array, start: number, end: number, count: number, of: (t: number) => number): number {
  let sum = 0;
  for (let t = start; t < end; t++) if (mask[t] === 1) sum += of(t);
  return sum / Math.max(count, 1);
}
