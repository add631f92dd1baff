import { describe, expect, test } from "vitest";
import { isR1Error, type ErrorCode } from "../../errors.ts";
import { parseGrpoConfig } from "../config/grpo-config.ts";
import { parseSftConfig } from "../config/sft-config.ts";
import type { CompletionRecord, TrainEvent } from "../events.ts";
import { parseRunRecord, type RunFiles } from "./read.ts";
import { replay, type ReplayOptions } from "./replay.ts";
import type { RunHeader, RunRecord } from "./run-record.ts";
import { lastStepOf, trimLog } from "./trim.ts";
import { writeEvent, writeRunHeader, type RunSink } from "./write.ts";

const header: RunHeader = {
  kind: "grpo",
  version: "0.1.0",
  started: "2026-11-24T12:00:00.000Z",
  seed: 7,
  max_steps: 3,
  device: { description: "llvmpipe", software: true, limit: 8 },
  config: parseGrpoConfig({ model: "m", task: "countdown", max_steps: 3, lora: { r: 4 } }),
};

function completion(step: number, change: Partial<CompletionRecord> = {}): CompletionRecord {
  return {
    step,
    group: 0,
    prompt: "3 5 → 8\n",
    completion: "</think><answer>3 + 5</answer>\u2028",
    rewards: { accuracy: 1, format: null },
    reward: 1,
    advantage: 0.5,
    length: 2,
    finish_reason: "eos",
    ...change,
  };
}

const token = {
  id: 4,
  text: " 7",
  logp: -0.5,
  old_logp: -0.25,
  ref_logp: -1,
  ratio: 1.5,
  entropy: 0.75,
  sampling_logp: -0.5,
};
const EVENTS: readonly TrainEvent[] = [
  { type: "warning", step: 1, code: "DEAD_GROUPS", message: "12 of 12 groups have equal rewards" },
  {
    type: "step",
    step: 1,
    metrics: { loss: 0.25, reward: 0.5 },
    completions: [completion(1), completion(1, { tokens: [token], kl: 0.125, clip_fraction: 0.5 })],
  },
  { type: "step", step: 2, metrics: { loss: 0.125 }, completions: [] },
  { type: "eval", step: 2, metrics: { eval_reward: 0.5 } },
  { type: "step", step: 3, metrics: { loss: 0 }, completions: [completion(3, { reward: null })] },
  { type: "warning", step: 3, code: "REWARD_FAILED", message: "accuracy: no" },
  { type: "done", step: 3, reason: "finished" },
];

async function written(events: readonly TrainEvent[] = EVENTS, run: RunHeader = header): Promise<RunFiles> {
  const files = new Map<string, string>();
  const sink: RunSink = {
    append: (file, line) => void files.set(file, `${files.get(file) ?? ""}${line}\n`),
    write: (file, text) => void files.set(file, text),
  };
  await writeRunHeader(sink, run);
  for (const event of events) await writeEvent(sink, event);
  return { "run.json": "", ...Object.fromEntries(files) };
}

async function replayed(record: RunRecord, options?: ReplayOptions): Promise<readonly TrainEvent[]> {
  const events: TrainEvent[] = [];
  for await (const event of replay(record, options)) events.push(event);
  return events;
}

function checkRefused(files: RunFiles, code: ErrorCode, message: string | RegExp) {
  try {
    parseRunRecord(files);
  } catch (error) {
    if (!isR1Error(error)) throw error;
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    return;
  }
  expect.fail("the record was accepted");
}

test("what is written reads back", async () => {
  const record = parseRunRecord(await written());
  expect(record.run).toEqual(header);
  expect(record.metrics[0]).toEqual({ step: 1, metrics: { loss: 0.25, reward: 0.5 } });
  expect(record.completions).toHaveLength(3);
  expect(record.truncated).toEqual([]);
  const config = parseSftConfig({ model: "m", task: "countdown" });
  expect(parseRunRecord(await written([], { ...header, kind: "sft", config })).run.config).toEqual(config);
});

test("a run of as many steps as its epochs make says so", async () => {
  const config = parseSftConfig({ model: "m", task: "countdown", num_train_epochs: 2 });
  const record = parseRunRecord(await written([], { ...header, kind: "sft", max_steps: 0, config }));
  expect(record.run).toMatchObject({ max_steps: 0, config: { max_steps: null, num_train_epochs: 2 } });
});

