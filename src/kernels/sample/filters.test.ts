import { describe, expect, it } from "vitest";
import { DEVICE_VARIANTS } from "../../gpu/node/test-device.ts";
import { noise } from "../testing.ts";
import { sampleReference, scaledLogits, truncatedDistribution } from "./reference.ts";
import { PLAIN, peakedLogits, runSampler } from "./testing.ts";
import type { SamplingOptions } from "./sample.ts";

type Filter = Partial<SamplingOptions>;

const FILTERS: readonly Filter[] = [
  { topK: 1 },
  { topK: 5 },
  { topK: 50 },
  { topK: 400 },
  { topP: 0 },
  { topP: 0.1 },
  { topP: 0.5 },
  { topP: 0.95, temperature: 0.6 },
  { topP: 0.999, temperature: 3 },
  { minP: 0.05 },
  { minP: 0.5, temperature: 2 },
  { minP: 1 },
  { topK: 20, topP: 0.7, temperature: 1.5 },
  { topK: 9, minP: 0.02, temperature: 1.5 },
  { topP: 0.8, minP: 0.01, temperature: 1.3 },
  { topK: 40, topP: 0.9, minP: 0.03, temperature: 1.7, repetitionPenalty: 1.3 },
];

/** The allowed ids of the GPU: those whose scaled logit reaches the cut it reports. */
function allowedBy(least: number, logits: Float32Array, filter: SamplingOptions, seen: ReadonlySet<number>): number[] {
  const { temperature: t, repetitionPenalty: p } = filter;
  const allowed: number[] = [];
  logits.forEach((logit, id) => {
    const factor = Math.fround(!seen.has(id) ? 1 / t : logit > 0 ? 1 / t / p : (1 / t) * p);
    if (Math.abs(logit) < 1e38 && Math.fround(logit * factor) >= least) allowed.push(id);
  });
  return allowed;
}

async function checkFilters(options: object, logits: Float32Array, filters: readonly Filter[]): Promise<void> {
  const vocab = logits.length;
  const rows = filters.map((filter, position) => ({ ...PLAIN, ...filter, position }));
  const seen = new Set(Array.from({ length: Math.ceil(vocab / 3) }, (_, i) => i * 3));
  const { results, support } = await runSampler(options, { vocab, logits: [logits], rows, seen: [seen] });
  rows.forEach((row, r) => {
    const want = sampleReference(logits, row, seen);
    const { count = -1, least = Number.NaN } = support[r] ?? {};
    const name = `${JSON.stringify(filters[r])} over ${vocab} ids`;
    expect(allowedBy(least, logits, row, seen), name).toEqual(want.allowed);
    expect(count, name).toBe(want.allowed.length);
    expect(want.allowed).toContain(results[r]?.token);
    if (want.margin > 1e-4) expect(results[r]?.token, name).toBe(want.token);
  });
}

describe.each(DEVICE_VARIANTS)("filters, $name", ({ options }) => {
  it.each([7, 33, 130, 515, 5003])("allow exactly the reference's ids of %d", async (vocab) => {
    // top_k of the vocabulary's size and more is off, and such a row reports no support.
    const filters = FILTERS.filter(({ topK = 0 }) => topK < vocab);
    await checkFilters(options, peakedLogits(vocab, noise(vocab)), filters);
  });

  it("leave the one id there is", async () => {
    const rows = [{ topP: 0.3 }, { minP: 1 }, { topK: 1 }].map((filter) => ({ ...PLAIN, ...filter }));
    const { results } = await runSampler(options, { vocab: 1, logits: [Float32Array.of(-4)], rows });
    expect(results.map(({ token, logprob, entropy }) => [token, logprob, entropy])).toEqual(rows.map(() => [0, 0, 0]));
  });

  it("keep what ties with the last id kept, also where -0 meets 0", async () => {
    const logits = new Float32Array(515).fill(-2);
    logits.set([3, 3, 3, 3, 1, 1, 1], 100);
    await checkFilters(options, logits, [
      { topK: 2 },
      { topK: 5 },
      { topP: 0.3 },
      { topP: 0.7 },
      { topK: 5, topP: 0.8 },
    ]);
    const zeros = new Float32Array(130).fill(-5);
    zeros.set([0, -0, 0, -0], 60);
    await checkFilters(options, zeros, [{ topK: 1 }, { topP: 0.2 }, { minP: 1 }]);
  });

  it("look past forbidden ids, however few are left", async () => {
    const logits = peakedLogits(515, noise(3));
    logits.fill(-Infinity, 4, 500);
    logits[2] = Number.NaN;
    await checkFilters(options, logits, [
      { topK: 3 },
      { topK: 100 },
      { topP: 0.6 },
      { minP: 0.2 },
      { topK: 30, topP: 0.9 },
    ]);
  });

  it("cut 152064 ids within the stated resolution of mass", async () => {
    const vocab = 152_064;
    const next = noise(12);
    const peaked = peakedLogits(vocab, next);
    const flat = Float32Array.from({ length: vocab }, () => next());
    const filters = [{ topP: 0.95, temperature: 0.6 }, { topP: 0.95 }, { topK: 1000 }, { topK: 1000, topP: 0.5 }];
    const logits = [peaked, flat, flat, peaked];
    const rows = filters.map((filter) => ({ ...PLAIN, ...filter }));
    const { support } = await runSampler(options, { vocab, logits, rows });
    rows.forEach((row, r) => {
      const scaled = scaledLogits(logits[r] ?? [], row, new Set());
      const whole = truncatedDistribution(scaled, { ...row, topP: 1 });
      const { count = -1, least = Number.NaN } = support[r] ?? {};
      const kept = whole.filter((_, id) => Math.fround(scaled[id] ?? 0) >= least);
      expect(kept.length).toBe(count);
      const mass = kept.reduce((sum, p) => sum + p, 0);
      const last = kept.reduce((smallest, p) => (p > 0 ? Math.min(smallest, p) : smallest), 1);
      if (row.topP === 1) expect(kept.filter((p) => p > 0).length).toBe(row.topK);
      else {
        expect(mass).toBeGreaterThan(row.topP - 5e-5);
        expect(mass - last).toBeLessThan(row.topP + 5e-5);
      }
    });
  });
});
