import { describe, expect, it } from "vitest";
import { testGpu } from "../../gpu/node/test-device.ts";
import { gemmShape } from "../../kernels/gemm/gemm.ts";
import { measureSpeed } from "../../model/training/speed.ts";
import { planTrainingMemory } from "../../model/training/memory-plan.ts";
import { parseGrpoConfig } from "../config/grpo-config.ts";
import { grpoRequest, judgeGrpo } from "./grpo-plan.ts";
import { trainGrpo } from "./grpo.ts";
import { readStartingModel, weightsFor } from "./starting-model.ts";
import { secondsPerStep } from "./step-time.ts";
import { memoryEnvironment, TINY_GRPO, tinyModel } from "./testing.ts";
import { DEFAULT_LIMITS as DEFAULT, QWEN_1_5B } from "../../model/testing-specs.ts";

const LORA = { r: 4, lora_alpha: 8 };

describe("the plan of a run is what the device allocates", () => {
  it.each([
    ["all weights", {}],
    ["all weights with a reference, recomputed", { beta: 0.1, gradient_checkpointing: true }],
    ["an adapter over f32", { lora: LORA, beta: 0.1 }],
    ["an adapter over q4", { lora: LORA, weights: "q4" }],
    [
      "an adapter on two matrices over q4, recomputed",
      { lora: { ...LORA, target_modules: ["q_proj", "down_proj"] }, weights: "q4", gradient_checkpointing: true },
    ],
  ] as const)("%s", async (_, given) => {
    const environment = await memoryEnvironment({ tiny: tinyModel() });
    const { context } = environment;
    const config = parseGrpoConfig({ ...TINY_GRPO, ...given });
    const model = await readStartingModel(await environment.openFolder("tiny"));
    const request = grpoRequest(config, model.spec, weightsFor(config, model));
    const plan = planTrainingMemory(model.spec, request, context.limits, gemmShape(context));
    const before = context.arena.liveBytes;
    let allocated = 0;
    // Stopped before its first step: it is set up, and saved.
    for await (const event of trainGrpo(environment, config, { signal: AbortSignal.abort() })) {
      if (event.type === "saved") allocated = context.arena.liveBytes - before;
    }
    expect(allocated / plan.total).toBeGreaterThan(0.99);
    expect(allocated / plan.total).toBeLessThan(1.01);
    expect(context.arena.liveBytes).toBe(before);
  });

  it("holds the weights once under an adapter, twice where all are trained and held to a reference", () => {
    const plan = (given: object) => {
      const config = parseGrpoConfig({ model: "m", task: "countdown", beta: 0.1, ...given });
      return planTrainingMemory(QWEN_1_5B, grpoRequest(config, QWEN_1_5B, "q4"), DEFAULT, "tiled");
    };
    const adapted = plan({ lora: LORA, weights: "q4" });
    expect(adapted.reference).toBe(0);
    expect(adapted.weights).toBeLessThan(1.01e9);
    const full = plan({});
    expect(full.reference).toBeGreaterThan(full.weights);
  });
});

