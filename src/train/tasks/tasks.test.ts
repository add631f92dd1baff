import { describe, expect, it } from "vitest";
import { createTokenizer } from "../../text/tokenizer.ts";
import { Rng } from "../rng.ts";
import { attemptsOf } from "./countdown.ts";
import { NANO_WORDS, nanoTokenizerConfig, nanoTokenizerJson } from "./nano-tokenizer.ts";
import { answerOf, promptOf, splitOf } from "./task.ts";
import type { Problem, Task } from "./task.ts";
import { parseTask, TASKS } from "./tasks.ts";

const tokenizer = createTokenizer({ tokenizerJson: nanoTokenizerJson(), tokenizerConfig: nanoTokenizerConfig() });

const FORMAT = /^<think>\n[^<>]+<\/think>\s*<answer>[^<>]+<\/answer>$/;

/** Of every split and level; problem i has the randomness of its index. */
function problems(task: Task, count: number): { problem: Problem; split: "train" | "heldout"; rng: Rng }[] {
  return Array.from({ length: count }, (_, i) => {
    const rng = new Rng(11, i);
    const split = i % 2 === 0 ? "train" : "heldout";
    return { problem: task.sample(rng, split, i % task.levels.length), split, rng };
  });
}

/** From `from` to `to`, both included. */
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** All problems with three numbers. */
function countdownKeys(): Set<string> {
  const triples = range(1, 9).flatMap((a) => range(a, 9).flatMap((b) => range(b, 9).map((c) => [a, b, c])));
  return new Set(
    triples.flatMap((numbers) =>
      attemptsOf(numbers).flatMap(({ value }) => (value < 5 ? [] : [`countdown ${numbers.join(" ")} ${value}`])),
    ),
  );
}

/** All problems with two digits. */
function additionKeys(): Set<string> {
  return new Set(range(10, 99).flatMap((a) => range(a, 99).map((b) => `addition ${a} ${b}`)));
}

/** All problems of one step. */
function bilingualKeys(): Set<string> {
  const changes = range(2, 99).flatMap((start) => range(1, 9).map((amount) => [start, amount] as const));
  return new Set(
    changes.flatMap(([start, amount]) => [
      ...(start + amount <= 99 ? [`bilingual ${start} + ${amount}`] : []),
      ...(start - amount >= 0 ? [`bilingual ${start} - ${amount}`] : []),
    ]),
  );
}

describe("tasks", () => {
  it("tell a model that was not made for them what is asked, in the problem's language", () => {
    for (const task of TASKS.values()) {
      for (const { problem } of problems(task, 8)) {
        expect(promptOf(task, problem, false)).toBe(problem.prompt);
        const told = promptOf(task, problem, true);
        expect(told.endsWith(`\n${problem.prompt}`)).toBe(true);
        expect(told).toContain("<answer>");
        expect(/[ぁ-ん]/.test(told)).toBe(problem.columns["language"] === "ja");
      }
    }
  });

  it("are found by name", () => {
    expect([...TASKS.keys()]).toEqual(["countdown", "addition", "bilingual"]);
    for (const [name, task] of TASKS) expect(parseTask(name)).toBe(task);
    const error = expect.objectContaining({
      code: "E_OPTION",
      message: expect.stringContaining("countdown, addition, bilingual") as unknown,
    }) as unknown;
    expect(() => parseTask("chess")).toThrow(error);
    expect(() => parseTask("toString")).toThrow(error);
  });

  it.each([
    { name: "countdown", level: 1, keys: countdownKeys() },
    { name: "addition", level: 1, keys: additionKeys() },
    { name: "bilingual", level: 0, keys: bilingualKeys() },
  ])("hold out one problem in eight: $name", ({ name, level, keys }) => {
    const heldout = [...keys].filter((key) => splitOf(key) === "heldout").length / keys.size;
    expect(Math.abs(heldout - 1 / 8)).toBeLessThan(0.02);
    for (let i = 0; i < 200; i++) {
      const { key } = parseTask(name).sample(new Rng(12, i), i % 2 === 0 ? "train" : "heldout", level);
      expect(keys.has(key), key).toBe(true);
    }
  });
});

