import { gumbel } from "../random/gumbel.ts";
import { threefry2x32 } from "../random/threefry.ts";
import { LEAST_TEMPERATURE, NO_TARGET } from "./row.ts";
import type { SampleRow, SamplingOptions } from "./row.ts";
import type { SampleResult } from "./result.ts";

const HUGE = 1e38;

/** What {@link sampleReference} adds to a result so that a test can tell a near tie from an error. */
export interface ReferenceSample extends SampleResult {
  /** Ids that were allowed, rising. */
  readonly allowed: readonly number[];
  /** How far the winner was ahead of the next id, in nats; Infinity when it was alone. */
  readonly margin: number;
}

/** Logits after penalty and temperature, f64; −Infinity where forbidden or broken. */
export function scaledLogits(
  logits: ArrayLike<number>,
  { temperature, repetitionPenalty }: SamplingOptions,
  seen: ReadonlySet<number>,
): Float64Array {
  const divisor = temperature < LEAST_TEMPERATURE ? 1 : temperature;
  return Float64Array.from(logits, (logit, id) => {
    if (!(Math.abs(logit) < HUGE)) return -Infinity;
    const penalised = !seen.has(id) ? logit : logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty;
    return penalised / divisor;
  });
}

/**
 * The distribution that a row samples from, as Hugging Face's logits warpers leave it: top-k, top-p, min-p on the scaled
 * logits, then softmax. f64.
 */
export function truncatedDistribution(scaled: Float64Array, { topK, topP, minP }: SamplingOptions): Float64Array {
  let p = softmax(scaled);
  if (topK > 0 && topK < p.length) {
    const kth = p.toSorted((a, b) => b - a)[topK - 1] ?? 0;
    p = normalised(p.map((x) => (x >= kth ? x : 0)));
  }
  if (topP < 1) {
    const falling = p.toSorted((a, b) => b - a);
    let mass = 0;
    let last = 0;
    do mass += falling[last++] ?? 1;
    while (mass < topP);
    const least = falling[last - 1] ?? 0;
    p = normalised(p.map((x) => (x >= least ? x : 0)));
  }
  if (minP > 0) {
    const least = minP * Math.max(...p);
    p = normalised(p.map((x) => (x >= least ? x : 0)));
  }
  return p;
}

/** The sampler in plain f64, by sorting where the kernels select. */
export function sampleReference(
  logits: ArrayLike<number>,
  row: SampleRow,
  seen: ReadonlySet<number> = new Set(),
): ReferenceSample {
  const raw = scaledLogits(logits, { ...row, temperature: 1, repetitionPenalty: 1 }, seen);
  const scaled = scaledLogits(logits, row, seen);
  const greedy = row.temperature < LEAST_TEMPERATURE;
  const p = greedy ? softmax(scaled) : truncatedDistribution(scaled, row);
  const scores = scaled.map((score, id) => {
    if (greedy) return score;
    if (p[id] === 0) return -Infinity;
    return score + gumbel(threefry2x32([row.seed, row.stream], [row.position, id])[0]);
  });
  const chosen = argmax(scores);
  const second = scores.reduce((most, score, id) => (id === chosen ? most : Math.max(most, score)), -Infinity);
  const logNormalizer = logSumExp(raw);
  const nothingAllowed = chosen === -1;
  const token = Math.max(chosen, 0);
  const entropy = raw.reduce((sum, l) => {
    const logprob = l - logNormalizer;
    return l === -Infinity ? sum : sum - Math.exp(logprob) * logprob;
  }, 0);
  return {
    token,
    logprob: nothingAllowed
      ? -Infinity
      : (raw[row.target === NO_TARGET ? token : row.target] ?? Number.NaN) - logNormalizer,
    entropy,
    argmax: Math.max(argmax(raw), 0),
    brokenLogits: Array.from(logits).some((logit) => Number.isNaN(logit) || logit >= HUGE),
    nothingAllowed,
    allowed: [...p.keys()].filter((id) => (p[id] ?? 0) > 0),
    margin: nothingAllowed ? Infinity : (scores[chosen] ?? 0) - second,
  };
}

/** ln Σ e^x. */
export function logSumExp(values: Float64Array): number {
  const top = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return top === -Infinity ? top : top + Math.log(values.reduce((sum, x) => sum + Math.exp(x - top), 0));
}

function softmax(scaled: Float64Array): Float64Array {
  const logNormalizer = logSumExp(scaled);
  return scaled.map((x) => (x === -Infinity ? 0 : Math.exp(x - logNormalizer)));
}

function normalised(p: Float64Array): Float64Array {
  const total = p.reduce((sum, x) => sum + x, 0);
  return p.map((x) => x / total);
}

/** Lowest id of the largest finite value; −1 when there is none. */
function argmax(values: Float64Array): number {
  let best = -1;
  values.forEach((value, id) => {
    if (value > (best < 0 ? -Infinity : (values[best] ?? 0))) best = id;
  });
  return best;
}
