import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newTurn } from "./turn.ts";
import type { Reply } from "./turn.ts";
import { checkAgainst, checkOfQuestion, countVotes, passAtK } from "./vote.ts";

function replies(...answers: readonly (string | undefined)[]): Reply[] {
  const [empty] = newTurn({ id: 1, parent: 0, asked: 1, number: 1 }, "", 1, 0).replies;
  if (!empty) throw new Error("a turn has a reply");
  return answers.map((answer) => (answer === undefined ? empty : { ...empty, answer, phase: "finished" }));
}

describe("the vote", () => {
  it("counts finished samples whose answers say the same, most votes first", () => {
    const vote = countVotes(
      replies("so \\boxed{7}", "The answer is 5.", undefined, "$5$", "5", "", "I think 7"),
      undefined,
    );
    expect(vote.candidates.map(({ answer, samples }) => [answer, samples])).toEqual([
      ["5", [1, 3, 4]],
      ["7", [0, 6]],
    ]);
    expect(vote).toMatchObject({ finished: 6, unanswered: 1, right: undefined });
    expect(new Set(vote.verdicts)).toEqual(new Set([undefined]));
  });

  it("takes answers of one value for one candidate, however they are written", () => {
    const vote = countVotes(
      replies("0.5", "\\boxed{\\frac{1}{2}}", "1/2", "2", "50 apples", "The answer is not 2."),
      undefined,
    );
    expect(vote.candidates.map(({ samples }) => samples)).toEqual([[0, 1, 2], [3], [4], [5]]);
  });

  it("compares each pair of written forms once", () => {
    const many = replies(...Array.from({ length: 64 }, (_, index) => `\\boxed{\\sqrt{${index + 2}}+${index}}`));
    expect(countVotes(many, undefined).candidates).toHaveLength(64);
    const start = performance.now();
    for (let i = 0; i < 20; i++) countVotes(many, undefined);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("says which samples are right when the question can be checked", () => {
    const check = checkOfQuestion("make 23 from 4 3 9");
    const vote = countVotes(replies(" 9 * 3 - 4", "9*3-4", " 9 + 3 + 4", undefined, ""), check);
    expect(vote.verdicts).toEqual([true, true, false, undefined, false]);
    expect(vote.right).toBe(2);
    expect(vote.candidates.map(({ samples, isRight }) => [samples, isRight])).toEqual([
      [[0, 1], true],
      [[2], false],
    ]);
  });

  it("knows a question that brings its check from one that does not", () => {
    expect(checkOfQuestion("make 23 from 4 3 9 and explain")).toBeUndefined();
    expect(checkOfQuestion("What is 2 + 3?")).toBeUndefined();
  });

  it("compares with the answer that the reader expects, by value", () => {
    expect(countVotes(replies("\\boxed{\\frac{1}{2}}", "0.5", "2"), checkAgainst("1/2")).verdicts).toEqual([
      true,
      true,
      false,
    ]);
    expect(checkAgainst("  ")).toBeUndefined();
  });

  it("shows a long answer in part", () => {
    const [candidate] = countVotes(replies("word ".repeat(100)), undefined).candidates;
    expect(candidate?.answer.length).toBeLessThan(100);
  });
});

describe("pass@k", () => {
  const choose = (n: number, k: number): number => {
    let value = 1;
    for (let i = 1; i <= k; i++) value *= (n - k + i) / i;
    return n < k ? 0 : value;
  };

  it("is 1 − C(n − c, k) / C(n, k)", () => {
    expect(passAtK(4, 1, 1)).toBeCloseTo(0.25);
    expect(passAtK(4, 1, 4)).toBe(1);
    expect(passAtK(64, 0, 32)).toBe(0);
    const cases = fc
      .integer({ min: 1, max: 64 })
      .chain((n) => fc.tuple(fc.constant(n), fc.nat(n), fc.integer({ min: 1, max: n })));
    fc.assert(
      fc.property(cases, ([n, c, k]) => Math.abs(passAtK(n, c, k) - (1 - choose(n - c, k) / choose(n, k))) < 1e-9),
    );
  });
});
