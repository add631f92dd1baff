import { describe, expect, it } from "vitest";
import { DEVICE_VARIANTS } from "../../gpu/node/test-device.ts";
import { noise } from "../testing.ts";
import { sampleReference } from "./reference.ts";
import { PLAIN, peakedLogits, runSampler } from "./testing.ts";
import type { SampleCase } from "./testing.ts";

/** Gumbel scores closer than this may be ordered differently by a device's logarithm. */
const NEAR_TIE = 1e-4;
const SIZES = [1, 7, 33, 130, 515, 5003];
const GREEDY = { ...PLAIN, temperature: 0 };

/** Runs a case and compares every row with the reference; returns what the GPU said. */
async function check(options: object, test: SampleCase) {
  const outcome = await runSampler(options, test);
  let nearTies = 0;
  test.rows.forEach((row, r) => {
    const logits = test.logits[r % test.logits.length] ?? new Float32Array(0);
    const want = sampleReference(logits, row, test.seen?.[row.slot]);
    const got = outcome.results[r];
    if (!got) throw new Error(`no result for row ${r}`);
    const exact = want.margin > NEAR_TIE || want.margin === 0;
    if (exact) expect(got.token, `row ${r}`).toBe(want.token);
    else nearTies++;
    if (exact || row.target < test.vocab) {
      if (want.logprob === -Infinity) expect(got.logprob).toBe(-Infinity);
      else expect(Math.abs(got.logprob - want.logprob), `logprob of row ${r}`).toBeLessThan(1e-5 * (1 - want.logprob));
    }
    expect(Math.abs(got.entropy - want.entropy), `entropy of row ${r}`).toBeLessThan(1e-5);
    const { argmax, brokenLogits, nothingAllowed } = want;
    expect(got).toMatchObject({ argmax, brokenLogits, nothingAllowed });
  });
  expect(nearTies).toBeLessThanOrEqual(1 + test.rows.length / 200);
  return outcome;
}

