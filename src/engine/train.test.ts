import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serve } from "../checkpoint/node/test-server.ts";
import { parseGrpoConfig } from "../train/config/grpo-config.ts";
import { parseSftConfig } from "../train/config/sft-config.ts";
import type { TrainEvent } from "../train/events.ts";
import { trainGrpo } from "../train/run/grpo.ts";
import { trainSft } from "../train/run/sft.ts";
import { collectEvents, memoryEnvironment, timeless, TINY_GRPO, TINY_INIT, tinyModel } from "../train/run/testing.ts";
import type { MemoryEnvironment } from "../train/run/testing.ts";
import type { ModelSource, TrainCall } from "./protocol.ts";
import { answeredWrongly, ask, collect, failure, failureCode, picked, startTestEngine, TINY } from "./testing.ts";
import type { TestEngine } from "./testing.ts";

const GRPO = { ...TINY_GRPO, eval_every: 2, eval_prompts: 2, save_every: 2 };

const SFT = {
  init: TINY_INIT,
  dataset: "sums.jsonl",
  max_steps: 2,
  per_device_train_batch_size: 2,
  max_length: 96,
  max_tokens_per_pack: 192,
  eval_every: 0,
};
const SUMS = `${JSON.stringify({ prompt: "2 + 3", completion: "<answer> 5</answer>" })}\n`.repeat(3);

const model = tinyModel();
const tiny: ModelSource = {
  kind: "files",
  files: Array.from(model, ([name, bytes]) => ({ path: `tiny/${name}`, blob: new Blob([bytes]) })),
};

function grpo(changes: object = {}, call: Partial<TrainCall> = {}): TrainCall {
  return { kind: "grpo", config: { ...GRPO, ...changes }, models: { tiny }, ...call };
}

/** The loop's own surroundings, on the engine's device. */
async function bare({ client, devices }: TestEngine): Promise<MemoryEnvironment> {
  await client.open();
  const environment = await memoryEnvironment({ tiny: model }, { "sums.jsonl": SUMS });
  // Its store writes to the environment it was made with.
  return Object.assign(environment, { context: devices.at(-1) ?? expect.fail() });
}

/** Times are the only thing about an event that may differ. */
async function looped(environment: MemoryEnvironment, changes: object = {}): Promise<readonly TrainEvent[]> {
  return timeless(await collectEvents(trainGrpo(environment, parseGrpoConfig({ ...GRPO, ...changes }))));
}

/** Shared by the runs that leave it whole. */
const engine = startTestEngine();

const stepsOf = (events: readonly TrainEvent[]): readonly TrainEvent[] =>
  timeless(events.filter(({ type }) => type === "step"));
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

