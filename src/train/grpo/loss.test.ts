import { describe, expect, test } from "vitest";
import { LOSS_TYPES, type LossTypeName } from "./estimators.ts";
import { grpoLoss, type GrpoLossInput, type GrpoLossOptions } from "./loss.ts";
import { mergeLossStatistics } from "./loss-statistics.ts";
import { LOSS_CASES, expectClose, type LossCase } from "./testing-vectors.ts";

const base: GrpoLossOptions = {
  loss_type: "dapo",
  importance_sampling_level: "token",
  beta: 0,
  kl_estimator: "k3",
  epsilon: 0.2,
  epsilon_high: 0.28,
  max_completion_length: 16,
};

function packed(given: LossCase): GrpoLossInput & { readonly oldLogps: Float64Array; readonly refLogps: Float64Array } {
  return {
    lengths: given.mask.map((row) => row.length),
    logps: Float64Array.from(given.logp.flat()),
    oldLogps: Float64Array.from(given.old_logp.flat()),
    refLogps: Float64Array.from(given.ref_logp.flat()),
    mask: Uint8Array.from(given.mask.flat()),
    advantages: given.advantages[given.advantages_used].flat(),
  };
}

/** Rows without their masked ends: what the trainer itself passes. */
function ragged(given: LossCase): GrpoLossInput {
  const cut = (table: readonly (readonly number[])[]) =>
    Float64Array.from(table.flatMap((row, i) => row.filter((_, t) => given.mask[i]?.[t] === 1)));
  const lengths = given.mask.map((row) => row.reduce((sum, counts) => sum + counts, 0));
  return {
    lengths,
    logps: cut(given.logp),
    oldLogps: cut(given.old_logp),
    refLogps: cut(given.ref_logp),
    mask: new Uint8Array(lengths.reduce((sum, length) => sum + length, 0)).fill(1),
    advantages: given.advantages[given.advantages_used].flat(),
  };
}

const blanked = (values: Float64Array, mask: Uint8Array) => values.map((value, t) => (mask[t] === 1 ? value : NaN));

test("the fixture has its 24 cases", () => {
  expect(LOSS_CASES).toHaveLength(24);
  expect(new Set(LOSS_CASES.map(({ loss_type }) => loss_type))).toEqual(new Set(Object.keys(LOSS_TYPES)));
});

for (const [i, given] of LOSS_CASES.entries()) {
  const { loss_type, importance_sampling_level, kl_estimator, beta, loss, grad_logp, stats } = given;
  describe(`golden case ${i}: ${loss_type}, ${importance_sampling_level}, ${kl_estimator}, beta ${beta}`, () => {
    const input = packed(given);
    const result = grpoLoss(input, given);

    test("loss, gradient and statistics", () => {
      expectClose([result.loss], [loss], 1e-9, 1e-6);
      // The fixture's gradients are rounded to nine digits after the point.
      expectClose(result.gradLogps, grad_logp.flat(), 6e-10, 1e-5, "grad_logp");
      const told: Readonly<Record<string, number>> = { ...result.statistics };
      for (const [name, value] of Object.entries(stats)) expectClose([told[name] ?? NaN], [value], 1e-8, 1e-5, name);
    });

    test("what is masked does not matter", () => {
      const hidden = (values: Float64Array) => blanked(values, input.mask);
      const logps = hidden(Float64Array.from(input.logps));
      const blank = { ...input, logps, oldLogps: hidden(input.oldLogps), refLogps: hidden(input.refLogps) };
      expect(logps.some(Number.isNaN)).toBe(true);
      expect(grpoLoss(blank, given)).toEqual(result);
      const { loss: alone, statistics } = grpoLoss(ragged(given), given);
      expectClose([alone], [result.loss], 1e-12);
      expect(statistics).toEqual(result.statistics);
    });

    test("finite differences confirm the gradient", () => {
      const step = 1e-6;
      const moved = (values: GrpoLossInput["logps"], t: number, by: number) =>
        Float64Array.from(values, (value, at) => (at === t ? value + by : value));
      const lossAt = (t: number, by: number) => {
        const logps = moved(input.logps, t, by);
        // CISPO takes the ratio as given: the old policy moves along, so that it stays.
        const oldLogps = loss_type === "cispo" ? moved(input.oldLogps, t, by) : input.oldLogps;
        return grpoLoss({ ...input, logps, oldLogps }, given).loss;
      };
      const found = input.logps.map((_, t) => (lossAt(t, step) - lossAt(t, -step)) / (2 * step));
      expectClose(Float64Array.from(found), result.gradLogps, 2e-8, 1e-5, "difference");
    });

    test("micro-batches add up to the whole", () => {
      const { lengths, advantages, logps, oldLogps, refLogps, mask } = input;
      const half = lengths.length / 2;
      const middle = lengths.slice(0, half).reduce((sum, length) => sum + length, 0);
      const totals = { activeTokens: result.activeTokens, completions: lengths.length };
      const parts = [0, 1].map((part) => {
        const tokens = part === 0 ? [0, middle] : [middle];
        const rows = part === 0 ? [0, half] : [half];
        const cut = (values: GrpoLossInput["logps"]) => Float64Array.from(values).slice(...tokens);
        return grpoLoss(
          {
            lengths: lengths.slice(...rows),
            advantages: advantages.slice(...rows),
            logps: cut(logps),
            oldLogps: cut(oldLogps),
            refLogps: cut(refLogps),
            mask: mask.slice(...tokens),
            totals,
          },
          given,
        );
      });
      // BNPO's mean is by definition each micro-batch's own.
      if (loss_type !== "bnpo") {
        const sum = parts.reduce((all, part) => all + part.loss, 0);
        expectClose([sum], [result.loss], 1e-12);
        expectClose(
          parts.flatMap(({ gradLogps }) => [...gradLogps]),
          result.gradLogps,
          1e-9,
        );
      }
      const merged: Readonly<Record<string, number>> = { ...mergeLossStatistics(parts) };
      for (const [name, value] of Object.entries(result.statistics)) {
        expectClose([merged[name] ?? NaN], [value], 1e-12, 0, name);
      }
    });
  });
}

