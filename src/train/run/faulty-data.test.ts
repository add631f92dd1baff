import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DATA, hasData } from "../../testing-data.ts";
import { parseGrpoConfig } from "../config/grpo-config.ts";
import { parseSftConfig } from "../config/sft-config.ts";
import type { TrainEvent, TrainStepEvent, TrainWarningEvent } from "../events.ts";
import { finiteMetrics, SkippedUpdates } from "./non-finite.ts";
import { trainGrpo } from "./grpo.ts";
import { trainSft } from "./sft.ts";
import { collectEvents, memoryEnvironment, TINY_GRPO, tinyModel, TINY_INIT, weightBytes } from "./testing.ts";

const jsonl = (...rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
const LONG = "make 30 from 6 4 6 ".repeat(12);
const repeated = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const GOOD = { prompt: "make 9 from 4 5", completion: "<think>\n 4 + 5 = 9 ;</think><answer> 4 + 5</answer>" };

const SFT = {
  init: TINY_INIT,
  dataset: "d.jsonl",
  max_steps: 1,
  per_device_train_batch_size: 2,
  max_length: 96,
  max_tokens_per_pack: 192,
  learning_rate: 2e-2,
  eval_every: 0,
  save_every: 0,
};
const GRPO = {
  ...TINY_GRPO,
  task: null,
  dataset: "d.jsonl",
  max_steps: 1,
  per_step_prompts: 2,
  num_generations: 2,
  max_completion_length: 8,
  reward_funcs: ["format"],
};

async function sft(data: string, changes: object = {}, control = {}) {
  const environment = await memoryEnvironment({}, { "d.jsonl": data });
  const events = await collectEvents(trainSft(environment, parseSftConfig({ ...SFT, ...changes }), control));
  return { environment, events };
}

async function grpo(data: string, changes: object = {}): Promise<TrainEvent[]> {
  const environment = await memoryEnvironment({ tiny: tinyModel() }, { "d.jsonl": data });
  return collectEvents(trainGrpo(environment, parseGrpoConfig({ ...GRPO, ...changes })));
}

const warningsOf = (events: readonly TrainEvent[]): TrainWarningEvent[] =>
  events.filter((event) => event.type === "warning");
const stepsOf = (events: readonly TrainEvent[]): TrainStepEvent[] => events.filter((event) => event.type === "step");
const saying = (...words: string[]): string => expect.stringMatching(new RegExp(words.join(".*"))) as string;

describe("rows of which nothing would be learnt", () => {
  it("are refused where there are no others, and nothing stays allocated", async () => {
    const environment = await memoryEnvironment({}, { "d.jsonl": jsonl(...repeated(8, { ...GOOD, prompt: LONG })) });
    const before = environment.context.arena.liveBuffers;
    const run = collectEvents(trainSft(environment, parseSftConfig({ ...SFT, max_length: 16 })));
    await expect(run).rejects.toMatchObject({
      code: "E_DATASET",
      message: saying("d.jsonl: none of its 8 rows", "the prompt alone fills max_length 16", "lines 1, 2"),
    });
    expect(environment.context.arena.liveBuffers).toBe(before);
  });

  it("are left out, counted and told; the others train as if they were alone", async () => {
    const rows = [
      { ...GOOD, prompt: LONG },
      { ...GOOD, completion: "" },
      GOOD,
      { ...GOOD, completion: " \n" },
      { ...GOOD, completion: "<think>\n<｜end▁of▁sentence｜>" },
    ];
    const changes = { max_length: 64, max_steps: 3 };
    const { events, environment } = await sft(jsonl(...rows), changes);
    expect(events[0]).toEqual({
      type: "warning",
      step: 0,
      code: "ROWS_DROPPED",
      message: saying("4 of 5 rows", "max_length 64 in 1 \\(line 1\\)", "empty in 3 \\(lines 2, 4, 5\\)"),
    });
    for (const { metrics } of stepsOf(events)) expect(metrics["loss"]).toBeGreaterThan(0);
    const alone = await sft(jsonl(GOOD), changes);
    expect(warningsOf(alone.events)).toEqual([]);
    expect(weightBytes(environment.checkpoint)).toEqual(weightBytes(alone.environment.checkpoint));
  });

  it("are told by the line of the file, and a resumed run does not tell them again", async () => {
    const data = `\uFEFF\r\n${jsonl({ ...GOOD, completion: "" }, GOOD).replaceAll("\n", "\r\n")}`;
    const { environment, events } = await sft(data);
    expect(events[0]).toMatchObject({ code: "ROWS_DROPPED", message: saying("\\(line 2\\)") });
    const config = parseSftConfig({ ...SFT, max_steps: 2 });
    const rest = await collectEvents(trainSft(environment, config, { resume: true }));
    expect(rest.map(({ type }) => type)).toEqual(["step", "saved", "done"]);
  });

  it("rows that are cut are told, and so are thoughts that stay open", async () => {
    const cut = { ...GOOD, completion: `${GOOD.completion}${" ok".repeat(90)}` };
    const { events } = await sft(jsonl(GOOD, cut, { ...GOOD, completion: "4 + 5" }));
    expect(warningsOf(events)).toMatchObject([
      { code: "ROWS_TRUNCATED", message: saying("1 of 3 rows", "max_length 96", "line 2") },
      { code: "THOUGHT_NOT_CLOSED", message: saying("1 of 3 completions", "line 3") },
    ]);
  });

  it("a row longer than the model is cut, instead of ending the run at its step", async () => {
    const long = { ...GOOD, completion: `${GOOD.completion}${" ok".repeat(120)}` };
    const { events } = await sft(jsonl(long), { max_length: 160 });
    expect(warningsOf(events)).toMatchObject([{ code: "ROWS_TRUNCATED", message: saying("the model's 96 positions") }]);
    expect(stepsOf(events)[0]?.metrics["loss"]).toBeGreaterThan(0);
  });

  it("all tokens of a row are scored where the prompt is learnt too", async () => {
    const { events } = await sft(jsonl({ ...GOOD, prompt: LONG }), { max_length: 16, completion_only_loss: false });
    expect(warningsOf(events)).toMatchObject([{ code: "ROWS_TRUNCATED" }]);
    expect(stepsOf(events)[0]?.metrics["loss"]).toBeGreaterThan(0);
  });

  it.each<[string, object, string, string]>([
    ["SFT on a task", { max_length: 8 }, "max_length: the prompts of task countdown", "max_length 8"],
    [
      "an evaluation",
      { max_length: 16, eval_every: 1 },
      "max_length: a prompt",
      "evaluation with half of max_length 16",
    ],
  ])("%s is refused where the prompts fill max_length", async (_, changes, ...words) => {
    const task = { task: "countdown", dataset: null, num_examples: 8, ...changes };
    await expect(sft("", task)).rejects.toMatchObject({ code: "E_OPTION", message: saying(...words) });
  });
});

describe("numbers that are not finite", () => {
  it("are no silent metrics, and end a run that cannot recover", async () => {
    // Weight decay that overflows: w ← w − 100 w.
    const bad = { learning_rate: 10, weight_decay: 10, max_steps: 200, lr_scheduler_type: "constant", save_every: 5 };
    const environment = await memoryEnvironment({}, { "d.jsonl": jsonl(GOOD) });
    const events: TrainEvent[] = [];
    const run = (async () => {
      for await (const event of trainSft(environment, parseSftConfig({ ...SFT, ...bad }))) events.push(event);
    })();
    await expect(run).rejects.toMatchObject({
      code: "E_NON_FINITE",
      message: saying("10 steps in a row", "checkpoint"),
    });
    const codes = new Set(warningsOf(events).map(({ code }) => code));
    expect(codes).toEqual(new Set(["NON_FINITE", "METRIC_NON_FINITE"]));
    for (const { metrics } of stepsOf(events))
      for (const value of Object.values(metrics)) expect(Number.isFinite(value)).toBe(true);
    const last = events.findLast((event) => event.type === "warning" && event.code === "METRIC_NON_FINITE");
    expect(last).toMatchObject({ message: saying("grad_norm is NaN") });
    expect(environment.checkpoint).toBeDefined();
  });

  it("are counted in a row", () => {
    const updates = new SkippedUpdates();
    for (let i = 0; i < 30; i++) {
      updates.count(i % 10 !== 9);
      updates.check(i);
    }
    for (let i = 0; i < 9; i++) updates.count(true);
    updates.check(9);
    updates.count(true);
    expect(() => updates.check(10)).toThrow(expect.objectContaining({ code: "E_NON_FINITE" }));
  });

  it("are named", () => {
    expect(finiteMetrics({ a: 1, b: Number.NaN, c: -Infinity })).toEqual({
      metrics: { a: 1 },
      warnings: [{ code: "METRIC_NON_FINITE", message: saying("b is NaN, c is -Infinity") }],
    });
    expect(finiteMetrics({ a: 1 })).toEqual({ metrics: { a: 1 }, warnings: [] });
  });
});

describe("prompts that are too long", () => {
  const rows = [LONG, "make 30 from 6 4 6", "make 31 from 6 4 6", "make 32 from 6 4 6"].map((prompt) => ({ prompt }));

  it("are found before the first step, left out and told", async () => {
    const events = await grpo(jsonl(...rows), { max_prompt_length: 64 });
    expect(events[0]).toMatchObject({
      type: "warning",
      step: 0,
      code: "ROWS_DROPPED",
      message: saying("1 of 4 rows", "more than 64 tokens \\(max_prompt_length 64\\): line 1", "left out"),
    });
    const prompts = stepsOf(events).flatMap(({ completions }) => completions.map(({ prompt }) => prompt));
    expect(prompts).not.toContain(LONG);
    expect(stepsOf(events)[0]?.metrics["epoch"]).toBeCloseTo(2 / 3, 12);
  });

  it.each<[object, readonly object[], string, string]>([
    [
      { max_prompt_length: 64, overlong_prompts: "refuse" },
      rows,
      "1 of 4 rows",
      "line 1; the longest has \\d+, line 1",
    ],
    [{ max_prompt_length: 4 }, rows, "no row to train on is left", "4 of 4 rows"],
    // 96 positions.
    [
      { max_completion_length: 88, overlong_prompts: "refuse" },
      rows,
      "96 positions less max_completion_length 88",
      "line 1",
    ],
    [{ max_tokens_per_pack: 48, overlong_prompts: "refuse" }, rows, "max_tokens_per_pack 48 less", "line 1"],
  ])("%j is refused, naming the rows", async (changes, data, ...words) => {
    await expect(grpo(jsonl(...data), changes)).rejects.toMatchObject({ code: "E_DATASET", message: saying(...words) });
  });

  it("are found among the held-out rows and in conversations", async () => {
    const conversation = [
      { role: "system", content: LONG },
      { role: "user", content: "make 9 from 4 5" },
    ];
    const data = jsonl({ prompt: conversation }, ...repeated(7, { prompt: "make 31 from 6 4 6" }), { prompt: LONG });
    const events = await grpo(data, { max_prompt_length: 64, eval_every: 1, eval_prompts: 4 });
    expect(events[0]).toMatchObject({ code: "ROWS_DROPPED", message: saying("2 of 9 rows", "lines 1, 9") });
    // The last row alone is held out.
    expect(events.some(({ type }) => type === "eval")).toBe(false);
  });

  it("of a task are refused by the field", async () => {
    await expect(grpo("", { task: "bilingual", dataset: null, max_prompt_length: 4 })).rejects.toMatchObject({
      code: "E_OPTION",
      message: saying("max_prompt_length: a prompt of task bilingual has \\d+ tokens"),
    });
  });
});

describe("a conversation", () => {
  it("is the prompt whole, for the model and for the reader", async () => {
    const system = { role: "system", content: "Answer in one line." };
    const earlier = [
      { role: "user", content: "make 12 from 2 6" },
      { role: "assistant", content: "<answer>2 * 6</answer>" },
    ];
    const last = { role: "user", content: "make 30 from 6 4 6" };
    const tokens = async (prompt: unknown) => {
      const [step] = stepsOf(await grpo(jsonl({ prompt, solution: "30" }, { prompt, solution: "30" })));
      const written = step?.completions.reduce((sum, { length }) => sum + length, 0) ?? 0;
      return { step, prompts: (step?.metrics["num_tokens"] ?? 0) - written };
    };
    const whole = await tokens([system, ...earlier, last]);
    const short = await tokens([last]);
    expect(short.prompts).toBe((await tokens(last.content)).prompts);
    expect(whole.prompts).toBeGreaterThan(short.prompts + 4 * 30);
    expect(whole.step?.completions[0]).toMatchObject({
      prompt: saying("system: Answer in one line.[^]*assistant: <answer>2 \\* 6</answer>[^]*user: make 30"),
      completion: saying("^<think>"),
    });
  });
});

describe("rewards that do not apply", () => {
  const unreadable = (count: number) => repeated(count, { prompt: "make 30 from 6 4 6", solution: "forty two" });

  it("to any completion are told at once and at each step, and no metric hides it", async () => {
    const events = await grpo(jsonl(...unreadable(4)), { reward_funcs: ["accuracy"] });
    expect(warningsOf(events)).toMatchObject([
      { step: 0, code: "NO_REWARD", message: saying("4 of 4 rows", "lines 1, 2, 3, 4", "forty two") },
      { step: 1, code: "NO_REWARD", message: saying("4 of 4 completions", "lines") },
    ]);
    const metrics = stepsOf(events)[0]?.metrics;
    expect(metrics).toMatchObject({ frac_no_reward: 1 });
    expect(metrics).not.toHaveProperty("frac_reward_zero_std");
    expect(metrics).not.toHaveProperty("reward");
  });

  it("to some rows are told with these", async () => {
    const data = jsonl(
      ...unreadable(2),
      { prompt: "make 30 from 6 4 6" },
      { prompt: "make 9 from 4 5", solution: "9" },
    );
    const events = await grpo(data, { reward_funcs: ["accuracy"], per_step_prompts: 4 });
    expect(warningsOf(events)).toMatchObject([
      { step: 0, code: "NO_REWARD", message: saying("3 of 4 rows", "lines 1, 2, 3") },
      { step: 1, code: "NO_REWARD", message: saying("6 of 8 completions") },
      { step: 1, code: "DEAD_GROUPS" },
    ]);
    expect(stepsOf(events)[0]?.metrics).toMatchObject({ frac_no_reward: 0.75, frac_reward_zero_std: 1 });
  });

  it("beside others that do are told by name", async () => {
    const events = await grpo(jsonl(...unreadable(4)), {
      reward_funcs: ["format", "countdown", "language_consistency"],
    });
    expect(warningsOf(events).filter(({ code }) => code === "REWARD_NOT_APPLICABLE")).toMatchObject([
      { step: 0, message: saying("countdown does not apply to 4 of 4 rows") },
      { step: 0, message: saying("language_consistency does not apply to 4 of 4 rows") },
      { step: 1, message: saying("countdown applies to none of the 4 completions") },
      { step: 1, message: saying("language_consistency applies to none") },
    ]);
  });

  it("to the held-out rows are told, which an evaluation would count as wrong", async () => {
    const data = jsonl(...repeated(9, { prompt: "make 30 from 6 4 6", solution: "forty two" }));
    const [first] = await grpo(data, { eval_every: 1, eval_prompts: 4 });
    expect(first).toMatchObject({
      step: 0,
      code: "REWARD_NOT_APPLICABLE",
      message: saying("an evaluation's accuracy does not apply to 1 of 1 rows \\(line 9"),
    });
  });

  it("to a task are told before its first step", async () => {
    const events = await grpo("", { task: "bilingual", dataset: null, reward_funcs: ["countdown"] });
    expect(events[0]).toMatchObject({ step: 0, code: "NO_REWARD", message: saying("task bilingual", "its problems") });
  });

  it("a step whose completions are all masked says so", async () => {
    const changes = { mask_truncated_completions: true, max_completion_length: 1 };
    const events = await grpo(jsonl({ prompt: "make 30 from 6 4 6" }, { prompt: "make 9 from 4 5" }), changes);
    expect(warningsOf(events)).toMatchObject([
      { step: 1, code: "NOTHING_SCORED", message: saying("all 4 completions", "max_completion_length 1") },
      { step: 1, code: "DEAD_GROUPS" },
    ]);
    for (const value of Object.values(stepsOf(events)[0]?.metrics ?? {})) expect(Number.isFinite(value)).toBe(true);
  });
});

const REPORTS = "reports/train/masked.jsonl";

describe.skipIf(!hasData(REPORTS))(`the files of public reports (skipped without ${REPORTS})`, () => {
  const read = (name: string): string => readFileSync(join(DATA, "reports/train", `${name}.jsonl`), "utf8");

  it("masked.jsonl is refused", async () => {
    await expect(sft(read("masked"), { max_length: 16 })).rejects.toMatchObject({ code: "E_DATASET" });
  });

  it("conv.jsonl is asked whole", async () => {
    const [step] = stepsOf(await grpo(read("conv")));
    expect(step?.completions[0]?.prompt).toContain("system: Answer in one line.");
  });

  it("unreadable.jsonl warns before the first step", async () => {
    const [first] = await grpo(read("unreadable"), { reward_funcs: ["accuracy", "format"] });
    expect(first).toMatchObject({ step: 0, code: "REWARD_NOT_APPLICABLE", message: saying("accuracy", "4 of 4 rows") });
  });

  it("long.jsonl trains without its long row", async () => {
    const [first, ...rest] = await grpo(read("long"), { max_prompt_length: 64 });
    expect(first).toMatchObject({ step: 0, code: "ROWS_DROPPED", message: saying("line 1") });
    expect(rest.at(-1)).toMatchObject({ type: "done", step: 1 });
  });

  it("bom.jsonl is read", async () => {
    expect(stepsOf(await grpo(read("bom")))).toHaveLength(1);
  });
});
