import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../errors.ts";
import { evaluateExpression } from "./expression.ts";
import { isThinkAnswer, thinkAnswerFormat } from "./format.ts";
import { languageShare } from "./language-consistency.ts";
import { DEFAULT_REWARD_CONTEXT } from "./reward.ts";
import { parseRewards, REWARDS } from "./rewards.ts";
import { item, scoreOne } from "./testing.ts";

describe("parseRewards", () => {
  it("finds every reward by its name, in the order asked for", () => {
    expect(parseRewards(["format", "accuracy"]).map(({ name }) => name)).toEqual(["format", "accuracy"]);
    for (const [name, reward] of REWARDS) expect(reward.name).toBe(name);
  });

  it("names an unknown reward and those it knows", () => {
    try {
      parseRewards(["accuracy", "vibes"]);
      expect.unreachable();
    } catch (error) {
      if (!isR1Error(error)) throw error;
      expect(error.code).toBe("E_OPTION");
      expect(error.message).toContain("vibes");
      for (const name of REWARDS.keys()) expect(error.message).toContain(name);
    }
  });
});

describe("every reward", () => {
  it.each([...REWARDS.values()].map((reward) => [reward.name, reward] as const))("%s scores any rows", (_, reward) => {
    const rows = fc.array(
      fc.record({
        completion: fc.string({ maxLength: 80 }),
        ids: fc.array(fc.nat(9), { maxLength: 20 }),
        finished: fc.boolean(),
        columns: fc.dictionary(fc.constantFrom("solution", "numbers", "target", "language"), fc.jsonValue()),
      }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 4 }), (items, groupSize) => {
        const scores = reward.score(items, DEFAULT_REWARD_CONTEXT, groupSize);
        expect(scores).toHaveLength(items.length);
        for (const score of scores) if (score !== null) expect(Math.abs(score)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100, seed: 42 },
    );
  });
});

describe("accuracy", () => {
  it("asks the task's own checker first", () => {
    const columns = { solution: "5" };
    expect(scoreOne("accuracy", item({ completion: "\\boxed{5}", columns, verify: () => false }))).toBe(0);
    expect(scoreOne("accuracy", item({ completion: "\\boxed{6}", columns, verify: () => true }))).toBe(1);
  });

  it("leaves out a row without a gold answer, and takes numbers as gold", () => {
    expect(scoreOne("accuracy", item({ completion: "\\boxed{5}" }))).toBeNull();
    expect(scoreOne("accuracy", item({ completion: "\\boxed{5}", columns: { solution: 5 } }))).toBe(1);
  });

  it("of reasoning needs an end of the thought, whatever the gold answer", () => {
    expect(
      scoreOne("reasoning_accuracy", item({ completion: "\\boxed{5}", columns: { solution: "five of them" } })),
    ).toBe(0);
    const completion = "<think>\\boxed{4}</think> no, </think> \\boxed{5}";
    expect(scoreOne("reasoning_accuracy", item({ completion, columns: { solution: "5" } }))).toBe(1);
  });
});

describe("format", () => {
  const GOOD = ["<think>a</think><answer>b</answer>", " <think>\na\n</think>\n\n <answer>b</answer>\n"];
  const BAD = [
    "",
    "x <think>a</think><answer>b</answer>",
    "<think>a</think><answer>b</answer> x",
    "<think>a</think> so <answer>b</answer>",
    "<think>a</think><answer>b</answer><answer>c</answer>",
    "<think>a<think>b</think></think><answer>c</answer>",
    "<think>a<answer>b</answer></think>",
    "<answer>b</answer><think>a</think>",
    "<think>a</think><answer>b",
    "<think>a</think></answer>b<answer>",
  ];

  it.each(GOOD)("takes %j", (text) => expect(isThinkAnswer(text)).toBe(true));
  it.each(BAD)("refuses %j", (text) => expect(isThinkAnswer(text)).toBe(false));

  it("of open-r1 begins at the start and ends at the end of a line", () => {
    const text = "<think>\na\n</think>\n<answer>\nb\n</answer>";
    expect([text, `${text}\nx`, `${text} x`, ` ${text}`, `x\n${text}`].map(thinkAnswerFormat)).toEqual([1, 1, 0, 0, 0]);
  });
});

describe("length", () => {
  it("compares the completions of one group alone", () => {
    const row = (tokens: number, right: boolean) =>
      item({ ids: Array.from({ length: tokens }, () => 1), verify: () => right });
    const items = [row(10, true), row(20, true), row(30, false), row(5, false), row(5, true), row(5, true)];
    const [length] = parseRewards(["length"]);
    expect(length?.score(items, DEFAULT_REWARD_CONTEXT, 3)).toEqual([0.5, 0, -0.5, 0, 0, 0]);
    const wrongButShort = [row(10, false), row(20, true)];
    expect(length?.score(wrongButShort, DEFAULT_REWARD_CONTEXT, 2)).toEqual([0, -0.5]);
  });
});