describe("training through the protocol", () => {
  it("GRPO: tells what the loop tells, and returns the last checkpoint", async () => {
    const environment = await bare(engine);
    const expected = await looped(environment);
    const run = engine.client.train(grpo());
    expect(run.checkpoint).toBeUndefined();
    const events = await collectEvents(run);
    expect(timeless(events)).toEqual(expected);
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(["eval", "step", "saved", "done"]));
    const { checkpoint, ...end } = await run.result;
    expect(end).toEqual({ step: 4, reason: "finished" });
    expect(checkpoint).toEqual(Object.fromEntries(environment.checkpoint ?? []));
    expect(run.checkpoint).toBe(checkpoint);
    const learnt = events.some((event) => event.type === "step" && (event.metrics["grad_norm"] ?? 0) > 0);
    expect(learnt, "nothing was learnt from, so nothing was tested").toBe(true);
    expect(engine.liveBuffers).toBe(0);
  });

  it("SFT: trains a fresh model on a dataset that came with the call", async () => {
    const environment = await bare(engine);
    const expected = await collectEvents(trainSft(environment, parseSftConfig(SFT)));
    const run = engine.client.train({ kind: "sft", config: SFT, models: {}, datasets: { "sums.jsonl": SUMS } });
    expect(timeless(await collectEvents(run))).toEqual(timeless(expected));
    expect(engine.liveBuffers).toBe(0);
  });

  it("tells what is wrong with its data before the first step, and refuses data of which nothing is left", async () => {
    const empty = `${JSON.stringify({ prompt: "2 + 3", completion: "" })}\r\n`;
    const call = (data: string): TrainCall => ({
      kind: "sft",
      config: SFT,
      models: {},
      datasets: { "sums.jsonl": `\uFEFF${data}` },
    });
    const [first] = await collectEvents(engine.client.train(call(empty + SUMS)));
    const message = expect.stringContaining("1 of 4 rows") as string;
    expect(first).toEqual({ type: "warning", step: 0, code: "ROWS_DROPPED", message });
    expect(await failureCode(collectEvents(engine.client.train(call(empty))))).toBe("E_DATASET");
    const rows = `${JSON.stringify({ prompt: "2 + 3", solution: "forty two" })}\n`.repeat(2);
    const changes = { task: null, dataset: "rows.jsonl", reward_funcs: ["accuracy"], max_steps: 1, eval_every: 0 };
    const run = engine.client.train(grpo(changes, { datasets: { "rows.jsonl": rows } }));
    const codes = (await collectEvents(run)).flatMap((event) => (event.type === "warning" ? [event.code] : []));
    expect(codes).toEqual(["NO_REWARD", "NO_REWARD"]);
    expect(engine.liveBuffers).toBe(0);
  });

  it("posts each step by itself, with the warnings before it", async () => {
    const before = engine.sent.length;
    // Nothing is right: every step warns that it has nothing to learn from.
    await collectEvents(engine.client.train(grpo({ reward_funcs: ["accuracy"], eval_every: 0 })));
    const posted = engine.sent
      .slice(before)
      .flatMap((message) =>
        message.type === "progress" && message.method === "train" ? [message.progress.map(({ type }) => type)] : [],
      );
    const step = ["warning", "step"];
    const saved = ["checkpoint", "saved"];
    expect(posted).toEqual([step, step, saved, step, step, saved, ["done"]]);
  });

  it("pauses, takes single steps, and goes on, with the same events in the end", async () => {
    const changes = { eval_every: 3, save_every: 3, max_steps: 6 };
    const expected = await looped(await bare(engine), changes);
    const run = engine.client.train(grpo(changes, { pace: "pause" }));
    const events: TrainEvent[] = [];
    const reading = (async () => {
      for await (const event of run) {
        events.push(event);
        if (event.type === "step" && event.step === 4) run.pause();
      }
    })();
    const steps = (): number => stepsOf(events).length;
    await pause(100);
    expect(events).toEqual([]);
    run.step();
    await expect.poll(steps, { timeout: 30_000 }).toBe(1);
    await pause(300);
    expect(steps()).toBe(1);
    run.step();
    run.step();
    await expect.poll(steps, { timeout: 30_000 }).toBe(3);
    await pause(300);
    // What follows a step (here an evaluation and a checkpoint) follows when the run goes on.
    expect(events.at(-1)).toMatchObject({ type: "step", step: 3 });
    run.resume();
    // The pause is asked for while the fifth step is in progress.
    await expect.poll(steps, { timeout: 30_000 }).toBe(5);
    await pause(300);
    expect(steps()).toBe(5);
    run.resume();
    await reading;
    expect(timeless(events)).toEqual(expected);
  });

  it("a stopped run goes on from its checkpoint, bit for bit", async () => {
    const environment = await bare(engine);
    const expected = await looped(environment, { save_every: 0 });
    const first = engine.client.train(grpo({ save_every: 0 }, { pace: "pause" }));
    const begun: TrainEvent[] = [];
    first.step();
    for await (const event of first) {
      begun.push(event);
      if (event.type === "step") first.stop();
    }
    const { checkpoint, ...end } = await first.result;
    expect(end).toEqual({ step: 1, reason: "stopped" });
    expect(begun.slice(-2)).toEqual([
      { type: "saved", step: 1, path: "memory" },
      { type: "done", step: 1, reason: "stopped" },
    ]);
    const second = engine.client.train(grpo({ save_every: 0 }, { checkpoint }));
    const rest = await collectEvents(second);
    expect(stepsOf([...begun, ...rest])).toEqual(stepsOf(expected));
    expect((await second.result).checkpoint).toEqual(Object.fromEntries(environment.checkpoint ?? []));
  });

  it("LoRA over q4: is planned, trained, answers beside its base, and is merged into files where the base is float", async () => {
    const changes = { lora: { r: 4 }, weights: "q4", max_steps: 1, learning_rate: 0.1, eval_every: 0 };
    const { client } = engine;
    const plan = await client.planTraining({ config: { ...GRPO, ...changes }, models: { tiny } });
    expect(plan).toMatchObject({ format: "q4", isQuantized: false, verdict: { fits: true } });
    expect(plan.secondsPerStep).toBeGreaterThan(0);
    await expect(client.planTraining({ config: GRPO, models: {} })).rejects.toMatchObject({ code: "E_OPTION" });
    const { checkpoint } = await client.train(grpo(changes)).result;
    expect(Object.keys(checkpoint)).not.toContain("model.safetensors");
    const adapted: ModelSource = { kind: "adapted", name: "mine", base: tiny, adapter: checkpoint };
    const call = ask("2 + 3?", { temperature: 0 });
    const said = async (source: ModelSource) => {
      const loaded = await client.load({ source, format: "q4" });
      const last = (await collect(client.generate(call))).find(({ type }) => type === "finished");
      return { name: loaded.name, ids: last?.type === "finished" ? last.completion.ids : [] };
    };
    const [plain, mine] = [await said(tiny), await said(adapted)];
    expect(mine.name).toBe("mine");
    expect(mine.ids).not.toEqual(plain.ids);
    await client.unload();
    expect(engine.liveBuffers).toBe(0);
    const merged = await client.mergeAdapter(adapted);
    expect(Object.keys(merged)).toEqual(expect.arrayContaining(["config.json", "tokenizer.json", "model.safetensors"]));
    expect(merged["model.safetensors"]).not.toEqual(model.get("model.safetensors"));
  });

  it("from the checkpoint of a finished run: finishes at once, with that checkpoint", async () => {
    const { checkpoint } = await engine.client.train(grpo({ max_steps: 1 })).result;
    const again = engine.client.train(grpo({ max_steps: 1 }, { checkpoint }));
    expect(await collectEvents(again)).toEqual([{ type: "done", step: 1, reason: "finished" }]);
    expect((await again.result).checkpoint).toEqual(checkpoint);
  });

  it("stops when the reader leaves, and by the signal", async () => {
    const long = grpo({ max_steps: 1000 });
    const left = engine.client.train(long);
    for await (const event of left) if (event.type === "step") break;
    expect((await left.result).reason).toBe("stopped");
    const abort = new AbortController();
    const run = engine.client.train(long, { signal: abort.signal });
    for await (const event of run) if (event.type === "step") abort.abort();
    expect((await run.result).reason).toBe("stopped");
    expect(engine.liveBuffers).toBe(0);
  });

  it("other calls wait until it is done, and a model that is loaded stays", async () => {
    await engine.client.load(picked(TINY));
    const order: string[] = [];
    const run = engine.client.train(grpo({ max_steps: 1 }));
    const reply = collect(engine.client.generate(ask("Hi"))).then((events) => {
      order.push("generate");
      return events;
    });
    await run.result.then(() => order.push("train"));
    expect((await reply).at(-1)?.type).toBe("done");
    expect(order).toEqual(["train", "generate"]);
    await engine.client.unload();
  });
});

