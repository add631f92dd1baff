import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../../checkpoint/checkpoint.ts";
import { parseGrpoConfig } from "../config/grpo-config.ts";
import { parseSftConfig } from "../config/sft-config.ts";
import type { TrainEvent, TrainStepEvent } from "../events.ts";
import { trainGrpo } from "./grpo.ts";
import { trainSft } from "./sft.ts";
import { collectEvents, memoryEnvironment, timeless, TINY_GRPO, tinyModel, TINY_INIT, weightBytes } from "./testing.ts";

const SFT = {
  init: TINY_INIT,
  task: "countdown",
  kind: "trace",
  num_examples: 64,
  seed: 3,
  max_steps: 4,
  per_device_train_batch_size: 6,
  max_length: 96,
  max_tokens_per_pack: 192,
  learning_rate: 2e-2,
  warmup_steps: 1,
  eval_every: 0,
  save_every: 0,
};

function steps(events: readonly TrainEvent[]): TrainStepEvent[] {
  return events.filter((event) => event.type === "step");
}

describe("a run of SFT", () => {
  it("lowers the loss, and repeats bit for bit", async () => {
    const config = parseSftConfig({ ...SFT, max_steps: 12 });
    const [one, two] = [await memoryEnvironment(), await memoryEnvironment()];
    const events = await collectEvents(trainSft(one, config));
    expect(timeless(await collectEvents(trainSft(two, config)))).toEqual(timeless(events));
    expect(weightBytes(two.checkpoint)).toEqual(weightBytes(one.checkpoint));
    const losses = steps(events).map(({ metrics }) => metrics["loss"] ?? Number.NaN);
    expect(losses[0]).toBeCloseTo(Math.log(397), 0);
    expect(losses.at(-1)).toBeLessThan(0.75 * (losses[0] ?? 0));
    expect(events.at(-1)).toEqual({ type: "done", step: 12, reason: "finished" });
  });

  it("goes on bit for bit from the step it was stopped at", async () => {
    const whole = await memoryEnvironment();
    const all = await collectEvents(trainSft(whole, parseSftConfig(SFT)));
    const halves = await memoryEnvironment();
    const stop = new AbortController();
    const first: TrainEvent[] = [];
    for await (const event of trainSft(halves, parseSftConfig(SFT), { signal: stop.signal })) {
      first.push(event);
      if (event.type === "step" && event.step === 2) stop.abort();
    }
    expect(first.at(-1)).toEqual({ type: "done", step: 2, reason: "stopped" });
    const rest = await collectEvents(trainSft(halves, parseSftConfig(SFT), { resume: true }));
    expect(timeless(steps([...first, ...rest]))).toEqual(timeless(steps(all)));
    expect(weightBytes(halves.checkpoint)).toEqual(weightBytes(whole.checkpoint));
  });

  it("of an adapter is evaluated on held-out problems, as one of all weights is", async () => {
    const environment = await memoryEnvironment({ tiny: tinyModel() });
    const config = parseSftConfig({
      ...SFT,
      init: null,
      model: "tiny",
      lora: { r: 2 },
      max_steps: 1,
      eval_every: 1,
      eval_prompts: 2,
    });
    const events = await collectEvents(trainSft(environment, config));
    expect(events.filter(({ type }) => type === "eval")).toMatchObject([{ step: 1, metrics: { eval_n: 2 } }]);
    expect(environment.context.arena.liveBuffers).toBe(0);
  });

  it("padding computes the same, less efficiently", async () => {
    const packed = await collectEvents(trainSft(await memoryEnvironment(), parseSftConfig({ ...SFT, max_steps: 1 })));
    const padded = await collectEvents(
      trainSft(await memoryEnvironment(), parseSftConfig({ ...SFT, max_steps: 1, padding: true })),
    );
    const [a, b] = [packed, padded].map((events) => steps(events)[0]?.metrics ?? {});
    expect(b?.["loss"]).toBeCloseTo(a?.["loss"] ?? Number.NaN, 4);
    expect(b?.["grad_norm"]).toBeCloseTo(a?.["grad_norm"] ?? Number.NaN, 4);
    expect(a?.["packing_efficiency"]).toBeGreaterThan(b?.["packing_efficiency"] ?? 1);
  });

  it("trains on a dataset, and names the row that lacks a field", async () => {
    const line = JSON.stringify({
      prompt: "make 9 from 4 5",
      completion: "<think>\n 4 + 5 = 9 ;</think><answer> 4 + 5</answer>",
    });
    const config = parseSftConfig({
      ...SFT,
      task: null,
      kind: null,
      num_examples: null,
      dataset: "d.jsonl",
      max_steps: 1,
    });
    const good = await memoryEnvironment({}, { "d.jsonl": `${line}\n${line}\n` });
    expect(steps(await collectEvents(trainSft(good, config)))).toHaveLength(1);
    const bad = await memoryEnvironment({}, { "d.jsonl": `${line}\n{"prompt":"x"}\n` });
    await expect(collectEvents(trainSft(bad, config))).rejects.toMatchObject({
      code: "E_FORMAT",
      message: expect.stringContaining("d.jsonl, line 2: completion is missing") as string,
    });
  });

  it("leaves nothing allocated when its caller stops listening", async () => {
    const environment = await memoryEnvironment();
    const before = environment.context.arena.liveBuffers;
    await collectEvents(trainSft(environment, parseSftConfig(SFT)), 1);
    expect(environment.context.arena.liveBuffers).toBe(before);
  });
});

