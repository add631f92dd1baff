import { describe, expect, it } from "vitest";
import { clipCurve, clipPoint } from "./clip-curve.ts";
import { divergence, driftedTokens, ESTIMATORS, estimatorStatistics, klEstimate } from "./kl.ts";
import { tokenWeights } from "./token-weights.ts";

describe("the clipped objective", () => {
  const settings = { epsilon: 0.2, epsilonHigh: 0.28, advantage: 1 };

  it("rises with the ratio up to the upper bound, then is flat", () => {
    expect(clipPoint(0.5, settings)).toEqual({ ratio: 0.5, objective: 0.5, gradient: 0.5, clipped: 0 });
    expect(clipPoint(1.5, settings)).toEqual({ ratio: 1.5, objective: 1.28, gradient: 0, clipped: 1 });
  });

  it("with a negative advantage is flat below the lower bound, and falls without end above", () => {
    const negative = { ...settings, advantage: -2 };
    expect(clipPoint(0.5, negative)).toEqual({ ratio: 0.5, objective: -1.6, gradient: 0, clipped: -1 });
    expect(clipPoint(1.5, negative)).toEqual({ ratio: 1.5, objective: -3, gradient: -3, clipped: 0 });
  });

  it("is drawn through its corners", () => {
    const corners = clipCurve(settings, 0, 2).map(({ ratio, objective }) => [ratio, objective]);
    expect(corners).toEqual([
      [0, 0],
      [0.8, 0.8],
      [1, 1],
      [1.28, 1.28],
      [2, 1.28],
    ]);
    // A bound outside the plot is no corner of it.
    expect(clipCurve({ ...settings, epsilonHigh: 1.5 }, 0, 2).map(({ ratio }) => ratio)).toEqual([0, 0.8, 1, 2]);
  });
});

describe("the KL estimators", () => {
  it("give what Schulman's formulas give", () => {
    expect(klEstimate("k1", 0.5)).toBeCloseTo(0.5, 12);
    expect(klEstimate("k2", 0.5)).toBeCloseTo(0.125, 12);
    expect(klEstimate("k3", 0.5)).toBeCloseTo(Math.exp(-0.5) + 0.5 - 1, 12);
    expect(klEstimate("k1", -0.5)).toBeLessThan(0);
    for (const estimator of ESTIMATORS) expect(klEstimate(estimator, 0)).toBeCloseTo(0, 12);
  });

  it("k1 and k3 have the divergence as their mean; k3 scatters less near the reference, and more far from it", () => {
    for (const drift of [0.3, 1, 2]) {
      const tokens = driftedTokens(drift);
      const kl = divergence(tokens);
      const [k1, k2, k3] = ESTIMATORS.map((estimator) => estimatorStatistics(tokens, estimator));
      expect(k1?.mean).toBeCloseTo(kl, 12);
      expect(k3?.mean).toBeCloseTo(kl, 12);
      expect(Math.abs((k2?.mean ?? 0) - kl)).toBeGreaterThan(1e-4);
      expect((k3?.std ?? 0) < (k1?.std ?? 0)).toBe(drift < 2);
    }
  });

  it("are all 0 before the policy has moved", () => {
    const tokens = driftedTokens(0);
    expect(divergence(tokens)).toBeCloseTo(0, 12);
    for (const estimator of ESTIMATORS) expect(estimatorStatistics(tokens, estimator).std).toBeCloseTo(0, 12);
  });
});

describe("token weights", () => {
  const settings = { lengths: [2, 6], maxCompletionLength: 10, accumulates: false };

  it.each([
    ["grpo", [1 / 4, 1 / 12], [1 / 2, 1 / 2]],
    ["bnpo", [1 / 8, 1 / 8], [2 / 8, 6 / 8]],
    ["dapo", [1 / 8, 1 / 8], [2 / 8, 6 / 8]],
    ["dr_grpo", [1 / 20, 1 / 20], [2 / 20, 6 / 20]],
    ["cispo", [1 / 8, 1 / 8], [2 / 8, 6 / 8]],
  ] as const)("%s", (lossType, tokens, completions) => {
    const weights = tokenWeights(lossType, settings);
    weights.forEach(({ token, completion }, i) => {
      expect(token).toBeCloseTo(tokens[i] ?? Number.NaN, 12);
      expect(completion).toBeCloseTo(completions[i] ?? Number.NaN, 12);
    });
  });

  it("bnpo alone changes when each completion is a micro-batch of its own", () => {
    const accumulated = { ...settings, accumulates: true };
    expect(tokenWeights("bnpo", accumulated).map(({ token }) => token)).toEqual([1 / 4, 1 / 12]);
    for (const lossType of ["grpo", "dapo", "dr_grpo", "cispo"] as const) {
      expect(tokenWeights(lossType, accumulated)).toEqual(tokenWeights(lossType, settings));
    }
  });
});
