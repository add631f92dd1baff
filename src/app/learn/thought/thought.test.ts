import { describe, expect, it } from "vitest";
import { forceBudget, lastNumber, splitTokens } from "./budget.ts";
import { voteCurve } from "./vote.ts";

describe("budget forcing", () => {
  const parts = [["a", "b", "c"], ["d", "e"], ["f"]];

  it("leaves a thought alone that keeps to its budget", () => {
    expect(forceBudget(parts, { max: 0, min: 0 })).toEqual({ tokens: ["a", "b", "c"], injected: [], end: "own" });
    expect(forceBudget(parts, { max: 3, min: 3 })).toEqual({ tokens: ["a", "b", "c"], injected: [], end: "own" });
  });

  it("closes a thought at the most tokens", () => {
    expect(forceBudget(parts, { max: 2, min: 0 })).toEqual({ tokens: ["a", "b"], injected: [], end: "forced" });
  });

  it("says Wait as often as the least length needs, and the thought's own end counts again", () => {
    expect(forceBudget(parts, { max: 0, min: 4 })).toEqual({
      tokens: ["a", "b", "c", "Wait", "d", "e"],
      injected: [3],
      end: "own",
    });
    expect(forceBudget(parts, { max: 0, min: 7 }).injected).toEqual([3, 6]);
  });

  it("lets the upper bound win", () => {
    expect(forceBudget(parts, { max: 3, min: 9 })).toEqual({ tokens: ["a", "b", "c"], injected: [], end: "own" });
    expect(forceBudget(parts, { max: 5, min: 9 })).toEqual({
      tokens: ["a", "b", "c", "Wait", "d"],
      injected: [3],
      end: "forced",
    });
  });

  it("reads tokens and the number a thought came to", () => {
    expect(splitTokens("so that makes 12.")).toEqual(["so", " that", " makes", " 12."]);
    expect(splitTokens("だから|12|です。")).toEqual(["だから", "12", "です。"]);
    expect(lastNumber(splitTokens("first 3, then 12."))).toBe("12");
    expect(lastNumber(["no", " number"])).toBeUndefined();
  });
});

describe("a vote", () => {
  /** Every way k samples can fall, counted one by one. */
  function byEnumeration(right: number, wrongAnswers: number, k: number): number {
    let won = 0;
    const visit = (left: number, counts: readonly number[], chance: number): void => {
      if (left === 0) {
        const most = Math.max(...counts);
        if (counts[0] === most) won += chance / counts.filter((count) => count === most).length;
        return;
      }
      counts.forEach((_, i) => {
        const next = counts.map((count, j) => count + Number(i === j));
        visit(left - 1, next, chance * (i === 0 ? right : (1 - right) / wrongAnswers));
      });
    };
    visit(
      k,
      Array.from({ length: wrongAnswers + 1 }, () => 0),
      1,
    );
    return won;
  }

  it.each([
    [0.4, 1],
    [0.4, 3],
    [0.25, 3],
    [0.9, 2],
  ])("of samples that are right with %d among %d wrong answers agrees with counting every case", (right, wrong) => {
    const { cons, pass } = voteCurve({ right, wrongAnswers: wrong, most: 6 });
    expect(cons).toHaveLength(6);
    cons.forEach((value, i) => expect(value).toBeCloseTo(byEnumeration(right, wrong, i + 1), 12));
    pass.forEach((value, i) => expect(value).toBeCloseTo(1 - (1 - right) ** (i + 1), 12));
  });

  it("helps where the right answer is the commonest, and harms where it is not", () => {
    const common = voteCurve({ right: 0.4, wrongAnswers: 5, most: 64 }).cons;
    const rare = voteCurve({ right: 0.4, wrongAnswers: 1, most: 64 }).cons;
    expect(common.at(-1)).toBeGreaterThan(0.99);
    expect(rare.at(-1)).toBeLessThan(0.06);
    expect(voteCurve({ right: 1, wrongAnswers: 4, most: 64 }).cons.at(-1)).toBeCloseTo(1, 12);
    expect(voteCurve({ right: 0, wrongAnswers: 4, most: 64 }).cons.at(-1)).toBe(0);
  });
});