describe("replay", () => {
  test("gives the events of the run", async () => {
    const order = (events: readonly TrainEvent[]) =>
      events.toSorted((a, b) => a.step - b.step || a.type.localeCompare(b.type));
    const found = await replayed(parseRunRecord(await written()));
    expect(order(found)).toEqual(order(EVENTS));
    expect(found.map(({ type }) => type)).toEqual(["warning", "step", "step", "eval", "warning", "step", "done"]);
  });

  test("keeps a pace, and stops on request", async () => {
    const record = parseRunRecord(await written());
    const paced: number[] = [];
    const stop = new AbortController();
    const pace = async (step: number) => {
      paced.push(step);
      if (step === 2) stop.abort();
    };
    await expect(replayed(record, { pace, signal: stop.signal })).rejects.toMatchObject({ code: "E_ABORTED" });
    expect(paced).toEqual([1, 2]);
  });

  test("a run that was cut off is told as stopped, without the step that was not done", async () => {
    const files = await written(EVENTS.slice(0, 4));
    const record = parseRunRecord({
      ...files,
      "completions.jsonl": `${files["completions.jsonl"] ?? ""}${JSON.stringify(completion(3))}\n{"step": 3, "pro`,
    });
    expect(record.truncated).toEqual(["completions.jsonl"]);
    const found = await replayed(record);
    expect(found.at(-1)).toEqual({ type: "done", step: 2, reason: "stopped" });
    expect(found.filter(({ step }) => step === 3)).toEqual([]);
  });

  test("a run without a step", async () => {
    expect(await replayed(parseRunRecord(await written([])))).toEqual([{ type: "done", step: 0, reason: "stopped" }]);
  });
});

test("values that were not finite are left out, or not a number again", async () => {
  const tokens = [{ ...token, logp: -Infinity, ref_logp: NaN }];
  const event = { type: "step", step: 1, metrics: { loss: NaN, reward: 1 }, completions: [completion(1, { tokens })] };
  const record = parseRunRecord(await written([event as TrainEvent]));
  expect(record.metrics[0]?.metrics).toEqual({ reward: 1 });
  expect(record.completions[0]?.tokens?.[0]).toMatchObject({ logp: NaN, ref_logp: NaN, ratio: 1.5 });
});

describe("a record from outside", () => {
  test("a last line without a line break counts when it is whole", async () => {
    const files = await written();
    const record = parseRunRecord({ ...files, "metrics.jsonl": '{"step": 1, "loss": 2}' });
    expect(record.metrics).toEqual([{ step: 1, metrics: { loss: 2 } }]);
    expect(record.truncated).toEqual([]);
  });

  test("is refused by file, line and field", async () => {
    const files = await written();
    const metrics = (lines: string) => ({ ...files, "metrics.jsonl": lines });
    const completions = (change: object) => ({
      ...files,
      "completions.jsonl": `${JSON.stringify({ ...completion(1), ...change })}\n`,
    });
    checkRefused(metrics('{"step": 1}\n{"step": \n'), "E_JSON", /^metrics.jsonl: line 2: expected JSON/);
    checkRefused(metrics('{"step": 1}\n\n{"step": 2}\n'), "E_JSON", /^metrics.jsonl: line 2: expected JSON/);
    checkRefused(metrics('{"loss": 1}\n'), "E_FORMAT", "metrics.jsonl: line 1: step: found nothing; expected a value");
    checkRefused(metrics('{"step": 1, "loss": "x"}\n'), "E_FORMAT", 'line 1: loss: found "x"; expected a number');
    checkRefused(metrics('{"step": -1}\n'), "E_FORMAT", "line 1: step: found -1; expected a whole number");
    checkRefused(metrics('{"step": 2}\n{"step": 1}\n'), "E_FORMAT", "line 2: step: found 1; expected at least 2");
    checkRefused(metrics("[1]\n"), "E_FORMAT", "metrics.jsonl: line 1: found an array of 1");
    checkRefused(metrics(`{"step": 1, "a": ${"[".repeat(100)}${"]".repeat(100)}}\n`), "E_JSON", /nested/);
    checkRefused(
      completions({ finish_reason: "bored" }),
      "E_FORMAT",
      'finish_reason: found "bored"; expected one of eos',
    );
    checkRefused(completions({ prompt: "x".repeat(2 ** 20 + 1) }), "E_FORMAT", "prompt: found");
    checkRefused(completions({ rewards: { a: "1" } }), "E_FORMAT", 'line 1: rewards.a: found "1"; expected a number');
    checkRefused(completions({ tokens: [{ ...token, id: 0.5 }] }), "E_FORMAT", "tokens.0.id: found 0.5");
    const names = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`m${i}`, i]));
    checkRefused(metrics(`${JSON.stringify({ step: 1, ...names })}\n`), "E_FORMAT", "expected at most 256 names");
    const warnings = `${JSON.stringify({ step: 1, code: "X", message: "" })}\n`;
    checkRefused({ ...files, "warnings.jsonl": warnings }, "E_FORMAT", 'warnings.jsonl: line 1: code: found "X"');
  });

  test("its header too", async () => {
    const head = (change: object): RunFiles => ({ "run.json": JSON.stringify({ ...header, ...change }) });
    checkRefused({ "run.json": "{" }, "E_JSON", /^run.json: expected JSON/);
    checkRefused(head({ kind: "dpo" }), "E_FORMAT", 'run.json: kind: found "dpo"; expected one of grpo, sft');
    checkRefused(head({ started: "today" }), "E_FORMAT", 'run.json: started: found "today"');
    checkRefused(head({ config: { ...header.config, beta: -1 } }), "E_FORMAT", "run.json: config: beta: found -1");
    checkRefused(head({ config: 3 }), "E_FORMAT", "run.json: config: configuration: found 3; expected a JSON object");
    checkRefused(head({ config: undefined }), "E_FORMAT", "run.json: config: found nothing");
  });

  test("may not reach an object's prototype", async () => {
    const files = await written();
    const record = parseRunRecord({
      ...files,
      "metrics.jsonl": '{"step": 1, "__proto__": {"loss": 1}, "reward": 1}\n',
    });
    expect(record.metrics[0]?.metrics).toEqual({ reward: 1 });
    expect(record.metrics[0]?.metrics["loss"]).toBeUndefined();
  });
});

