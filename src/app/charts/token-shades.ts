import type { CompletionRecord, CompletionToken } from "../../engine/protocol.ts";
import { KL_ESTIMATORS } from "../../train/grpo/estimators.ts";
import type { KlEstimator } from "../../train/grpo/estimators.ts";
import { reachOf, signOf, wash } from "./scales.ts";

export const TOKEN_MEASURES = ["ratio", "kl", "entropy"] as const;
export type TokenMeasure = (typeof TOKEN_MEASURES)[number];

/** KL of a token, in nats; NaN where the run has no reference. */
export function tokenKl({ logp, ref_logp: ref }: CompletionToken, estimator: KlEstimator): number {
  return ref === undefined ? NaN : KL_ESTIMATORS[estimator](logp, ref).value;
}

/** What a token is coloured by: the weight of its gradient (advantage × ratio), its KL, or its entropy. */
export function measureOf(
  token: CompletionToken,
  { advantage }: CompletionRecord,
  measure: TokenMeasure,
  estimator: KlEstimator,
): number {
  switch (measure) {
    case "ratio":
      return advantage * token.ratio;
    case "kl":
      return tokenKl(token, estimator);
    case "entropy":
      return token.entropy;
  }
}

/** A background for each token, deepest at the greatest value of the completion. */
export function tokenShades(
  completion: CompletionRecord,
  measure: TokenMeasure,
  estimator: KlEstimator,
): readonly string[] {
  const values = (completion.tokens ?? []).map((token) => measureOf(token, completion, measure, estimator));
  const limit = reachOf(values);
  return values.map((value) => wash(value, limit, measure === "ratio" ? signOf(value) : measure));
}

/** Measures that the completion's tokens have. */
export function measuresOf({ tokens = [] }: CompletionRecord): readonly TokenMeasure[] {
  return TOKEN_MEASURES.filter((measure) => {
    if (measure === "kl") return tokens.some(({ ref_logp: ref }) => ref !== undefined);
    return measure === "ratio" || tokens.some(({ entropy }) => Number.isFinite(entropy));
  });
}
