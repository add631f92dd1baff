import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { DATA, hasData } from "../../../testing-data.ts";
import { Rng } from "../../rng.ts";
import { parseTask, TASKS } from "../../tasks/tasks.ts";
import { DEFAULT_REWARD_CONTEXT } from "../reward.ts";
import type { RewardContext, RewardItem } from "../reward.ts";
import { parseRewards, REWARDS } from "../rewards.ts";
import { item } from "../testing.ts";
import { SENTENCES } from "../testing-languages.ts";
import { PYTHON_CHECKS } from "./checks.ts";
import { PYTHON_REWARDS } from "./functions.ts";
import { pythonRewards } from "./python.ts";

/** A call of one reward; the context names parameters that differ from the file's. */
interface Call {
  readonly reward: string;
  readonly task: string | null;
  readonly context: RewardContext;
  readonly groupSize: number;
  readonly items: readonly RewardItem[];
}

const hasPython = spawnSync("python3", ["--version"]).status === 0;
const folder = mkdtempSync(join(tmpdir(), "r1-python-"));
afterAll(() => rmSync(folder, { recursive: true }));

const DRIVER = `
import json, sys
import rewards
rewards.math_verify = None
calls = json.load(sys.stdin)
results = []
for call in calls:
    rewards.TASK, rewards.NUM_GENERATIONS = call["task"], call["num_generations"]
    for name, value in call["constants"].items():
        assert hasattr(rewards, name), name
        setattr(rewards, name, value)
    columns = {name: [row.get(name) for row in call["columns"]] for name in {n for row in call["columns"] for n in row}}
    results.append(getattr(rewards, call["reward"])(call["completions"], completion_ids=call["ids"], **columns))
print(json.dumps(results))
`;

const constantName = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

