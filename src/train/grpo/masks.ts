import { quantile } from "./statistics.ts";

type Values = Float32Array | Float64Array;

/**
 * Entropy from which a token counts as a fork in the reasoning (Wang et al. 2025, "Beyond the 80/20 rule").
 * @param entropies in nats, per token
 * @param mask 1 where a token counts
 * @param fraction quantile in [0, 1]; TRL passes 1 − `top_entropy_quantile`
 * @returns Infinity where no token counts
 */
export function entropyThreshold(entropies: Values, mask: Uint8Array, fraction: number): number {
  return (
    quantile(
      Array.from(entropies).filter((_, t) => mask[t] === 1),
      fraction,
    ) ?? Infinity
  );
}

/** The tokens that count and whose entropy reaches `threshold`; as `get_high_entropy_mask` of TRL. */
export function highEntropyMask(entropies: Values, mask: Uint8Array, threshold: number): Uint8Array {
  return mask.map((counts, t) => (counts === 1 && (entropies[t] ?? -Infinity) >= threshold ? 1 : 0));
}

/**
 * Whether a completion stays in the loss (DeepSeek-V3.2, off-policy sequence masking): one that the policy has moved
 * away from, by a mean of more than `threshold` nats a token, is dropped unless it did better than its group.
 * @param drift mean of sampling logp − logp over its counted tokens, in nats
 */
export function keepsOffPolicy(advantage: number, drift: number, threshold: number): boolean {
  return advantage >= 0 || drift <= threshold;
}

/**
 * Leaves completions out that ran into the length limit (`mask_truncated_completions`, DAPO's overlong filter).
 * @param mask [tokens] 1 where a token counts, completions concatenated
 * @param truncated per completion: it ended neither with an end-of-sequence token nor with padding
 */
export function maskTruncated(mask: Uint8Array, lengths: readonly number[], truncated: readonly boolean[]): Uint8Array {
  const kept = mask.slice();
  let start = 0;
  for (const [i, length] of lengths.entries()) {
    if (truncated[i] === true) kept.fill(0, start, start + length);
    start += length;
  }
  return kept;
}
