import { describe, expect, it } from "vitest";
import { Rng } from "../rng.ts";
import { addition } from "./addition.ts";

describe("addition", () => {
  it("pins what a seed gives", () => {
    const rng = new Rng(1);
    const problem = addition.sample(rng, "train");
    expect(problem).toEqual({
      key: "addition 807 886",
      prompt: "add 7 0 8 + 6 8 8",
      columns: { left: 807, right: 886, solution: "3 9 6 1" },
    });
    expect(addition.trace(rng, problem)).toBe(
      " 7 + 6 = 13 ; 0 + 8 + 1 = 9 ; 8 + 8 = 16 ;</think><answer> 3 9 6 1</answer>",
    );
    expect(addition.pretrain(rng)).toBe(" 0 + 0 + 1 = 1 ; 3 + 5 + 1 = 9 ; 1 + 4 = 5 ; 7 + 7 + 1 = 15 ;");
  });

  it("carries through the columns, units first", () => {
    const trace = (left: number, right: number): string =>
      addition.trace(new Rng(0), { key: "", prompt: "", columns: { left, right } });
    expect(trace(27, 58)).toBe(" 7 + 8 = 15 ; 2 + 5 + 1 = 8 ;</think><answer> 5 8</answer>");
    expect(trace(999, 1)).toBe(" 9 + 1 = 10 ; 9 + 0 + 1 = 10 ; 9 + 0 + 1 = 10 ;</think><answer> 0 0 0 1</answer>");
    expect(trace(0, 0)).toBe(" 0 + 0 = 0 ;</think><answer> 0</answer>");
  });

  it("demonstrates correctly at every level, with as many digits as the level says", () => {
    for (let i = 0; i < 300; i++) {
      const level = i % 6;
      const rng = new Rng(2, i);
      const problem = addition.sample(rng, "train", level);
      const { left, right } = problem.columns;
      expect([String(left).length, String(right).length]).toEqual([level + 1, level + 1]);
      expect(addition.check(problem.columns, addition.trace(rng, problem))).toBe(true);
      const [first = "", second = ""] = problem.prompt.replace("add", "").split(" +");
      const value = (text: string): number => Number(text.split(" ").toReversed().join(""));
      expect([value(first), value(second)]).toEqual([left, right]);
    }
  });

  it("takes swapped numbers for the same problem", () => {
    const keys = new Map<string, Set<string>>();
    for (let i = 0; i < 400; i++) {
      const { key, columns } = addition.sample(new Rng(3, i), "train", 0);
      const numbers = [Number(columns["left"]), Number(columns["right"])].toSorted((a, b) => a - b).join(" ");
      keys.set(numbers, (keys.get(numbers) ?? new Set()).add(key));
    }
    for (const found of keys.values()) expect(found.size).toBe(1);
  });

  it("checks digit by digit", () => {
    const columns = { left: 27, right: 58, solution: "5 8" };
    const check = (text: string): boolean => addition.check(columns, ` x</think><answer>${text}</answer>`);
    for (const right of [" 5 8", "5  8", "\n5 8\n"]) expect(check(right), right).toBe(true);
    for (const wrong of [" 8 5", " 5", " 58", " 85", " 5 8 0", " 5 9", "5, 8", " five eight"]) {
      expect(check(wrong), wrong).toBe(false);
    }
  });

  it("pretrains on every column", () => {
    const facts = new Set<string>();
    for (let i = 0; i < 1500; i++) {
      for (const fact of addition.pretrain(new Rng(4, i)).split(" ;").slice(0, -1)) {
        const [terms = "", sum] = fact.split(" = ");
        expect(terms.split(" + ").reduce((total, term) => total + Number(term), 0)).toBe(Number(sum));
        facts.add(fact);
      }
    }
    expect(facts.size).toBe(200);
  });
});