function inPython(calls: readonly Call[]): unknown {
  const input = calls.map(({ reward, task, context, groupSize, items }) => ({
    reward,
    task,
    num_generations: groupSize,
    constants: Object.fromEntries(Object.entries(context).map(([name, value]) => [constantName(name), value])),
    completions: items.map(({ completion }) => completion),
    ids: items.map(({ ids }) => ids),
    columns: items.map(({ columns }) => columns),
  }));
  const { status, stdout, stderr } = spawnSync("python3", ["driver.py"], {
    cwd: folder,
    input: JSON.stringify(input),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

function inTypeScript({ reward, context, groupSize, items }: Call): readonly (number | null)[] {
  return parseRewards([reward]).flatMap((one) => one.score(items, context, groupSize));
}

function compare(calls: readonly Call[]): void {
  const found = inPython(calls) as (number | null)[][];
  expect(found).toHaveLength(calls.length);
  calls.forEach((call, at) => {
    const expected = inTypeScript(call);
    const about = (row: number): string => `${call.reward} of ${JSON.stringify(call.items[row])}`;
    expect(found[at]).toHaveLength(expected.length);
    expected.forEach((value, row) => {
      const given = found[at]?.[row] ?? null;
      if (value === null) expect(given, about(row)).toBeNull();
      else expect(given, about(row)).toBeCloseTo(value, 12);
    });
  });
}

/** What texts of rewards are made of, in any order. */
const PARTS = [
  ..."<think> </think> <answer> </answer> <think>\n \n</think>\n \n<answer>\n \n</answer>".split(" "),
  " ",
  "\n",
  "\t",
  "\u3000",
  "3",
  " 4 * 2",
  " 7 + 1",
  "(2+6)/1",
  "- 5",
  "1/(1/0)",
  ".5",
  "\\boxed{8}",
  "8",
  " 8 ",
  "Step 1:",
  "First,",
  "\n- ",
  "\n* ",
  "1.",
  "Finally,",
  "so",
  "the answer is",
  "café",
  "cafe\u0301",
  "don’t",
  "りんご",
  "個です",
  "全部で",
  "々",
  "ー",
  "яблоко",
  "这是",
  "答案是，",
  "東京",
  "決定、",
  "ﾃﾞ",
  "。",
  "`x + y`",
  "$n$",
  "n",
  "\\frac",
  "x-y",
  "😀",
  "Ω",
];
const texts = fc.array(fc.constantFrom(...PARTS), { maxLength: 14 }).map((parts) => parts.join(""));

const columnsOf = {
  countdown: fc.record({ numbers: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }), target: fc.nat(20) }),
  addition: fc.record({ solution: fc.constantFrom("8", "3 4", "5") }),
  bilingual: fc.record({ language: fc.constantFrom("en", "ja", "zh"), solution: fc.constantFrom(8, 5, 3) }),
};

function rowsOf(columns: fc.Arbitrary<Readonly<Record<string, unknown>>>, task?: string): fc.Arbitrary<RewardItem[]> {
  const row = fc.record({ completion: texts, ids: fc.array(fc.nat(5), { maxLength: 16 }), columns });
  return fc
    .array(row, { minLength: 1, maxLength: 6 })
    .map((rows) =>
      rows.map((one) =>
        item({ ...one, ...(task ? { verify: (text: string) => parseTask(task).check(one.columns, text) } : {}) }),
      ),
    );
}

describe.skipIf(!hasPython)("rewards.py (skipped where there is no python3)", () => {
  beforeAll(() => {
    const weights = [
      ["accuracy", 1],
      ["format", 0.5],
    ] as const;
    const options = { context: DEFAULT_REWARD_CONTEXT, numGenerations: 8, task: null, opening: "", weights };
    writeFileSync(join(folder, "rewards.py"), pythonRewards(options));
    writeFileSync(join(folder, "driver.py"), DRIVER);
    // Without a segmenter the TypeScript counts Japanese words as Python does: one for each character.
    vi.stubGlobal("Intl", { ...Intl, Segmenter: undefined });
  });
  afterAll(() => {
    vi.unstubAllGlobals();
  });

  it("has every reward and every task's checker", () => {
    expect(Object.keys(PYTHON_REWARDS).toSorted()).toEqual([...REWARDS.keys()].toSorted());
    expect(Object.keys(PYTHON_CHECKS).toSorted()).toEqual([...TASKS.keys()].toSorted());
  });

  it.each(Object.keys(columnsOf) as (keyof typeof columnsOf)[])(
    "gives the TypeScript's numbers for texts of every shape, with %s's checker",
    (task) => {
      expect.hasAssertions();
      const samples = fc.sample(rowsOf(columnsOf[task], task), { numRuns: 150, seed: 11 });
      const calls = [...REWARDS.keys()].flatMap((reward) =>
        samples.map((sample, i): Call => {
          const context = { ...DEFAULT_REWARD_CONTEXT, maxCompletionLength: 12, softPunishCache: 4, cosineMaxLen: 10 };
          return { reward, task, context, groupSize: 1 + (i % 3), items: sample };
        }),
      );
      compare(calls);
    },
  );

  it.each([...TASKS.keys()])("agrees with %s on its demonstrations", (name) => {
    const task = parseTask(name);
    const rows = Array.from({ length: 60 }, (_, i) => {
      const rng = new Rng(5, i);
      const problem = task.sample(rng, "train");
      const completion = `<think>\n${task.trace(rng, problem)}`;
      const verify = (text: string): boolean => task.check(problem.columns, text);
      return item({ completion, ids: [1, 2, i], columns: problem.columns, verify });
    });
    const calls = ["accuracy", "reasoning_accuracy", "format", "language_consistency", "countdown", "length"].map(
      (reward): Call => ({ reward, task: name, context: DEFAULT_REWARD_CONTEXT, groupSize: 8, items: rows }),
    );
    expect(calls.slice(0, 1).flatMap(inTypeScript)).toContain(1);
    compare(calls);
  });

  it("tells languages apart as the TypeScript does", () => {
    expect.hasAssertions();
    const spoken = [
      ...Object.values(SENTENCES).flat(),
      "東京 and 北京",
      "東京大阪",
      "今日は晴れ。東京大阪。這個問題的答案",
      "最终答案是「はい」。",
      "cafe\u0301 и яблоко, x の値",
      "```js\nlet あ = 1;\n``` \\(漢字\\) \\[ $$\nx\n$$ $5 と $6",
    ];
    const calls = ["en", "ja", "zh", "zh-Hant", "JA_jp", "fr"].map((language): Call => {
      const items = spoken.map((completion) => item({ completion, columns: { language } }));
      return { reward: "language_consistency", task: null, context: DEFAULT_REWARD_CONTEXT, groupSize: 1, items };
    });
    compare(calls);
  });

  it("reads gold answers as numbers, fractions and words, and says where it cannot", () => {
    expect.hasAssertions();
    const pairs = [
      ["5", "the answer is $5$"],
      ["0.5", "\\boxed{\\frac{1}{2}}"],
      ["1,234", "so <answer> 1234 </answer>"],
      ["50\\%", "\\boxed{1/2}"],
      ["-\\frac{3}{4}", "\\boxed{-0.75}"],
      ["7", "\\boxed{8}"],
      ["x^2+1", "\\boxed{x^2 + 1}"],
      ["five of them", "\\boxed{5}"],
      ["3", "no number at all"],
      ["4", "<think>maybe \\boxed{4}"],
      ["4", "<think>maybe \\boxed{4}</think>"],
      ["9", "<think>\\boxed{8}</think>\n\\boxed{9}"],
      ["7", "First \\boxed{7}? No, \\boxed{12"],
      ["BACD", "\\boxed{ABCD}"],
      ["Yes", "\\boxed{\\text{yes}}"],
      ["-5", "\\boxed{－5}"],
      ["12", "所以答案是12"],
      ["5", "The answer is not 5."],
      ["5", "It isn't $5$."],
      ["5", "It is anything but 5."],
      ["5", "答案不是5。"],
      ["5", "答えは5ではありません。"],
      ["5", "The answer is not \\boxed{5}."],
      ["8", "It is 8, not 7."],
      ["6", "答えは5ではなく6です。"],
    ];
    const rows = pairs.map(([solution, completion = ""]) => item({ completion, columns: { solution } }));
    const call = { task: null, context: DEFAULT_REWARD_CONTEXT, groupSize: 1, items: rows };
    compare(["accuracy", "cosine"].map((reward) => ({ ...call, reward })));
  });

  it("takes messages and puts what the template had opened before them", () => {
    const script = `
import rewards
rewards.OPENING = "<think>\\n"
messages = [[{"role": "assistant", "content": "a</think><answer>5</answer>"}]]
print(rewards.format(messages), rewards.accuracy(messages, solution=["5"]), rewards.total(messages, solution=["5"]))
`;
    const { stdout, stderr } = spawnSync("python3", ["-c", script], { cwd: folder, encoding: "utf8" });
    expect(stdout.trim(), stderr).toBe("[1.0] [1.0] [1.5]");
  });

  const FILE = "grpo/reward-vectors.json";
  it.skipIf(!hasData(FILE))(`agrees on the vectors of TRL and open-r1 (skipped without ${FILE})`, () => {
    const calls = vectorCalls(JSON.parse(readFileSync(join(DATA, FILE), "utf8")) as Vectors);
    expect(calls.length).toBeGreaterThan(50);
    compare(calls);
    const found = inPython(calls) as (number | null)[][];
    calls.forEach(({ expected, reward, items: rows }, at) => {
      const given = found[at]?.[0] ?? null;
      if (expected === null) expect(given, reward).toBeNull();
      else expect(given, `${reward} of ${JSON.stringify(rows)}`).toBeCloseTo(expected, 3);
    });
  });
});

interface Section {
  readonly cases: readonly unknown[];
  readonly params?: Readonly<Record<string, number>>;
  readonly max_completion_len?: number;
  readonly soft_punish_cache?: number;
}
type Vectors = Readonly<Record<string, Section>>;
type VectorCall = Call & { readonly expected: number | null };

/** The cases of one completion each. */
function vectorCalls(vectors: Vectors): VectorCall[] {
  const call = (reward: string, known: Partial<RewardItem>, expected: number | null, context = {}): VectorCall => ({
    reward,
    task: null,
    context: { ...DEFAULT_REWARD_CONTEXT, ...context },
    groupSize: 1,
    items: [item(known)],
    expected,
  });
  const cases = <T>(name: string): readonly T[] => (vectors[name]?.cases ?? []) as readonly T[];
  const plain = ["think_format", "tag_count", "reasoning_steps"].flatMap((reward) =>
    cases<[string, number]>(`${reward}_reward`).map(([completion, expected]) => call(reward, { completion }, expected)),
  );
  const graded = ["accuracy", "reasoning_accuracy"].flatMap((reward) =>
    cases<[string, string, number | null]>(`${reward}_reward`).map(([completion, solution, expected]) =>
      call(reward, { completion, columns: { solution } }, expected),
    ),
  );
  const overlong = vectors["soft_overlong_punishment"];
  const lengths = cases<[number, number]>("soft_overlong_punishment").map(([length, expected]) =>
    call("soft_overlong", { ids: Array.from({ length }, () => 1) }, expected, {
      maxCompletionLength: overlong?.max_completion_len,
      softPunishCache: overlong?.soft_punish_cache,
    }),
  );
  interface Repetition {
    readonly ids?: readonly number[];
    readonly text?: string;
    readonly ngram: number;
    readonly max_penalty: number;
    readonly expected: number;
  }
  const repetitions = ["tokens", "words"].flatMap((unit) =>
    cases<Repetition>(`repetition_penalty_${unit}`).map(({ ids = [], text = "", ngram, max_penalty, expected }) =>
      call(unit === "tokens" ? "repetition" : "repetition_words", { ids, completion: text }, expected, {
        repetitionNGrams: ngram,
        repetitionMaxPenalty: max_penalty,
      }),
    ),
  );
  interface Cosine {
    readonly correct: boolean;
    readonly len: number;
    readonly expected: number;
    readonly params?: Readonly<Record<string, number>>;
  }
  const cosines = cases<Cosine>("cosine_scaled_reward").map(({ correct, len, expected, params }) => {
    const { max_len, ...ends } = params ?? vectors["cosine_scaled_reward"]?.params ?? {};
    const known = {
      completion: "5",
      ids: Array.from({ length: len }, () => 1),
      columns: { solution: correct ? 5 : 6 },
    };
    const names: Readonly<Record<string, string>> = {
      min_value_wrong: "cosineMinValueWrong",
      max_value_wrong: "cosineMaxValueWrong",
      min_value_correct: "cosineMinValueCorrect",
      max_value_correct: "cosineMaxValueCorrect",
    };
    const context = Object.fromEntries(Object.entries(ends).map(([name, value]) => [names[name] ?? name, value]));
    return call("cosine", known, expected, { ...context, cosineMaxLen: max_len });
  });
  return [...plain, ...graded, ...lengths, ...repetitions, ...cosines];
}
