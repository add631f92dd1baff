import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DATA, hasData } from "../../testing-data.ts";
import { cosineScaled } from "./cosine.ts";
import { thinkAnswerFormat } from "./format.ts";
import { DEFAULT_REWARD_CONTEXT } from "./reward.ts";
import type { RewardContext } from "./reward.ts";
import { parseRewards } from "./rewards.ts";
import { item, scoreOne } from "./testing.ts";

const FILE = "grpo/reward-vectors.json";

type Section = Readonly<Record<string, unknown>>;
type Check = (section: Section) => void;

/** The file's names for the parameters of the cosine reward. */
function cosineContext(params: Readonly<Record<string, number>>): RewardContext {
  return {
    ...DEFAULT_REWARD_CONTEXT,
    cosineMinValueWrong: params["min_value_wrong"] ?? DEFAULT_REWARD_CONTEXT.cosineMinValueWrong,
    cosineMaxValueWrong: params["max_value_wrong"] ?? DEFAULT_REWARD_CONTEXT.cosineMaxValueWrong,
    cosineMinValueCorrect: params["min_value_correct"] ?? DEFAULT_REWARD_CONTEXT.cosineMinValueCorrect,
    cosineMaxValueCorrect: params["max_value_correct"] ?? DEFAULT_REWARD_CONTEXT.cosineMaxValueCorrect,
    cosineMaxLen: params["max_len"] ?? DEFAULT_REWARD_CONTEXT.cosineMaxLen,
  };
}

/** The cases of a section; each check knows the shape of its own. */
function casesOf<T>(section: Section): readonly T[] {
  return section["cases"] as readonly T[];
}

function texts(name: string): Check {
  return (section) => {
    for (const [completion, expected] of casesOf<[string, number]>(section))
      expect(scoreOne(name, item({ completion })), completion).toBe(expected);
  };
}

function answers(name: string): Check {
  return (section) => {
    for (const [completion, solution, expected] of casesOf<[string, string, number | null]>(section))
      expect(scoreOne(name, item({ completion, columns: { solution } })), completion).toBe(expected);
  };
}

interface CosineCase {
  readonly correct: boolean;
  readonly len: number;
  readonly expected: number;
  readonly params?: Readonly<Record<string, number>>;
}

function checkCosine(section: Section): void {
  const shared = section["params"] as Readonly<Record<string, number>>;
  for (const { correct, len, expected, params } of casesOf<CosineCase>(section)) {
    const context = cosineContext(params ?? shared);
    const difference = Math.abs(cosineScaled(correct, len, context) - expected);
    expect(difference, JSON.stringify({ correct, len })).toBeLessThanOrEqual(section["atol"] as number);
    const scored = item({ ids: Array.from({ length: len }, () => 1), verify: () => correct });
    expect(scoreOne("cosine", scored, context)).toBe(cosineScaled(correct, len, context));
  }
}

interface RepetitionCase {
  readonly ids?: readonly number[];
  readonly text?: string;
  readonly ngram: number;
  readonly max_penalty: number;
  readonly expected: number;
}

function repetitions(name: string, decimals: number): Check {
  return (section) => {
    for (const { ids = [], text = "", ngram, max_penalty: maxPenalty, expected } of casesOf<RepetitionCase>(section)) {
      const context = { ...DEFAULT_REWARD_CONTEXT, repetitionNGrams: ngram, repetitionMaxPenalty: maxPenalty };
      const score = scoreOne(name, item({ completion: text, ids }), context);
      expect(score, JSON.stringify({ ids, text })).toBeCloseTo(expected, decimals);
    }
  };
}

function checkOverlong(section: Section): void {
  const maxCompletionLength = section["max_completion_len"] as number;
  const context = {
    ...DEFAULT_REWARD_CONTEXT,
    maxCompletionLength,
    softPunishCache: section["soft_punish_cache"] as number,
  };
  for (const [length, expected] of casesOf<[number, number]>(section))
    expect(scoreOne("soft_overlong", item({ ids: Array.from({ length }, () => 1) }), context)).toBe(expected);
}

function checkLength(section: Section): void {
  const columns = { solution: section["solution"] };
  const items = (section["completions"] as readonly string[]).map((completion) =>
    item({ completion, ids: Array.from(completion, (_, id) => id), columns }),
  );
  const [length] = parseRewards(["length"]);
  expect(length?.score(items, DEFAULT_REWARD_CONTEXT, items.length)).toEqual(section["expected"]);
}

function checkThinkAnswer(section: Section): void {
  for (const [completion, expected] of casesOf<[string, number]>(section))
    expect(thinkAnswerFormat(completion), completion).toBe(expected);
  // The tolerant reward agrees on all of them.
  texts("format")(section);
}

/** One check for every section of the file. */
const CHECKS: Readonly<Record<string, Check>> = {
  think_format_reward: texts("think_format"),
  think_answer_format_reward: checkThinkAnswer,
  tag_count_reward: texts("tag_count"),
  reasoning_steps_reward: texts("reasoning_steps"),
  accuracy_reward: answers("accuracy"),
  reasoning_accuracy_reward: answers("reasoning_accuracy"),
  cosine_scaled_reward: checkCosine,
  repetition_penalty_tokens: repetitions("repetition", 9),
  repetition_penalty_words: repetitions("repetition_words", 4),
  soft_overlong_punishment: checkOverlong,
  len_reward_same_length: checkLength,
};

describe.skipIf(!hasData(FILE))(`the reward vectors of TRL and open-r1 (skipped without ${FILE})`, () => {
  const sections = hasData(FILE) ? (JSON.parse(readFileSync(join(DATA, FILE), "utf8")) as Record<string, Section>) : {};
  const names = Object.keys(sections).filter((name) => !name.startsWith("_"));

  it("have a check for every section", () => {
    expect(Object.keys(CHECKS).toSorted()).toEqual(names.toSorted());
  });

  it.each(names)("%s", (name) => {
    expect.hasAssertions();
    CHECKS[name]?.(sections[name] ?? {});
  });
});
