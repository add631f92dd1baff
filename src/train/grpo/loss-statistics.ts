import type { LossTypeName } from "./estimators.ts";

/** Means over the counted tokens, and over completions where the name says min or max; TRL's metric names. */
export interface LossStatistics {
  /** In nats; there where log probabilities of a reference policy were given. */
  readonly kl?: number;
  /** In nats; there where entropies were given. */
  readonly entropy?: number;
  readonly "clip_ratio/low_mean"?: number;
  readonly "clip_ratio/low_min"?: number;
  readonly "clip_ratio/high_mean"?: number;
  readonly "clip_ratio/high_max"?: number;
  readonly "clip_ratio/region_mean"?: number;
  /** Instead of the clip ratios, for `cispo`. */
  readonly cispo_clip_ratio?: number;
}

export interface PerToken {
  readonly lengths: readonly number[];
  readonly mask: Uint8Array;
  readonly clipped: Int8Array;
  readonly kls?: Float32Array;
  readonly entropies?: Float32Array | Float64Array;
}

interface Means {
  /** [B]; 0 for a completion of which no token counts. */
  readonly perCompletion: Float32Array;
  readonly overall: number;
  readonly least: number;
  readonly most: number;
}

/**
 * What `_compute_loss` of TRL logs. At sequence level a clipped completion counts by its tokens, as the project's
 * golden numbers have it; TRL counts completions there.
 */
export function lossStatistics(
  { lengths, mask, clipped, kls, entropies }: PerToken,
  lossType: LossTypeName,
): {
  readonly statistics: LossStatistics;
  readonly perCompletion: {
    readonly kl?: Float32Array;
    readonly entropy?: Float32Array;
    readonly clipFraction: Float32Array;
  };
} {
  const means = (of: (t: number) => number) => meansOf(lengths, mask, of);
  const low = means((t) => (clipped[t] === -1 ? 1 : 0));
  const high = means((t) => (clipped[t] === 1 ? 1 : 0));
  const region = means((t) => (clipped[t] === 0 ? 0 : 1));
  const kl = kls && means((t) => kls[t] ?? NaN);
  const entropy = entropies && means((t) => entropies[t] ?? NaN);
  return {
    statistics: {
      ...(kl && { kl: kl.overall }),
      ...(entropy && { entropy: entropy.overall }),
      ...(lossType === "cispo"
        ? { cispo_clip_ratio: region.overall }
        : {
            "clip_ratio/low_mean": low.overall,
            "clip_ratio/low_min": low.least,
            "clip_ratio/high_mean": high.overall,
            "clip_ratio/high_max": high.most,
            "clip_ratio/region_mean": region.overall,
          }),
    },
    perCompletion: {
      ...(kl && { kl: kl.perCompletion }),
      ...(entropy && { entropy: entropy.perCompletion }),
      clipFraction: region.perCompletion,
    },
  };
}

function meansOf(lengths: readonly number[], mask: Uint8Array, of: (t: number) => number): Means {
  const perCompletion = new Float32Array(lengths.length);
  let [total, totalCount, least, most, start] = [0, 0, Infinity, -Infinity, 0];
  for (const [i, length] of lengths.entries()) {
    let [sum, count] = [0, 0];
    for (let t = start; t < start + length; t++) {
      if (mask[t] !== 1) continue;
      sum += of(t);
      count++;
    }
    start += length;
    total += sum;
    totalCount += count;
    if (count === 0) continue;
    perCompletion[i] = sum / count;
    least = Math.min(least, sum / count);
    most = Math.max(most, sum / count);
  }
  const none = totalCount === 0;
  return { perCompletion, overall: none ? 0 : total / totalCount, least: none ? 0 : least, most: none ? 0 : most };
}

const LEAST: ReadonlySet<string> = new Set<keyof LossStatistics>(["clip_ratio/low_min"]);
const MOST: ReadonlySet<string> = new Set<keyof LossStatistics>(["clip_ratio/high_max"]);

/** The statistics of a step from those of its micro-batches, each weighted by its counted tokens. */
export function mergeLossStatistics(
  parts: readonly { readonly statistics: LossStatistics; readonly activeTokens: number }[],
): LossStatistics {
  const counted = parts.filter(({ activeTokens }) => activeTokens > 0);
  const all = counted.length > 0 ? counted : parts.slice(0, 1);
  const merged: Record<string, number> = {};
  for (const name of new Set(all.flatMap(({ statistics }) => Object.keys(statistics)))) {
    let [sum, weight, least, most] = [0, 0, Infinity, -Infinity];
    for (const { statistics, activeTokens } of all) {
      const value = new Map<string, number>(Object.entries(statistics)).get(name);
      if (value === undefined) continue;
      sum += value * activeTokens;
      weight += activeTokens;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    merged[name] = LEAST.has(name) ? least : MOST.has(name) ? most : sum / Math.max(weight, 1);
  }
  return merged;
}