describe.each(DEVICE_VARIANTS)("sampler, $name", ({ options }) => {
  it.each(SIZES)("agrees with the reference over %d ids", async (vocab) => {
    for (const batch of [1, 3, 7]) {
      const next = noise(vocab * 10 + batch);
      const logits = Array.from({ length: batch }, () => peakedLogits(vocab, next));
      const rows = logits.map((_, r) => ({
        ...PLAIN,
        seed: 4,
        stream: r,
        position: 20 + r,
        slot: r,
        record: true,
        temperature: [1, 0.6, 0][r % 3] ?? 1,
      }));
      const outcome = await check(options, { vocab, logits, rows, spareRows: 2 });
      expect(outcome.lastToken).toEqual(outcome.results.map(({ token }) => token));
      expect(outcome.seen).toEqual(outcome.results.map(({ token }) => new Set([token])));
    }
  });

  it("a greedy tie, and -0 against 0, go to the lowest id", async () => {
    const tied = new Float32Array(515).fill(-3);
    for (const id of [514, 260, 131, 130]) tied[id] = 2.5;
    const zeros = new Float32Array(515).fill(-1);
    zeros[70] = -0;
    zeros[300] = 0;
    const rows = [GREEDY, GREEDY, GREEDY];
    const { results } = await check(options, { vocab: 515, logits: [tied, zeros, new Float32Array(515)], rows });
    expect(results.map(({ token }) => token)).toEqual([130, 70, 0]);
    expect(results.map(({ argmax }) => argmax)).toEqual([130, 70, 0]);
  });

  it("a row draws the same token alone, in a batch and in any place of it", async () => {
    const next = noise(5);
    const vocab = 2100;
    const logits = Array.from({ length: 7 }, () => peakedLogits(vocab, next));
    const rows = logits.map((_, r) => ({ ...PLAIN, seed: 9, stream: 100 + r, position: r, topP: r % 2 ? 0.9 : 1 }));
    const together = await runSampler(options, { vocab, logits, rows });
    const turned = await runSampler(options, { vocab, logits: logits.toReversed(), rows: rows.toReversed() });
    expect(turned.results.toReversed()).toEqual(together.results);
    for (const r of [0, 3]) {
      const alone = await runSampler(options, { vocab, logits: logits.slice(r, r + 1), rows: rows.slice(r, r + 1) });
      expect(alone.results[0]).toEqual(together.results[r]);
    }
  });

  it("seed, stream and position each change the draw", async () => {
    const logits = [new Float32Array(5003)];
    const rows = [{}, { seed: 2 }, { stream: 1 }, { position: 1 }].map((change) => ({ ...PLAIN, ...change }));
    const { results } = await check(options, { vocab: 5003, logits, rows });
    expect(new Set(results.map(({ token }) => token)).size).toBe(4);
  });

  it("scores a target and leaves the sequence as it is", async () => {
    const next = noise(6);
    const vocab = 130;
    const logits = Array.from({ length: 3 }, () => peakedLogits(vocab, next));
    logits[2]?.fill(-Infinity, 0, 10);
    const rows = [0, 129, 5].map((target) => ({ ...GREEDY, target }));
    const { lastToken, seen, results } = await check(options, { vocab, logits, rows, seen: [new Set([3])] });
    expect(results[2]?.logprob).toBe(-Infinity);
    expect(lastToken).toEqual([777]);
    expect(seen).toEqual([new Set([3])]);
  });

  it("applies the repetition penalty to the ids its slot has seen, and records its own", async () => {
    const next = noise(7);
    const vocab = 515;
    const logits = [peakedLogits(vocab, next), peakedLogits(vocab, next), peakedLogits(vocab, next)];
    const seen = [0, 1, 2].map((slot) => new Set(Array.from({ length: 200 }, (_, i) => (i * 7 + slot) % vocab)));
    const at = { record: true, repetitionPenalty: 1.7 };
    const rows = [
      { ...PLAIN, ...at, slot: 2, temperature: 0.8 },
      { ...GREEDY, ...at, slot: 0 },
      { ...PLAIN, ...at, slot: 1, temperature: 0.7, topK: 30, topP: 0.8, minP: 0.01 },
    ];
    const before = seen.map((ids) => new Set(ids));
    const outcome = await check(options, { vocab, logits, rows, seen });
    rows.forEach(({ slot }, r) => before[slot]?.add(outcome.results[r]?.token ?? -1));
    expect(outcome.seen).toEqual(before);
    expect(rows.map(({ slot }) => outcome.lastToken[slot])).toEqual(outcome.results.map(({ token }) => token));
  });

  it("never chooses what is forbidden or broken, and says so", async () => {
    const vocab = 33;
    const forbidden = new Float32Array(vocab).fill(-Infinity);
    forbidden[17] = -50;
    const broken = peakedLogits(vocab, noise(8));
    broken[4] = Number.NaN;
    broken[5] = Infinity;
    const nothing = new Float32Array(vocab).fill(-Infinity);
    const allBroken = new Float32Array(vocab).fill(Number.NaN);
    // torch.finfo(float32).min is how many models mask.
    const masked = new Float32Array(vocab).fill(-3.4028234663852886e38);
    masked[32] = 1;
    const logits = [forbidden, broken, nothing, allBroken, masked];
    const modes = [PLAIN, GREEDY, { ...PLAIN, topK: 3, topP: 0.9, minP: 0.1 }];
    for (const mode of modes) {
      const { results } = await check(options, { vocab, logits, rows: logits.map(() => mode) });
      expect(results.map(({ token }) => token)).toEqual([17, expect.any(Number), 0, 0, 32]);
      expect(results.map(({ brokenLogits }) => brokenLogits)).toEqual([false, true, false, true, false]);
      expect(results.map(({ nothingAllowed }) => nothingAllowed)).toEqual([false, false, true, true, false]);
    }
  });

  it("takes a vocabulary of 152064", async () => {
    const vocab = 152_064;
    const next = noise(9);
    const logits = [peakedLogits(vocab, next), Float32Array.from({ length: vocab }, () => next() * 1e-3)];
    logits[0]?.fill(25, vocab - 1);
    const rows = [
      { ...PLAIN, temperature: 0.6, topP: 0.95 },
      { ...PLAIN, stream: 3, target: vocab - 2 },
    ];
    const { results } = await check(options, { vocab, logits, rows });
    expect(results[0]?.argmax).toBe(vocab - 1);
  });
});
