import { describe, expect, test } from "vitest";
import { KL_ESTIMATORS } from "./estimators.ts";
import { entropyThreshold, highEntropyMask, keepsOffPolicy, maskTruncated } from "./masks.ts";
import { expectClose, hasPublishedVectors, publishedVectors } from "./testing-vectors.ts";

/** Sections of the file, and where each is tested or why it is not. */
const SECTIONS: Readonly<Record<string, string>> = {
  _source: "provenance",
  _license: "provenance",
  _note: "provenance",
  advantages: "advantages.test.ts",
  nanstd: "advantages.test.ts",
  weighted_reward_metric: "advantages.test.ts",
  kl_k3: "below",
  high_entropy_mask: "below",
  off_policy_mask: "below",
  flush_left: "out of scope: it moves padding to one side, and packed sequences have none",
  repeat_sampler_no_shuffle:
    "out of scope: it repeats a prompt for each generation, and here a rollout samples num_generations of one prompt",
};

describe.runIf(hasPublishedVectors)("published vectors", () => {
  test("every section of the file is tested or listed", () => {
    expect(Object.keys(publishedVectors()).toSorted()).toEqual(Object.keys(SECTIONS).toSorted());
  });

  test("k3 (tunix)", () => {
    const { per_token_logps, ref_per_token_logps, expected, atol, rtol } = publishedVectors().kl_k3;
    const refs = ref_per_token_logps.flat(2);
    const found = per_token_logps.flat(2).map((logp, t) => KL_ESTIMATORS.k3(logp, refs[t] ?? NaN).value);
    expectClose(found, expected.flat(2), atol, rtol);
  });

  test("the tokens of highest entropy (TRL)", () => {
    for (const { entropies, mask, threshold, expected } of publishedVectors().high_entropy_mask.cases) {
      const values = Float64Array.from(entropies.flat());
      const counted = Uint8Array.from(mask.flat());
      const found = highEntropyMask(values, counted, entropyThreshold(values, counted, threshold));
      expect([...found]).toEqual(expected.flat());
    }
  });

  test("off-policy sequence masking (TRL)", () => {
    for (const given of publishedVectors().off_policy_mask.cases) {
      for (const [i, row] of given.mask.entries()) {
        const drifts = (given.sampling_logps[i] ?? []).map((logp, t) => logp - (given.logps[i]?.[t] ?? NaN));
        const counted = drifts.filter((_, t) => row[t] === 1);
        const drift = counted.reduce((sum, value) => sum + value, 0) / counted.length;
        const kept = keepsOffPolicy(given.advantages[i]?.[0] ?? NaN, drift, given.threshold);
        expect(Number(kept)).toBe(given.expected[i]?.[0]);
      }
    }
  });
});

test("mask_truncated_completions clears exactly the completions that were cut", () => {
  const mask = Uint8Array.of(1, 1, 0, 1, 1, 1);
  expect([...maskTruncated(mask, [2, 3, 1], [false, true, false])]).toEqual([1, 1, 0, 0, 0, 1]);
  expect([...mask]).toEqual([1, 1, 0, 1, 1, 1]);
});