describe("going on from a checkpoint", () => {
  const lines = ['{"step":1}', '{"step":2}', '{"step":2,"eval_reward":1}', '{"step":3}', '{"step":4,"lo'];
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const trimmed = (text: string, last: number, file?: string) => {
    const { bytes, ...rest } = trimLog(encode(text), last, file);
    return { lines: new TextDecoder().decode(bytes).split("\n").slice(0, -1), ...rest };
  };

  test("drops the lines after it, and the one that was cut off", () => {
    const text = lines.join("\n");
    expect(trimmed(text, 2)).toEqual({ lines: lines.slice(0, 3), lastStep: 2, later: 1, isRepaired: true });
    expect(trimmed(text, 9)).toEqual({ lines: lines.slice(0, 4), lastStep: 3, later: 0, isRepaired: true });
    expect(trimmed("", 2)).toEqual({ lines: [], lastStep: undefined, later: 0, isRepaired: false });
    expect(trimmed('{"step":1}\n', 2).lines).toEqual(['{"step":1}']);
    expect(trimmed(text, -1)).toMatchObject({ lines: [], later: 4 });
  });

  test.each([
    ["NUL bytes at the end", '{"step":1}\n{"step":2}\n\0\0\0\0'],
    ["NUL bytes and a line's end", '{"step":1}\n{"step":2}\n\0\0\0\0\n'],
    ["half a line, NUL bytes and a line's end", '{"step":1}\n{"step":2}\n{"step":3,"lo\0\0\0\n'],
    ["NUL bytes before a line that was written later", '{"step":1}\n\0\0\0{"step":2}\n'],
    ["lines of NUL bytes between", '{"step":1}\n\0\0\n\0\n{"step":2}\n'],
    ["half a character", '{"step":1}\n{"step":2}\n{"step":3,"text":"\u{fffd}'],
    [
      "half a line with more that does not count after it",
      '{"step":1}\n{"step":2}\n{"step":3,"lo{"step":3}\n{"step":4}\n',
    ],
  ])("repairs what a machine that went down left: %s", (_, text) => {
    expect(trimmed(text, 2)).toMatchObject({ lines: ['{"step":1}', '{"step":2}'], lastStep: 2, isRepaired: true });
  });

  test("leaves whole lines as they are, byte for byte, and ends the last one", () => {
    const text = '{"step":1,"text":"é日👋"}\r\n\n{"step":2}';
    expect(trimmed(text, 2)).toEqual({
      lines: ['{"step":1,"text":"é日👋"}', '{"step":2}'],
      lastStep: 2,
      later: 0,
      isRepaired: true,
    });
    const whole = encode('{"step":1,"text":"é日👋"}\n{"step":2}\n');
    expect(trimLog(whole, 2)).toEqual({ bytes: whole, lastStep: 2, later: 0, isRepaired: false });
  });

  test("refuses a line that it cannot place", () => {
    expect(() => trimmed('x\n{"step":1}', 2, "metrics.jsonl")).toThrow(/^metrics.jsonl: line 1: expected JSON/);
    expect(() => trimmed('{"loss":1}', 2)).toThrow("line 1: step: found nothing");
    expect(() => trimmed("[1]\n", 2)).toThrow("line 1: step: found");
  });

  test("finds the last step whatever is broken after it", () => {
    expect(lastStepOf(encode(lines.join("\n")))).toBe(3);
    expect(lastStepOf(encode('{"step":7}\n\0\0\n'))).toBe(7);
    expect(lastStepOf(encode('{"step":7}'))).toBe(7);
    expect(lastStepOf(encode("x\n"))).toBeUndefined();
    expect(lastStepOf(encode(""))).toBeUndefined();
  });
});

test("a record whose machine went down is read without what never came", async () => {
  const files = await written();
  const record = parseRunRecord({ ...files, "metrics.jsonl": '{"step":1,"loss":1}\n\0\0\0\n' });
  expect(record.metrics).toEqual([{ step: 1, metrics: { loss: 1 } }]);
  expect(record.truncated).toContain("metrics.jsonl");
  const half = parseRunRecord({ ...files, "metrics.jsonl": '{"step":1,"loss":1}\n{"step":2,"lo\0\0' });
  expect(half.metrics).toHaveLength(1);
  expect(half.truncated).toContain("metrics.jsonl");
});
