import { describe, expect, test } from "vitest";
import { groupAdvantages, weightedSum } from "./advantages.ts";
import { nanStd, quantile } from "./statistics.ts";
import { LOSS_CASES, expectClose, hasPublishedVectors, publishedVectors } from "./testing-vectors.ts";

const column = (rewards: readonly (readonly (number | null)[])[]) => rewards.flat().map((reward) => [reward]);

describe("the golden fixture", () => {
  for (const [i, { rewards, advantages, num_generations, frac_reward_zero_std }] of LOSS_CASES.entries()) {
    test(`case ${i}`, () => {
      for (const scale_rewards of ["group", "batch", "none"] as const) {
        const found = groupAdvantages(column(rewards), { num_generations, scale_rewards });
        expectClose(found.advantages, advantages[scale_rewards].flat());
        if (scale_rewards !== "batch") expect(found.frac_reward_zero_std).toBeCloseTo(frac_reward_zero_std, 12);
      }
      const rloo = groupAdvantages(column(rewards), { num_generations, estimator: "rloo" });
      expectClose(rloo.advantages, advantages.rloo.flat());
    });
  }
});

describe.runIf(hasPublishedVectors)("published vectors", () => {
  test("advantages, with the deviation of their source", () => {
    const { advantages } = publishedVectors();
    const [tunix, population] = advantages;
    const { num_generations, std_ddof: ddof, eps, atol } = tunix;
    const found = groupAdvantages(column(tunix.rewards), { num_generations, ddof, eps });
    expectClose(found.advantages, tunix.expected.flat(), atol);
    for (const [rewards, expected] of population.cases) {
      const options = { num_generations: rewards.length, ddof: population.std_ddof, eps: 1e-8 };
      expectClose(groupAdvantages(column([rewards]), options).advantages, expected, population.atol);
    }
    expect(advantages).toHaveLength(2);
  });

  test("nanstd", () => {
    for (const [values, expected] of publishedVectors().nanstd.cases) expect(nanStd(values)).toBeCloseTo(expected, 6);
  });

  test("the logged reward is weighted", () => {
    const { rewards, weights, logged_reward } = publishedVectors().weighted_reward_metric;
    const found = groupAdvantages([rewards, rewards], { num_generations: 2, reward_weights: weights });
    expect(found.reward).toBeCloseTo(logged_reward, 12);
    expect(found.functions).toEqual([
      { mean: 1, std: 0 },
      { mean: 0, std: 0 },
    ]);
  });
});

describe("rewards that are missing", () => {
  test("a row without any reward is left out of its group and gets advantage 0", () => {
    const found = groupAdvantages(column([[1, 0, null, 0]]), { num_generations: 4 });
    const { advantages } = groupAdvantages(column([[1, 0, 0]]), { num_generations: 3 });
    expect(found.advantages).toEqual([advantages[0], advantages[1], 0, advantages[2]]);
    expect(found.rewards).toEqual([1, 0, null, 0]);
    expect(found.reward).toBeCloseTo(1 / 3, 12);
  });

  test("a function that does not apply adds nothing, and none at all is null rather than 0", () => {
    expect(weightedSum([1, null], [0.5, 2])).toBe(0.5);
    expect(weightedSum([null, null], [0.5, 2])).toBeNull();
  });

  test("rloo compares with the others that have a reward", () => {
    const options = { num_generations: 3, estimator: "rloo" } as const;
    expect(groupAdvantages(column([[1, null, 0]]), options).advantages).toEqual([1, 0, -1]);
    expect(groupAdvantages(column([[1, null, null]]), options).advantages).toEqual([0, 0, 0]);
  });

  test("a group of one reward, and a batch of none, teach nothing", () => {
    expect(groupAdvantages(column([[1, null]]), { num_generations: 2 }).advantages).toEqual([0, 0]);
    const none = groupAdvantages(column([[null, null]]), { num_generations: 2 });
    expect(none).toMatchObject({ advantages: [0, 0], reward: null, reward_std: null, frac_reward_zero_std: null });
  });
});

test("the logged deviation is the whole batch's, not the groups'", () => {
  const found = groupAdvantages(
    column([
      [1, 1],
      [0, 0],
    ]),
    { num_generations: 2 },
  );
  expect(found.reward_std).toBeCloseTo(Math.sqrt(1 / 3), 12);
  expect(found.frac_reward_zero_std).toBe(1);
  expect(found.groups).toEqual([
    { mean: 1, std: 0 },
    { mean: 0, std: 0 },
  ]);
});

test("normalize_then_sum gives rewards of different size the same say", () => {
  const rows = [
    [1, 0],
    [0, 1000],
    [1, 1000],
    [0, 0],
  ];
  const options = { num_generations: 4, multi_objective_aggregation: "normalize_then_sum" } as const;
  const { advantages } = groupAdvantages(rows, options);
  // z-scores are ±√3/2, so the sums are 0, 0, √3 and −√3, whose own deviation is √2.
  expectClose(advantages, [0, 0, Math.sqrt(1.5), -Math.sqrt(1.5)], 1e-3);
  expectClose(groupAdvantages(rows, { num_generations: 4 }).advantages, [-0.87, 0.86, 0.87, -0.87], 1e-2);
});

test("a batch that is no whole number of groups, or weights of another length, are refused", () => {
  expect(() => groupAdvantages([[1], [0], [1]], { num_generations: 2 })).toThrow(/num_generations: found 2 for 3/);
  expect(() => groupAdvantages([[1], [0]], { num_generations: 2, reward_weights: [1, 1] })).toThrow(/reward_weights/);
});

test("quantile interpolates between neighbours", () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([4, 1, 3, 2], 0)).toBe(1);
  expect(quantile([4, 1, 3, 2], 1)).toBe(4);
  expect(quantile([], 0.5)).toBeNull();
});
