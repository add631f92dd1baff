import { describe, expect, it } from "vitest";
import { ThinkBudget } from "./think-budget.ts";

const tokens = { thinkStartId: 8, thinkEndId: 9, waitIds: [3, 4], eosIds: [1] };

/** Feeds what the model wants, step by step, and collects what comes out. */
function run(budget: ThinkBudget, wants: readonly number[]): number[] {
  const out: number[] = [];
  for (const want of wants) {
    const free = budget.forced === undefined && budget.allows(want);
    const id = free ? want : (budget.forced?.id ?? Number.NaN);
    budget.accept(id);
    out.push(id);
  }
  return out;
}

describe("think budget", () => {
  it("leaves everything alone when it is off", () => {
    expect(run(new ThinkBudget(0, 0, true, tokens), [5, 9, 6, 1])).toEqual([5, 9, 6, 1]);
  });

  it("ends the thought at the maximum, and only the thought", () => {
    expect(run(new ThinkBudget(0, 3, true, tokens), [5, 5, 5, 5, 7, 7, 7, 7])).toEqual([5, 5, 5, 9, 7, 7, 7, 7]);
  });

  it("replaces an early end by the tokens of Wait until the minimum is reached", () => {
    expect(run(new ThinkBudget(4, 0, true, tokens), [5, 9, 6, 9, 9])).toEqual([5, 3, 4, 3, 4]);
    expect(run(new ThinkBudget(4, 0, true, tokens), [5, 9, 6, 6, 9, 2])).toEqual([5, 3, 4, 6, 9, 2]);
  });

  it("takes an end of text inside the thought as an early end too", () => {
    expect(run(new ThinkBudget(2, 0, true, tokens), [1, 0, 9, 1])).toEqual([3, 4, 9, 1]);
  });

  it("does not count an answer", () => {
    expect(run(new ThinkBudget(5, 5, false, tokens), [9, 5, 5, 5, 5, 5, 5, 1])).toEqual([9, 5, 5, 5, 5, 5, 5, 1]);
  });
});