describe("a run of GRPO", () => {
  it("repeats bit for bit, and goes on bit for bit from a stop", async () => {
    const config = parseGrpoConfig({ ...TINY_GRPO, log_tokens: true });
    const model = tinyModel();
    const [one, two] = [await memoryEnvironment({ tiny: model }), await memoryEnvironment({ tiny: model })];
    const all = await collectEvents(trainGrpo(one, config));
    const stop = new AbortController();
    const first: TrainEvent[] = [];
    for await (const event of trainGrpo(two, config, { signal: stop.signal })) {
      first.push(event);
      if (event.type === "step" && event.step === 2) stop.abort();
    }
    expect(first.at(-1)).toEqual({ type: "done", step: 2, reason: "stopped" });
    const rest = await collectEvents(trainGrpo(two, config, { resume: true }));
    expect(timeless(steps([...first, ...rest]))).toEqual(timeless(steps(all)));
    expect(weightBytes(two.checkpoint)).toEqual(weightBytes(one.checkpoint));
    const changed = steps(all).some(({ metrics }) => (metrics["grad_norm"] ?? 0) > 0);
    expect(changed, "nothing was learnt from, so nothing was tested").toBe(true);
  });

  it("tells TRL's metrics, each completion and each token", async () => {
    const environment = await memoryEnvironment({ tiny: tinyModel() });
    const config = parseGrpoConfig({ ...TINY_GRPO, beta: 0.1, num_iterations: 2, max_steps: 2, log_tokens: true });
    const events = steps(await collectEvents(trainGrpo(environment, config)));
    const [first, second] = events;
    expect(first?.completions).toHaveLength(12);
    for (const name of [
      "loss",
      "reward",
      "rewards/language_consistency/mean",
      "kl",
      "entropy",
      "completions/mean_length",
    ]) {
      expect(first?.metrics[name], name).toBeTypeOf("number");
    }
    // Sampler and trainer compute the same with different kernels.
    expect(first?.metrics["sampling/sampling_logp_difference/max"]).toBeLessThan(1e-4);
    // The second iteration of the first step has moved away from the reference policy, which is the model itself.
    expect(first?.metrics["kl"]).toBeGreaterThan(0);
    expect(second?.metrics["kl"]).toBeGreaterThan(0);
    for (const { tokens = [], length, advantage, rewards, completion, finish_reason } of second?.completions ?? []) {
      expect(tokens).toHaveLength(length);
      const written = finish_reason === "eos" ? tokens.slice(0, -1) : tokens;
      // A character that the end has cut off is told in the whole text only.
      const whole = (text: string): string => text.replace(/\uFFFD+$/, "");
      expect(whole(completion).endsWith(whole(written.map(({ text }) => text).join("")))).toBe(true);
      expect(Number.isFinite(advantage)).toBe(true);
      expect(rewards).toHaveProperty("language_consistency");
      for (const { logp, old_logp, ref_logp = Number.NaN, ratio } of tokens) {
        expect(Math.abs(Math.exp(logp - old_logp) - ratio)).toBeLessThan(1e-5);
        expect(ref_logp).toBeLessThanOrEqual(0);
      }
    }
  });

  it("the reference policy follows when it is told to", async () => {
    const environment = await memoryEnvironment({ tiny: tinyModel() });
    const config = parseGrpoConfig({
      ...TINY_GRPO,
      beta: 0.1,
      sync_ref_model: true,
      ref_model_sync_steps: 1,
      max_steps: 3,
    });
    const events = steps(await collectEvents(trainGrpo(environment, config)));
    for (const { metrics } of events) expect(metrics["kl"]).toBeLessThan(1e-6);
  });

  it.each([
    ["f32", ["q_proj", "v_proj", "gate_proj", "up_proj", "down_proj"]],
    ["q4", ["k_proj", "o_proj", "up_proj"]],
  ])("an adapter over %s weights changes what is sampled, and not the weights: %j", async (weights, target_modules) => {
    const model = tinyModel();
    const environment = await memoryEnvironment({ tiny: model });
    const lora = { r: 4, lora_alpha: 8, target_modules };
    const config = parseGrpoConfig({ ...TINY_GRPO, lora, weights, beta: 0.05, learning_rate: 2e-2 });
    const events = steps(await collectEvents(trainGrpo(environment, config)));
    // Sampler and trainer compute it by different kernels: they must agree.
    for (const { metrics } of events) expect(metrics["sampling/sampling_logp_difference/max"]).toBeLessThan(1e-4);
    expect(events.at(-1)?.metrics["kl"]).toBeGreaterThan(0);
    expect(environment.checkpoint?.has("adapter_model.safetensors")).toBe(true);
    expect(environment.checkpoint?.has("model.safetensors")).toBe(false);
  });

  it("an adapter goes on bit for bit from a stop, over weights that its checkpoint does not hold", async () => {
    const config = parseGrpoConfig({ ...TINY_GRPO, lora: { r: 4 }, weights: "q4", max_steps: 2, learning_rate: 2e-2 });
    const [whole, halves] = [
      await memoryEnvironment({ tiny: tinyModel() }),
      await memoryEnvironment({ tiny: tinyModel() }),
    ];
    const all = await collectEvents(trainGrpo(whole, config));
    const stop = new AbortController();
    const first: TrainEvent[] = [];
    for await (const event of trainGrpo(halves, config, { signal: stop.signal })) {
      first.push(event);
      if (event.type === "step") stop.abort();
    }
    expect(first.at(-1)).toEqual({ type: "done", step: 1, reason: "stopped" });
    const rest = await collectEvents(trainGrpo(halves, config, { resume: true }));
    expect(timeless(steps([...first, ...rest]))).toEqual(timeless(steps(all)));
    const file = "adapter_model.safetensors";
    expect(weightBytes(halves.checkpoint, file)).toEqual(weightBytes(whole.checkpoint, file));
  });

  it("quantized weights take nothing but an adapter", async () => {
    const environment = await memoryEnvironment({ tiny: tinyModel() });
    const folder = await environment.openFolder("tiny");
    const checkpoint = await openCheckpoint(folder);
    const tensors = new Map(
      Array.from(checkpoint.tensors, ([name, tensor]) => [
        name,
        name.endsWith("o_proj.weight") ? { ...tensor, dtype: "Q4_0" as const } : tensor,
      ]),
    );
    const rounded = {
      ...environment,
      openFolder: () => ({ ...folder, checkpoint: { ...checkpoint, tensors, read: checkpoint.read.bind(checkpoint) } }),
    };
    await expect(collectEvents(trainGrpo(rounded, parseGrpoConfig(TINY_GRPO)))).rejects.toMatchObject({
      code: "E_QUANTIZED",
      message: expect.stringContaining("train a LoRA adapter") as string,
    });
    const sft = parseSftConfig({ ...SFT, init: null, model: "tiny" });
    await expect(collectEvents(trainSft(rounded, sft))).rejects.toMatchObject({ code: "E_QUANTIZED" });
  });

  it("groups whose rewards are all equal are told, and change nothing", async () => {
    const environment = await memoryEnvironment({ tiny: tinyModel() });
    const config = parseGrpoConfig({ ...TINY_GRPO, reward_funcs: ["accuracy"], max_steps: 1 });
    const events = await collectEvents(trainGrpo(environment, config));
    expect(events[0]).toMatchObject({ type: "warning", code: "DEAD_GROUPS" });
    expect(steps(events)[0]?.metrics).toMatchObject({ frac_reward_zero_std: 1, grad_norm: 0 });
  });

  it.each([
    [{ task: "chess" }, "chess"],
    [{ reward_funcs: ["beauty"] }, "beauty"],
    [{ level: 9 }, "level 9"],
    [{ max_completion_length: 96, max_tokens_per_pack: 512 }, "max_completion_length is 96"],
  ])("%j is refused before anything is sampled", async (wrong, words) => {
    const environment = await memoryEnvironment({ tiny: tinyModel() });
    const before = environment.context.arena.liveBuffers;
    const config = parseGrpoConfig({ ...TINY_GRPO, ...wrong });
    await expect(collectEvents(trainGrpo(environment, config))).rejects.toMatchObject({
      code: "E_OPTION",
      message: expect.stringContaining(words) as string,
    });
    expect(environment.context.arena.liveBuffers).toBe(before);
  });
});