describe("one update per batch", () => {
  const input = { lengths: [2, 1], logps: Float64Array.of(-1, -2, -3), mask: Uint8Array.of(1, 1, 1) };

  test("without old log probabilities every ratio is 1: a loss of value, a gradient of the advantage", () => {
    const { loss, gradLogps, perToken, statistics } = grpoLoss({ ...input, advantages: [1, -2] }, base);
    expect(loss).toBeCloseTo((-1 - 1 + 2) / 3, 12);
    expectClose(gradLogps, [-1 / 3, -1 / 3, 2 / 3], 1e-7);
    expect([...perToken.ratio]).toEqual([1, 1, 1]);
    expect(statistics).toEqual({
      "clip_ratio/low_mean": 0,
      "clip_ratio/low_min": 0,
      "clip_ratio/high_mean": 0,
      "clip_ratio/high_max": 0,
      "clip_ratio/region_mean": 0,
    });
  });

  test("every loss type divides as its name says", () => {
    const expected: Readonly<Record<Exclude<LossTypeName, "cispo">, number>> = {
      grpo: (-1 + 2) / 2,
      bnpo: (-2 + 2) / 3,
      dapo: (-2 + 2) / 3,
      dr_grpo: (-2 + 2) / (2 * 16),
    };
    for (const [loss_type, loss] of Object.entries(expected) as [LossTypeName, number][]) {
      expect(grpoLoss({ ...input, advantages: [1, -2] }, { ...base, loss_type }).loss).toBeCloseTo(loss, 12);
    }
  });
});

describe("clipping", () => {
  const at = (ratio: number, advantage: number, options: Partial<GrpoLossOptions> = {}) => {
    const input = {
      lengths: [1],
      logps: Float64Array.of(Math.log(ratio)),
      oldLogps: Float64Array.of(0),
      mask: Uint8Array.of(1),
      advantages: [advantage],
    };
    const { loss, gradLogps, perToken, perCompletion } = grpoLoss(input, { ...base, ...options });
    return { loss, grad: gradLogps[0], clipped: perToken.clipped[0], fraction: perCompletion.clipFraction[0] };
  };

  test("stops the gradient only where the ratio has moved as the advantage wishes", () => {
    expect(at(2, 1)).toMatchObject({ loss: -1.28, grad: 0, clipped: 1, fraction: 1 });
    expect(at(0.5, -1)).toMatchObject({ loss: 0.8, clipped: -1, fraction: 1 });
    expect(at(2, -1).clipped).toBe(0);
    expect(at(2, -1).grad).toBeCloseTo(2, 6);
    expect(at(0.5, 1).grad).toBeCloseTo(-0.5, 6);
  });

  test("delta bounds what a negative advantage can do, which clipping does not", () => {
    expect(at(10, -1).loss).toBeCloseTo(10, 9);
    expect(at(10, -1, { delta: 4 })).toMatchObject({ loss: 4, clipped: 0 });
    expect(at(10, -1, { delta: 4 }).grad).toBeCloseTo(0, 12);
    expect(at(3, -1, { delta: 4 }).grad).toBeCloseTo(3, 6);
  });

  test("cispo keeps a gradient of capped weight", () => {
    const options = { loss_type: "cispo", epsilon_high: 5 } as const;
    expect(at(10, 1, options)).toMatchObject({ grad: -5, clipped: 1 });
    expect(at(10, -1, options)).toMatchObject({ grad: 5, clipped: 0 });
    expect(at(2, 1, options).grad).toBeCloseTo(-2, 6);
  });
});

