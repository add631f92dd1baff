import { describe, expect, it } from "vitest";
import type { CompletionRecord } from "../../engine/protocol.ts";
import { gistOf, groupsOf, isDead, mostTelling, textOf } from "./groups.ts";
import { makeCompletion } from "./testing.ts";

function stepOf(...rewards: readonly (readonly (number | null)[])[]) {
  const completions: CompletionRecord[] = rewards.flatMap((group, g) =>
    group.map((reward) => makeCompletion({ group: g, reward, prompt: `p${g}` })),
  );
  return { type: "step", step: 1, metrics: {}, completions } as const;
}

describe("groupsOf", () => {
  it("gives each prompt its completions, with the mean and spread of their rewards", () => {
    const [first, second] = groupsOf(stepOf([1, 0, 0, 1], [0.1, 0.1]));
    expect(first?.prompt).toBe("p0");
    expect(first?.completions).toHaveLength(4);
    expect(first?.mean).toBe(0.5);
    // statistics.stdev([1, 0, 0, 1])
    expect(first?.std).toBeCloseTo(0.577_350_269_189_625_8, 12);
    expect(second?.std).toBe(0);
  });

  it("leaves a reward out that does not apply", () => {
    const [group] = groupsOf(stepOf([1, null, 0]));
    expect(group?.mean).toBe(0.5);
    expect(groupsOf(stepOf([null]))[0]?.mean).toBeNaN();
  });

  it("has none before the first step", () => {
    expect(groupsOf(undefined)).toEqual([]);
    expect(mostTelling([])).toBeUndefined();
  });

  it("knows dead groups, and the one that tells most", () => {
    const groups = groupsOf(stepOf([0.1, 0.1 + 1e-16], [0, 0.2], [0, 1], [1, 1]));
    expect(groups.map(isDead)).toEqual([true, false, false, true]);
    expect(mostTelling(groups)?.group).toBe(2);
  });
});

describe("a completion's text", () => {
  it.each([
    ["p", "<think>\n a ;</think><answer> 1 + 2</answer>", "a ;", "1 + 2"],
    ["p", "<think>a</think>\n\nIt is 3.", "a", "It is 3."],
    ["p", "<think>cut o", "cut o", ""],
    // The prompt opened the thought.
    ["p <think>\n", "cut o", "cut o", ""],
  ])("after %j, %j is a thought and an answer", (prompt, completion, thought, answer) => {
    expect(textOf(makeCompletion({ prompt, completion }))).toEqual({ thought, answer });
  });

  it("in a line is its answer, or where it was cut off", () => {
    expect(gistOf(makeCompletion())).toBe("7 + 2");
    expect(gistOf(makeCompletion({ completion: "<think>a\n b" }))).toBe("… a b");
  });
});