describe("R1-Distill-Qwen-1.5B on WebGPU's guaranteed limits", () => {
  const judge = (given: object, memoryBytes?: number) =>
    judgeGrpo(
      QWEN_1_5B,
      parseGrpoConfig({
        model: "m",
        task: "countdown",
        lora: LORA,
        weights: "q4",
        max_prompt_length: 128,
        per_step_prompts: 1,
        num_generations: 4,
        max_completion_length: 128,
        max_tokens_per_pack: 512,
        ...given,
      }),
      "q4",
      { budget: { ...DEFAULT, memoryBytes }, shape: "tiled" },
    );

  it("takes an adapter over q4", () => {
    const verdict = judge({});
    expect(verdict.fits).toBe(true);
    expect(verdict.plan.total).toBeLessThan(4e9);
  });

  it("refuses all weights, for which it offers an adapter, and too high a rank, for which it offers a lower one", () => {
    const full = judge({ lora: null, weights: null });
    expect(full).toMatchObject({ fits: false, reason: { kind: "parameters-buffer" } });
    expect(full).toMatchObject({ offer: { changes: { lora: { r: 16 }, weights: "q4" } } });
    const wide = judge({ lora: { r: 64, lora_alpha: 128 } });
    expect(wide).toMatchObject({ fits: false, reason: { kind: "parameters-buffer" } });
    expect(wide).toMatchObject({ offer: { changes: { lora: { r: 16, lora_alpha: 32 } } } });
  });

  it("offers activations to be computed again, then less at a time, then shorter completions", () => {
    const needed = judge({ gradient_checkpointing: false }).plan.peak;
    const less = judge({ gradient_checkpointing: false }, needed - 1);
    expect(less).toMatchObject({ fits: false, reason: { kind: "memory", bytes: needed } });
    expect(less).toMatchObject({ offer: { changes: { gradient_checkpointing: true } } });
    const JUDGED = { max_completion_length: 1024, num_generations: 8, max_tokens_per_pack: 8192 };
    const little = judge(JUDGED, 1.9e9);
    if (little.fits || !little.offer) throw new Error("expected an offer");
    expect(little.offer.plan.peak).toBeLessThanOrEqual(1.9e9);
    expect(little.offer.changes.max_tokens_per_pack).toBeLessThan(8192);
    expect(judge({ ...JUDGED, ...little.offer.changes }, 1.9e9).fits).toBe(true);
    expect(judge({}, 0.9e9)).toMatchObject({ fits: false, offer: undefined });
  });

  it("offers no more than what is in the way", () => {
    const few = judgeGrpo(
      { ...QWEN_1_5B, maxPositions: 256 },
      parseGrpoConfig({
        model: "m",
        task: "countdown",
        lora: LORA,
        weights: "q4",
        max_completion_length: 256,
        max_prompt_length: 128,
        per_step_prompts: 1,
        max_tokens_per_pack: 512,
      }),
      "q4",
      { budget: DEFAULT, shape: "tiled" },
    );
    if (few.fits) throw new Error("expected too few positions");
    expect(few.reason).toEqual({ kind: "context", bytes: 257, limit: 256 });
    expect(few.offer?.changes).toEqual({ max_completion_length: 128 });
    // The cache of a group is what it is, however much goes forward and back at a time.
    const long = judge({ max_completion_length: 16_384, num_generations: 8, max_tokens_per_pack: 16_640 });
    if (long.fits) throw new Error("expected too large a cache");
    expect(long.reason.kind).toBe("kv-buffer");
    expect(Object.keys(long.offer?.changes ?? {})).not.toContain("per_step_prompts");
  });
});

it("a step's time follows from the speed of two products on this device", async () => {
  const context = await testGpu();
  const before = context.arena.liveBytes;
  const blocks = await measureSpeed(context, "q6_k", 8);
  const speed = await measureSpeed(context, "q4", 8);
  expect(context.arena.liveBytes).toBe(before);
  expect(blocks.decodePerWeight).toBeGreaterThan(0);
  expect(speed.rows).toBe(8);
  expect(speed.manyRows).toBeGreaterThan(1e6);
  const config = parseGrpoConfig({
    model: "m",
    task: "countdown",
    lora: LORA,
    num_generations: 8,
    per_step_prompts: 1,
  });
  expect(speed.dispatch).toBeGreaterThan(0);
  const gpu = { manyRows: 1e12, decodePerWeight: 1e-12, rows: 8, dispatch: 0 };
  const seconds = secondsPerStep(config, QWEN_1_5B, gpu);
  // 120 decode steps of 1.5 billion weights are 0.2 s, and each of three passes over 1,200 tokens takes 3 TFLOP.
  expect(seconds).toBeGreaterThan(3);
  expect(seconds).toBeLessThan(20);
  expect(secondsPerStep({ ...config, num_generations: 4 }, QWEN_1_5B, gpu)).toBeLessThan(seconds);
  // 120 decode steps of 28 layers with 20 dispatches each, and three passes.
  const slow = secondsPerStep(config, QWEN_1_5B, { ...gpu, dispatch: 1e-3 }) - seconds;
  expect(slow).toBeGreaterThan(67);
  expect(slow).toBeLessThan(75);
});
