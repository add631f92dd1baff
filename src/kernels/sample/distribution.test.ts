import { describe, expect, it } from "vitest";
import { DEVICE_VARIANTS } from "../../gpu/node/test-device.ts";
import { noise } from "../testing.ts";
import { scaledLogits, truncatedDistribution } from "./reference.ts";
import { PLAIN, peakedLogits, runSampler } from "./testing.ts";
import type { SamplingOptions } from "./sample.ts";

const DRAWS = 4000;
const VOCAB = 33;

/** Pearson's statistic and its degrees of freedom; ids expected fewer than 5 times are counted together. */
function chiSquare(
  tokens: readonly number[],
  p: Float64Array,
): { readonly statistic: number; readonly freedom: number } {
  const seen = new Float64Array(p.length);
  for (const token of tokens) seen[token] = (seen[token] ?? 0) + 1;
  const cells: [number, number][] = [];
  const rest: [number, number] = [0, 0];
  p.forEach((probability, id) => {
    const expected = probability * tokens.length;
    if (expected >= 5) cells.push([seen[id] ?? 0, expected]);
    else {
      rest[0] += seen[id] ?? 0;
      rest[1] += expected;
    }
  });
  if (rest[1] > 0) cells.push(rest);
  const statistic = cells.reduce((sum, [count, expected]) => sum + (count - expected) ** 2 / expected, 0);
  return { statistic, freedom: cells.length - 1 };
}

/** About the 0.9999 quantile of χ² (Wilson & Hilferty 1931). */
function limit(freedom: number): number {
  const spread = 2 / (9 * Math.max(freedom, 1));
  return Math.max(freedom, 1) * (1 - spread + 3.72 * Math.sqrt(spread)) ** 3;
}

const SETTINGS: readonly Partial<SamplingOptions>[] = [
  {},
  { temperature: 0.6 },
  { temperature: 1.8, topK: 12 },
  { temperature: 1.2, topP: 0.9 },
  { temperature: 1.5, minP: 0.05 },
  { temperature: 1.4, topK: 20, topP: 0.95, minP: 0.01, repetitionPenalty: 1.4 },
];

// The choice of features changes the sums, not the draws: with and without subgroups are enough.
describe.each(DEVICE_VARIANTS.slice(0, 2))("draws, $name", ({ options }) => {
  it.each(SETTINGS)("follow the truncated distribution, %o", async (setting) => {
    const logits = peakedLogits(VOCAB, noise(21));
    const rows = Array.from({ length: DRAWS }, (_, position) => ({ ...PLAIN, ...setting, seed: 77, position }));
    const seen = new Set([1, 2, 3, 5, 8, 13, 21]);
    const { results } = await runSampler(options, { vocab: VOCAB, logits: [logits], rows, seen: [seen] });
    const row = { ...PLAIN, ...setting };
    const p = truncatedDistribution(scaledLogits(logits, row, seen), row);
    const tokens = results.map(({ token }) => token);
    expect(tokens.filter((id) => p[id] === 0)).toEqual([]);
    const { statistic, freedom } = chiSquare(tokens, p);
    expect(freedom).toBeGreaterThan(3);
    expect(statistic).toBeLessThan(limit(freedom));
  });

  it("neither seeds nor streams of one position are alike", async () => {
    const rows = Array.from({ length: DRAWS }, (_, i) => ({ ...PLAIN, seed: i % 40, stream: Math.floor(i / 40) }));
    const { results } = await runSampler(options, { vocab: 10, logits: [new Float32Array(10)], rows });
    const tokens = results.map(({ token }) => token);
    const uniform = chiSquare(tokens, new Float64Array(10).fill(0.1));
    expect(uniform.statistic).toBeLessThan(limit(uniform.freedom));
    // Neighbouring streams of a seed agree as often as chance has it: pairs of draws are uniform over 100 cells.
    const pairs = tokens.slice(40).map((token, i) => token * 10 + (tokens[i] ?? 0));
    const together = chiSquare(pairs, new Float64Array(100).fill(0.01));
    expect(together.statistic).toBeLessThan(limit(together.freedom) * 1.5);
  });

  it("a long tail of rare ids is drawn as often as it should be", async () => {
    // One id with half of the mass, 4999 that share the rest.
    const logits = new Float32Array(5000);
    logits[0] = Math.log(4999);
    const rows = Array.from({ length: 600 }, (_, position) => ({ ...PLAIN, seed: 5, position }));
    const { results } = await runSampler(options, { vocab: 5000, logits: [logits], rows });
    const heads = results.filter(({ token }) => token === 0).length;
    // Five standard deviations.
    expect(Math.abs(heads - 300)).toBeLessThan(5 * Math.sqrt(150));
  });
});