describe("language_consistency", () => {
  it("is the share of words in the row's language", () => {
    const score = (completion: string, language: string) =>
      scoreOne("language_consistency", item({ completion, columns: { language } }));
    expect(score("<think>two words and 3 numbers 4 5</think>日本語です", "en")).toBe(1);
    expect(score("<think>これは日本語です。</think>English", "ja")).toBe(1);
    expect(score("<think>これは日本語です。</think>", "en")).toBe(0);
    expect(score("<think>1 + 1 = 2</think>", "en")).toBe(1);
    expect(score("no tags, don't care", "en")).toBe(1);
    expect(score("text", "fr")).toBeNull();
  });

  it("counts every language's words, and no LaTeX commands", () => {
    expect(languageShare("one two три четыре", "en")).toBe(0.5);
    const share = languageShare("答えは五です because I say so", "ja");
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.7);
    expect(languageShare("答え \\frac{1}{2}", "ja")).toBe(1);
  });

  it("counts characters where the platform cannot find Japanese words", () => {
    const { Segmenter } = Intl;
    try {
      Object.assign(Intl, { Segmenter: undefined });
      expect(languageShare("日本語で one two three four", "ja")).toBe(0.5);
    } finally {
      Object.assign(Intl, { Segmenter });
    }
  });
});

describe("countdown", () => {
  const columns = { numbers: [19, 36, 55, 7], target: 65 };
  const score = (completion: string) => scoreOne("countdown", item({ completion, columns }));

  it("wants every number once and the target", () => {
    expect(score("<think>…</think><answer>55 + 36 - 7 - 19</answer>")).toBe(1);
    expect(score("<answer>1</answer> no: <answer> (55+36)-(7+19) </answer>")).toBe(1);
    expect(score("55 + 36 - 7 - 19")).toBe(0);
    expect(score("<answer>55 + 36 - 7 - 19")).toBe(0);
    for (const answer of [
      "55 + 36 - 7 + 19",
      "65",
      "55 + 36 - 26",
      "55+36-7-19-7+7",
      "a",
      "",
      "55+36-7-19=65",
      "(55+36",
    ])
      expect(score(`<answer>${answer}</answer>`), answer).toBe(0.1);
  });

  it("leaves out rows without numbers or target", () => {
    expect(scoreOne("countdown", item({ completion: "<answer>1</answer>" }))).toBeNull();
  });
});

describe("evaluateExpression", () => {
  const standard = (text: string) => evaluateExpression(text, { precedence: "standard" })?.value;

  it("binds as in school, or from left to right", () => {
    expect(evaluateExpression("1 + 2 * 3", { precedence: "standard" })).toEqual({ value: 7, numbers: [1, 2, 3] });
    expect(evaluateExpression("1 + 2 * 3", { precedence: "left-to-right" })).toEqual({ value: 9, numbers: [1, 2, 3] });
    expect(evaluateExpression("2 * (1 + 2 * 3)", { precedence: "left-to-right" })?.value).toBe(18);
    expect([standard("8 / 4 / 2"), standard("8 - 4 - 2"), standard("-(2 - 5) * .5"), standard("2 - -3")]).toEqual([
      1, 2, 1.5, 5,
    ]);
  });

  it.each(["", " ", "1 +", "1 2", "2(3)", "(1", "1)", "()", "1 / 0", "0/0", "2 ** 3", "x", "1e5", "1.2.3"])(
    "finds none in %j",
    (text) => expect(standard(text)).toBeUndefined(),
  );

  it("neither hangs nor overflows on hostile text", () => {
    for (const text of [
      "(".repeat(900),
      "-".repeat(900) + "1",
      "1+".repeat(499) + "1",
      "9".repeat(5_000),
      " ".repeat(1e6),
    ])
      expect([undefined, 500]).toContain(standard(text));
  });

  it("agrees with JavaScript on any expression", () => {
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.nat(99).map(String),
        fc
          .tuple(tie("expression"), fc.constantFrom("+", "-", "*", "/"), tie("expression"))
          .map((parts) => parts.join(" ")),
        tie("expression").map((inner) => `(${inner})`),
      ),
    }));
    fc.assert(
      fc.property(expression, (text) => {
        // oxlint-disable-next-line no-eval -- the oracle, over digits, operators and brackets that this test wrote
        const expected = (0, eval)(text) as number;
        expect(standard(text)).toBe(Number.isFinite(expected) ? expected : undefined);
      }),
      { numRuns: 500, seed: 42 },
    );
  });
});