describe("a run that is stopped", () => {
  it("while it is paused between two steps: ends with its checkpoint", async () => {
    const run = engine.client.train(grpo({ max_steps: 1000 }, { pace: "pause" }));
    run.step();
    for await (const event of run) {
      if (event.type !== "step") continue;
      await pause(50);
      run.stop();
    }
    // Held, and stopped there: no other step was taken.
    const { step, reason, checkpoint } = await run.result;
    expect([step, reason]).toEqual([1, "stopped"]);
    expect(Object.keys(checkpoint)).toContain("trainer_state.json");
    expect(engine.liveBuffers).toBe(0);
  });

  it("while its model is on the way: E_ABORTED, also when the server says nothing", async () => {
    const abort = new AbortController();
    const { url } = await serve(() => abort.abort());
    const call = grpo({}, { models: { tiny: { kind: "url", baseUrl: url } } });
    expect(await failureCode(engine.client.train(call, { signal: abort.signal }).result)).toBe("E_ABORTED");
    expect(engine.liveBuffers).toBe(0);
  });

  it("while it is paused before its beginning: E_ABORTED, and nothing is loaded", async () => {
    const run = engine.client.train(grpo({}, { pace: "pause" }));
    await pause(50);
    const before = engine.devices[0]?.counters.buffersCreated;
    run.stop();
    expect(await failureCode(collectEvents(run))).toBe("E_ABORTED");
    expect(engine.devices[0]?.counters.buffersCreated).toBe(before);
  });
});