describe("tokens that matter", () => {
  const input: GrpoLossInput = {
    lengths: [3, 2],
    logps: Float64Array.of(-1, -1, -1, -1, -1),
    refLogps: Float64Array.of(-2, -2, -2, -2, -2),
    entropies: Float64Array.of(0.1, 2, NaN, 1, 0.2),
    mask: Uint8Array.of(1, 1, 0, 1, 1),
    advantages: [1, -1],
  };

  test("an entropy bonus is the mean entropy, for every loss type", () => {
    for (const loss_type of Object.keys(LOSS_TYPES) as LossTypeName[]) {
      const options = { ...base, loss_type };
      const without = grpoLoss(input, options);
      const { loss, policyLoss, gradEntropies } = grpoLoss(input, { ...options, entropy_coef: 0.01 });
      expect(policyLoss).toBe(without.loss);
      expect(policyLoss - loss).toBeCloseTo((0.01 * 3.3) / 4, 12);
      expectClose(gradEntropies ?? [], [-0.0025, -0.0025, 0, -0.0025, -0.0025], 1e-9);
      expect(without.gradEntropies).toBeUndefined();
      expect(without.statistics.entropy).toBeCloseTo(3.3 / 4, 12);
      expectClose(without.perCompletion.entropy ?? [], [1.05, 0.6], 1e-6);
    }
  });

  test("top_entropy_quantile leaves the policy term to the forks, and the KL term to all", () => {
    const options = { ...base, top_entropy_quantile: 0.5 };
    expectClose(grpoLoss(input, options).gradLogps, [0, -0.25, 0, 0.25, 0], 1e-9);
    const { gradLogps } = grpoLoss(input, { ...options, beta: 0.1, kl_estimator: "k1" });
    expectClose(gradLogps, [0.025, -0.225, 0, 0.275, 0.025], 1e-7);
    const whole = { activeTokens: 4, completions: 2, entropyThreshold: 1.5 };
    expectClose(grpoLoss({ ...input, totals: whole }, options).gradLogps, [0, -0.25, 0, 0, 0], 1e-9);
  });

  test("off-policy masking drops what did badly and is no longer the policy's", () => {
    const samplingLogps = Float64Array.of(0, 0, NaN, 1, 1);
    const options = { ...base, off_policy_mask_threshold: 1 };
    expectClose(grpoLoss({ ...input, samplingLogps }, options).gradLogps, [-0.25, -0.25, 0, 0, 0], 1e-9);
    expectClose(grpoLoss(input, options).gradLogps, [-0.25, -0.25, 0, 0.25, 0.25], 1e-9);
  });

  test("a batch of which no token counts has loss 0 and no NaN", () => {
    const mask = new Uint8Array(5);
    for (const loss_type of Object.keys(LOSS_TYPES) as LossTypeName[]) {
      const options = { ...base, loss_type, beta: 0.1, entropy_coef: 0.1 };
      const { loss, gradLogps, statistics } = grpoLoss({ ...input, mask }, options);
      expect(loss).toBe(0);
      expect([...gradLogps]).toEqual([0, 0, 0, 0, 0]);
      for (const value of Object.values(statistics)) expect(value).toBe(0);
    }
  });
});

test("what is missing or does not fit is refused", () => {
  const input: GrpoLossInput = { lengths: [2], logps: new Float32Array(2), mask: new Uint8Array(2), advantages: [1] };
  const refused = (change: Partial<GrpoLossInput>, options: Partial<GrpoLossOptions>, message: RegExp) =>
    expect(() => grpoLoss({ ...input, ...change }, { ...base, ...options })).toThrow(message);
  refused({}, { beta: 0.1 }, /beta: found 0.1 without/);
  refused({}, { entropy_coef: 0.1 }, /without entropies/);
  refused({}, { top_entropy_quantile: 0.2 }, /without entropies/);
  refused({ mask: new Uint8Array(3) }, {}, /3 values for 2 tokens/);
  refused({ advantages: [1, 2] }, {}, /2 advantages for 1 completions/);
});
