import { describe, expect, it } from "vitest";
import { createTokenizer } from "../../text/tokenizer.ts";
import { Rng } from "../rng.ts";
import { attemptsOf, countdown, TEMPERS } from "./countdown.ts";
import { nanoTokenizerConfig, nanoTokenizerJson } from "./nano-tokenizer.ts";

const answer = (text: string): string => ` x</think><answer>${text}</answer>`;

describe("countdown", () => {
  it("pins what a seed gives", () => {
    const rng = new Rng(1);
    const problem = countdown.sample(rng, "train");
    expect(problem).toEqual({
      key: "countdown 1 4 6 11",
      prompt: "make 11 from 6 4 1",
      columns: { numbers: [6, 4, 1], target: 11 },
    });
    expect(countdown.trace(rng, problem)).toBe(
      " 4 * 6 = 24 + 1 = 25 ; 6 * 1 = 6 - 4 = 2 ; 6 - 1 = 5 - 4 = 1 ; 6 + 4 = 10 - 1 = 9 ; 1 * 6 = 6 + 4 = 10 ; 4 * 6 = 24 * 1 = 24 ; 6 * 4 = 24 - 1 = 23 ; 1 * 4 = 4 * 6 = 24 ; 4 - 1 = 3 * 6 = 18 ; 1 + 6 = 7 + 4 = 11 ; ok</think><answer> 1 + 6 + 4</answer>",
    );
    expect(countdown.pretrain(rng)).toBe("make 71 ; 68 + 3 = 71 * 1 = 71 ; ok");
  });

  it("asks for a target that is reachable, with numbers of its range", () => {
    for (let i = 0; i < 300; i++) {
      const level = i % 3;
      const { columns } = countdown.sample(new Rng(2, i), "train", level);
      const { numbers, target } = columns as { numbers: number[]; target: number };
      expect(numbers).toHaveLength(level + 2);
      for (const number of numbers) expect(number >= 1 && number <= 9).toBe(true);
      expect(target >= 5 && target <= 99).toBe(true);
      expect(attemptsOf(numbers).map(({ value }) => value)).toContain(target);
    }
  });

  it("lists each expression once, worked out from left to right within 0 to 99", () => {
    expect(attemptsOf([2, 3]).map(({ worked, value }) => [worked, value])).toEqual([
      [" 2 + 3 = 5 ;", 5],
      [" 2 * 3 = 6 ;", 6],
      [" 3 + 2 = 5 ;", 5],
      [" 3 - 2 = 1 ;", 1],
      [" 3 * 2 = 6 ;", 6],
    ]);
    expect(attemptsOf([4, 4]).map(({ expression }) => expression)).toEqual([" 4 + 4", " 4 - 4", " 4 * 4"]);
    const attempts = attemptsOf([9, 3, 4]);
    expect(new Set(attempts.map(({ expression }) => expression)).size).toBe(attempts.length);
    expect(attempts.find(({ expression }) => expression === " 9 * 3 - 4")).toEqual({
      expression: " 9 * 3 - 4",
      worked: " 9 * 3 = 27 - 4 = 23 ;",
      value: 23,
    });
    expect(attempts.map(({ expression }) => expression)).not.toContain(" 9 * 3 * 4");
    expect(attempts.map(({ expression }) => expression)).not.toContain(" 3 - 4 + 9");
  });

  it("checks the numbers and the value from left to right", () => {
    const columns = { numbers: [4, 3, 9], target: 23 };
    for (const right of [" 9 * 3 - 4", "9*3-4", " 3 * 9 - 4\n"]) {
      expect(countdown.check(columns, answer(right)), right).toBe(true);
    }
    // From left to right 3 + 4 * 9 is 63.
    expect(countdown.check({ numbers: [3, 4, 9], target: 63 }, answer(" 3 + 4 * 9"))).toBe(true);
    expect(countdown.check({ numbers: [3, 4, 9], target: 39 }, answer(" 3 + 4 * 9"))).toBe(false);
    const wrong = [
      " 9 * 3 + 4",
      " 9 * 3",
      " 9 + 9 + 9 - 4",
      " 9 * 3 - 4 + 4 - 4",
      " 23",
      " 8 * 3 - 1",
      " 9 * 3 - 4 = 23",
      " (9 * 3) - 4",
      " -4 + 9 * 3",
      " 9 * 3 -- 4",
      " 9 * 3 / 4",
      " 9 ** 3 - 4",
      " 9 3 4",
      " 9 * 3 -",
      " 0x9 * 3 - 4",
      " 9 * 3 - 4.0",
    ];
    for (const text of wrong) expect(countdown.check(columns, answer(text)), text).toBe(false);
    for (const other of [{}, { numbers: "4 3 9", target: 23 }, { numbers: [4, 3, 9] }, { numbers: [], target: 0 }]) {
      expect(countdown.check(other, answer(" 9 * 3 - 4"))).toBe(false);
    }
  });

  it("demonstrates without repetition, answers with its last attempt, and is right as often as giving up allows", () => {
    const tokenizer = createTokenizer({ tokenizerJson: nanoTokenizerJson(), tokenizerConfig: nanoTokenizerConfig() });
    const count = 3000;
    let correct = 0;
    let expected = 0;
    let tokens = 0;
    let long = 0;
    for (let i = 0; i < count; i++) {
      const rng = new Rng(3, i);
      const problem = countdown.sample(rng, "train");
      const { numbers, target } = problem.columns as { numbers: number[]; target: number };
      const trace = countdown.trace(rng, problem);
      const [thought = "", tagged = ""] = trace.split("</think>");
      const attempts = thought.split(";").slice(0, -1);
      const solved = thought.endsWith("; ok");
      expect(attempts.length >= 1 && attempts.length <= 10).toBe(true);
      expect(new Set(attempts).size).toBe(attempts.length);
      const worked = new Map(attemptsOf(numbers).map((attempt) => [attempt.worked, attempt]));
      const read = attempts.map((text) => worked.get(`${text};`));
      expect(read.map((attempt) => attempt?.value === target)).toEqual(
        attempts.map((_, k) => solved && k === attempts.length - 1),
      );
      expect(tagged).toBe(`<answer>${read.at(-1)?.expression}</answer>`);
      expect(countdown.check(problem.columns, trace)).toBe(solved);
      if (solved) correct++;
      if (attempts.length > 8) long++;
      tokens += tokenizer.encode(trace).length;
      expected += chanceOfSuccess(worked.size, [...worked.values()].filter(({ value }) => value === target).length);
    }
    expect(Math.abs(correct - expected) / count).toBeLessThan(0.025);
    expect(correct / count).toBeGreaterThan(0.2);
    expect(tokens / count).toBeGreaterThan(30);
    expect(tokens / count).toBeLessThan(42);
    // Long thoughts are shown too: a model that has never seen one writes nonsense when its own grow.
    expect(long / count).toBeGreaterThan(0.06);
  });

  it("pretrains on every fact in range", () => {
    const wanted = new Set<string>();
    for (let left = 0; left <= 99; left++) {
      for (let right = 1; right <= 9; right++) {
        if (left + right <= 99) wanted.add(`${left} + ${right} = ${left + right}`);
        if (left - right >= 0) wanted.add(`${left} - ${right} = ${left - right}`);
        if (left * right <= 99) wanted.add(`${left} * ${right} = ${left * right}`);
      }
    }
    const missing = new Set(wanted);
    for (let i = 0; i < 60_000 && missing.size > 0; i++) {
      const line = countdown.pretrain(new Rng(4, i));
      for (const [, left, operation, result] of line.matchAll(/(?<= )(?=(\d+)( [+*-] \d+ =)( \d+))/g)) {
        const fact = `${left}${operation}${result}`;
        expect(wanted.has(fact), fact).toBe(true);
        missing.delete(fact);
      }
    }
    expect([...missing]).toEqual([]);
  });

  it("pretrains on telling when a target is reached, and never before", () => {
    let misses = 0;
    for (let i = 0; i < 500; i++) {
      const line = countdown.pretrain(new Rng(6, i));
      const [, target, chains = ""] = /^make (\d+) ;(( [^;]+ ;)+) ok$/.exec(line) ?? [];
      const values = chains
        .split(" ;")
        .slice(0, -1)
        .map((chain) => chain.split(" ").at(-1));
      expect(values.at(-1), line).toBe(target);
      expect(values.slice(0, -1)).not.toContain(target);
      misses += values.length - 1;
    }
    // More often no than yes, as in a thought, but not by much.
    expect(misses / 500).toBeGreaterThan(1);
    expect(misses / 500).toBeLessThan(2);
  });
});

/** Of attempts in random order without repetition, up to ten, each failure followed by giving up or not. */
function chanceOfSuccess(attempts: number, solutions: number): number {
  return TEMPERS.reduce((sum, { share, giveUp }) => {
    let reached = share;
    let success = 0;
    for (let k = 0; k < Math.min(10, attempts) && reached > 0; k++) {
      const hit = Math.min(1, solutions / (attempts - k));
      success += reached * hit;
      reached *= (1 - hit) * (1 - giveUp);
    }
    return sum + success;
  }, 0);
}
