import { describe, expect, it } from "vitest";
import { deadShare, groupFigures } from "./group.ts";

describe("a group", () => {
  it("becomes advantages by its own deviation, the batch's, or none", () => {
    const rewards = [1, 0, 0, 1];
    const group = groupFigures(rewards, [0, 0, 0, 0], "group");
    expect(group).toMatchObject({ mean: 0.5, isDead: false });
    expect(group.values.centred).toEqual([0.5, -0.5, -0.5, 0.5]);
    expect(group.std).toBeCloseTo(Math.sqrt(1 / 3), 12);
    group.values.advantage.forEach((value, i) =>
      expect(value).toBeCloseTo((group.values.centred[i] ?? 0) / (Math.sqrt(1 / 3) + 1e-4), 12),
    );
    // Two of eight rewards are 1: variance (2·0.75² + 6·0.25²) / 7.
    const batch = groupFigures(rewards, [0, 0, 0, 0], "batch");
    expect(batch.batchStd).toBeCloseTo(Math.sqrt(1.5 / 7), 12);
    expect(batch.values.advantage[0]).toBeCloseTo(0.5 / (Math.sqrt(1.5 / 7) + 1e-4), 12);
    expect(groupFigures(rewards, [0, 0, 0, 0], "none").values.advantage).toEqual(group.values.centred);
  });

  it("is dead when all rewards are equal", () => {
    for (const reward of [0, 0.1, 1]) {
      const { isDead, values } = groupFigures([reward, reward, reward], [1, 0, 0], "group");
      expect(isDead).toBe(true);
      for (const advantage of values.advantage) expect(advantage).toBeCloseTo(0, 9);
    }
  });

  it("is dead as often as chance has it", () => {
    expect(deadShare(0.05, 8)).toBeCloseTo(0.6634, 4);
    expect(deadShare(0.5, 8)).toBeCloseTo(2 / 256, 12);
  });
});
