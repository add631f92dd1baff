import { describe, expect, it } from "vitest";
import { OTHER_REWARDS, R1_REWARDS, scoreCompletion } from "./score.ts";
import { COMPLETIONS, EXAMPLES, type ExampleName } from "./texts.ts";

const EXPECTED: Readonly<Record<ExampleName, readonly [accuracy: number, format: number]>> = {
  exampleRight: [1, 1],
  exampleWrong: [0, 1],
  exampleBare: [1, 0],
  exampleMixed: [1, 1],
  exampleHollow: [0, 1],
  exampleGuess: [1, 1],
};

describe.each(["en", "ja"] as const)("the examples in %s", (language) => {
  it.each(EXAMPLES)("%s is what its name says", (name) => {
    const scored = { completion: COMPLETIONS[language][name], solution: "89", language };
    const [accuracy, format, consistency] = R1_REWARDS.map((reward) => scoreCompletion(reward, scored));
    expect([accuracy, format]).toEqual(EXPECTED[name]);
    if (name === "exampleMixed") {
      expect(consistency).toBeGreaterThan(0);
      expect(consistency).toBeLessThan(1);
    } else expect(consistency).toBe(1);
  });

  it("can be scored by every reward that is shown", () => {
    const scored = { completion: COMPLETIONS[language].exampleRight, solution: "89", language };
    for (const reward of OTHER_REWARDS) expect(scoreCompletion(reward, scored), reward).not.toBeNull();
  });
});