describe.each([...TASKS.values()])("$name", (task) => {
  it("draws from the split it is asked for", () => {
    const keys = { train: new Set<string>(), heldout: new Set<string>() };
    for (const { problem, split } of problems(task, 600)) {
      expect(splitOf(problem.key)).toBe(split);
      keys[split].add(problem.key);
    }
    expect([...keys.train].filter((key) => keys.heldout.has(key))).toEqual([]);
    expect(keys.heldout.size).toBeGreaterThan(40);
  });

  it("has a default level, and no other levels than it lists", () => {
    const rng = new Rng(1);
    expect(task.levels[task.defaultLevel]).toBeDefined();
    for (const level of [-1, 0.5, task.levels.length, Number.NaN]) {
      const refused = expect.objectContaining({ code: "E_OPTION" }) as unknown;
      expect(() => task.sample(rng, "train", level)).toThrow(refused);
    }
    const key = task.sample(new Rng(2), "train").key;
    expect(task.sample(new Rng(2), "train", task.defaultLevel).key).toBe(key);
  });

  it("depends on the random numbers alone", () => {
    const texts = (seed: number): string => {
      const rng = new Rng(seed);
      const problem = task.sample(rng, "train");
      return [JSON.stringify(problem), task.trace(rng, problem), task.pretrain(rng)].join("\n");
    };
    expect(texts(1)).toBe(texts(1));
    expect(texts(1)).not.toBe(texts(2));
  });

  it("has columns that survive JSON and are enough to check", () => {
    for (const { problem, rng } of problems(task, 60)) {
      const completion = task.trace(rng, problem);
      const columns = JSON.parse(JSON.stringify(problem.columns)) as Problem["columns"];
      expect(columns).toEqual(problem.columns);
      expect(task.check(columns, completion)).toBe(task.check(problem.columns, completion));
    }
  });

  it("writes demonstrations in its own format, nearly all within the length it names", () => {
    let tooLong = 0;
    const all = problems(task, 3000);
    for (const { problem, rng } of all) {
      const completion = task.trace(rng, problem);
      expect(`<think>\n${completion}`).toMatch(FORMAT);
      if (tokenizer.encode(completion).length + 1 > task.maxCompletionLength) tooLong++;
    }
    expect(tooLong / all.length).toBeLessThanOrEqual(0.001);
  });

  it("writes in the tokenizer's words, which return the same text", () => {
    const known = new Set([...NANO_WORDS, "\n", ",", ".", "?", "<answer>", "</answer>", "</think>"]);
    for (const { problem, rng } of problems(task, 300)) {
      for (const text of [problem.prompt, task.trace(rng, problem), task.pretrain(rng)]) {
        const ids = tokenizer.encode(text);
        expect(tokenizer.decode(ids)).toBe(text);
        expect(ids.map((id) => tokenizer.decode([id])).filter((piece) => !known.has(piece))).toEqual([]);
      }
    }
  });

  it("accepts no answer but a whole one after the thought", () => {
    const accepted = problems(task, 200).flatMap(({ problem, rng }) => {
      const completion = task.trace(rng, problem);
      return task.check(problem.columns, completion) ? [{ ...problem, answer: answerOf(completion) ?? "" }] : [];
    });
    expect(accepted.length).toBeGreaterThan(20);
    for (const { columns, answer } of accepted.slice(0, 20)) {
      expect(task.check(columns, ` x</think>\n\n<answer>\n${answer}\n</answer>`)).toBe(true);
      const wrong = [
        "",
        answer,
        `<answer>${answer}</answer>`,
        `<answer>${answer}</answer></think>`,
        ` x</think>${answer}`,
        ` x</think><answer>${answer}`,
        ` x</think>${answer}</answer>`,
        ` x</think><answer></answer>`,
        ` x</think><answer>${answer} 1</answer>`,
        ` x</think><answer>${answer};process.exit()</answer>`,
        ` x</think><answer>${answer}</answer><answer> 0 0</answer>`,
        ` x</think><answer>${" ".repeat(100_000)}${answer}</answer>`,
        ` x</think><answer>${"9 * ".repeat(50_000)}9</answer>`,
        ` x</think><answer>${answer.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)))}</answer>`,
      ];
      for (const completion of wrong) expect(task.check(columns, completion), completion.slice(0, 80)).toBe(false);
      expect(task.check({}, ` x</think><answer>${answer}</answer>`)).toBe(false);
    }
  });
});