describe("a run that cannot begin", () => {
  beforeAll(() => engine.client.load(picked(TINY)));
  afterAll(() => engine.client.unload());

  it.each<[string, TrainCall, RegExp]>([
    ["a value out of range", grpo({ max_steps: 0 }), /^max_steps: found 0/],
    ["an unknown key", grpo({ max_step: 4 }), /max_step.*max_steps/],
    ["no object", grpo({}, { config: "grpo" }), /^configuration: found "grpo"/],
    ["a model that did not come with it", grpo({ model: "other" }), /^model: found "other"; given are "tiny"/],
    [
      "a dataset that did not come with it",
      { kind: "sft", config: SFT, models: {} },
      /^dataset: found "sums\.jsonl"; none was given/,
    ],
    ["an unknown reward", grpo({ reward_funcs: ["beauty"] }), /beauty/],
  ])("%s: E_OPTION, and the engine goes on", async (_, call, says) => {
    const buffers = engine.liveBuffers;
    const run = engine.client.train(call);
    const error = await failure(collectEvents(run));
    expect(error.code, error.message).toBe("E_OPTION");
    expect(error.message).toMatch(says);
    expect(await failureCode(run.result)).toBe("E_OPTION");
    expect(engine.liveBuffers).toBe(buffers);
    expect((await collect(engine.client.generate(ask("Hi")))).at(-1)?.type).toBe("done");
  });
});

describe("all of these runs", () => {
  it("were answered once, and said nothing after", () => {
    expect(engine.sent.filter(({ type }) => type === "result").length).toBeGreaterThan(5);
    expect(answeredWrongly(engine.sent)).toEqual([]);
  });
});

describe("a device that is lost during a run", () => {
  it("fails the run, keeps its events and its last checkpoint, and the next run goes on from there", async () => {
    const own = startTestEngine();
    const { client, devices } = own;
    const all = await looped(await bare(own));
    const run = client.train(grpo());
    const events: TrainEvent[] = [];
    const reading = (async () => {
      for await (const event of run) {
        events.push(event);
        if (event.type === "step" && event.step === 3) devices[0]?.destroy();
      }
    })();
    expect(await failureCode(reading)).toBe("E_DEVICE_LOST");
    expect(await failureCode(run.result)).toBe("E_DEVICE_LOST");
    expect(timeless(events)).toEqual(all.slice(0, events.length));
    expect(stepsOf(events).length).toBeGreaterThanOrEqual(3);
    const checkpoint = run.checkpoint ?? expect.fail();
    const rest = client.train(grpo({}, { checkpoint }));
    expect(stepsOf(await collectEvents(rest))).toEqual(stepsOf(all).slice(2));
    expect(devices).toHaveLength(2);
    expect(answeredWrongly(own.sent)).toEqual([]);
  });

  it("while it is paused: fails as well", async () => {
    const own = startTestEngine();
    const run = own.client.train(grpo({}, { pace: "pause" }));
    run.step();
    const reading = (async () => {
      for await (const event of run) if (event.type === "step") setTimeout(() => own.devices[0]?.destroy(), 50);
    })();
    expect(await failureCode(reading)).toBe("E_DEVICE_LOST");
    expect((await own.client.train(grpo({ max_steps: 1 })).result).reason).toBe("finished");
    expect(own.devices).toHaveLength(2);
  });
});
