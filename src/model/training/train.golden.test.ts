import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../../checkpoint/checkpoint.ts";
import { nodeFolder } from "../../checkpoint/node/folder.ts";
import type { ModelFolder } from "../../checkpoint/source.ts";
import type { TestTensor } from "../../checkpoint/testing.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { DEVICE_VARIANTS, testGpu } from "../../gpu/node/test-device.ts";
import type { WeightFormat } from "../../kernels/weights/format.ts";
import { FIXTURES } from "../../testing-data.ts";
import { packWeights, unpackWeights } from "../../kernels/weights/pack.ts";
import { loadModel } from "../load.ts";
import type { LanguageModelWeights, ModelSource } from "../load.ts";
import type { PackedBatch } from "./batch.ts";
import { memoryFolder } from "../testing.ts";
import { packSequences, relativeError } from "./testing.ts";
import { TrainableModel } from "./trainable-model.ts";
import type { TrainableOptions } from "./trainable-model.ts";

const ROOT = join(FIXTURES, "qwen2-tiny");

interface Expected {
  readonly sequences: readonly (readonly number[])[];
  readonly prompt_lengths: readonly number[];
  readonly sft_loss: number;
  readonly completion_logps: readonly (readonly number[])[];
  readonly adamw: {
    readonly lr: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weight_decay: number;
    readonly max_grad_norm: number;
    readonly losses_before_each_step_and_after_last: readonly number[];
    readonly grad_norms: readonly number[];
  };
  readonly lora: { readonly r: number; readonly lora_alpha: number; readonly sft_loss: number };
}

const expected = JSON.parse(readFileSync(join(ROOT, "train_expected.json"), "utf8")) as Expected;
const adapter = JSON.parse(readFileSync(join(ROOT, "adapter_config.json"), "utf8")) as {
  readonly r: number;
  readonly lora_alpha: number;
  readonly target_modules: readonly string[];
};

async function readTensors(file: string): Promise<Map<string, Float32Array>> {
  const checkpoint = await openCheckpoint(nodeFolder(ROOT), { file });
  const out = new Map<string, Float32Array>();
  for (const name of checkpoint.tensors.keys()) out.set(name, new Float32Array((await checkpoint.read(name)).buffer));
  return out;
}

async function expectGradients(trainable: TrainableModel, file: string): Promise<void> {
  const wanted = await readTensors(file);
  const got = await trainable.pool.read(trainable.pool.gradients);
  expect([...got.keys()].toSorted()).toEqual([...wanted.keys()].toSorted());
  for (const [name, tensor] of wanted) {
    expect(relativeError(got.get(name)?.data ?? [], tensor), name).toBeLessThan(1e-3);
  }
}

const SIZES = { maxTokens: 96, maxLength: 64, keepActivations: false };

interface Opened {
  readonly context: GpuContext;
  readonly model: LanguageModelWeights;
  readonly trainable: TrainableModel;
  readonly batch: PackedBatch;
}

async function withTrainable(
  gpu: Parameters<typeof testGpu>[0],
  options: TrainableOptions,
  work: (opened: Opened) => Promise<void>,
  source: ModelSource = { format: "f32" },
  folder: ModelFolder = nodeFolder(ROOT),
): Promise<void> {
  const context = await testGpu(gpu);
  const before = context.arena.liveBuffers;
  const model = await loadModel(context, folder, source);
  const trainable = await TrainableModel.create(model, options);
  try {
    await work({ context, model, trainable, batch: packSequences(expected.sequences, expected.prompt_lengths) });
  } finally {
    trainable.dispose();
    model.dispose();
  }
  expect(context.arena.liveBuffers).toBe(before);
}

async function sftLoss(trainable: TrainableModel, batch: PackedBatch): Promise<number> {
  const { logps } = await trainable.forward(batch);
  return -logps.reduce((a, b) => a + b, 0) / logps.length;
}

function sftBackward(trainable: TrainableModel, batch: PackedBatch): void {
  const n = batch.lossRows.length;
  trainable.backward(new Float32Array(n).fill(-1 / n));
}

describe.each(DEVICE_VARIANTS)("training qwen2-tiny, $name", ({ options }) => {
  it.each([
    ["activations recomputed", SIZES],
    ["activations kept", { ...SIZES, keepActivations: true }],
  ])("SFT loss, log-probabilities and every gradient equal the reference, %s", async (_, sizes) => {
    await withTrainable(options, { sizes }, async ({ trainable, batch }) => {
      const { logps } = await trainable.forward(batch);
      const wanted = expected.completion_logps.flatMap((row, i) =>
        row.slice(0, (expected.sequences[i]?.length ?? 0) - (expected.prompt_lengths[i] ?? 0)),
      );
      expect(relativeError(logps, wanted)).toBeLessThan(1e-5);
      expect(Math.abs((await sftLoss(trainable, batch)) - expected.sft_loss)).toBeLessThan(1e-5);
      sftBackward(trainable, batch);
      await expectGradients(trainable, "sft_grad.safetensors");
    });
  });
});

describe("training qwen2-tiny", () => {
  it("three AdamW steps have the reference's losses and norms", async () => {
    const { lr, betas, eps, weight_decay, max_grad_norm, losses_before_each_step_and_after_last, grad_norms } =
      expected.adamw;
    await withTrainable({}, { sizes: SIZES }, async ({ trainable, batch }) => {
      const losses: number[] = [];
      const norms: number[] = [];
      for (let i = 0; i < grad_norms.length; i++) {
        losses.push(await sftLoss(trainable, batch));
        sftBackward(trainable, batch);
        const outcome = await trainable.step({
          learningRate: lr,
          beta1: betas[0],
          beta2: betas[1],
          epsilon: eps,
          weightDecay: weight_decay,
          maxGradNorm: max_grad_norm,
        });
        expect(outcome.skipped).toBe(false);
        norms.push(outcome.gradNorm);
      }
      losses.push(await sftLoss(trainable, batch));
      losses.forEach((loss, i) =>
        expect(Math.abs(loss - (losses_before_each_step_and_after_last[i] ?? 0)), `loss ${i}`).toBeLessThan(1e-4),
      );
      norms.forEach((norm, i) => expect(Math.abs(norm / (grad_norms[i] ?? 0) - 1), `norm ${i}`).toBeLessThan(1e-3));
    });
  });

  it("gradients of several batches add up, and a step forgets them", async () => {
    await withTrainable({}, { sizes: SIZES }, async ({ trainable }) => {
      const n = expected.sequences.reduce((sum, s, i) => sum + s.length - (expected.prompt_lengths[i] ?? 0), 0);
      for (let repeat = 0; repeat < 2; repeat++) {
        for (const [i, sequence] of expected.sequences.entries()) {
          const one = packSequences([sequence], [expected.prompt_lengths[i] ?? 0]);
          await trainable.forward(one);
          trainable.backward(new Float32Array(one.lossRows.length).fill(-1 / n));
        }
        await expectGradients(trainable, "sft_grad.safetensors");
        await trainable.step({
          learningRate: 0,
          beta1: 0.9,
          beta2: 0.95,
          epsilon: 1e-8,
          weightDecay: 0,
          maxGradNorm: 1,
        });
      }
    });
  });

  it("packed equals one by one within 1e-5", async () => {
    await withTrainable({}, { sizes: SIZES }, async ({ trainable, batch }) => {
      const together = await trainable.forward(batch);
      sftBackward(trainable, batch);
      const packed = await trainable.pool.read(trainable.pool.gradients);
      await trainable.step({ learningRate: 0, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradNorm: 1 });
      const logps: number[] = [];
      for (const [i, sequence] of expected.sequences.entries()) {
        const one = packSequences([sequence], [expected.prompt_lengths[i] ?? 0]);
        logps.push(...(await trainable.forward(one)).logps);
        trainable.backward(new Float32Array(one.lossRows.length).fill(-1 / batch.lossRows.length));
      }
      expect(relativeError(logps, together.logps)).toBeLessThan(1e-6);
      const apart = await trainable.pool.read(trainable.pool.gradients);
      for (const [name, { data }] of packed) {
        expect(relativeError(apart.get(name)?.data ?? [], data), name).toBeLessThan(1e-5);
      }
    });
  });

  it("a gradient that is not finite changes nothing and is told", async () => {
    await withTrainable({}, { sizes: SIZES }, async ({ trainable, batch }) => {
      const before = await trainable.pool.readAll(trainable.pool.values);
      await trainable.forward(batch);
      trainable.backward(new Float32Array(batch.lossRows.length).fill(Number.NaN));
      const step = { learningRate: 0.1, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, maxGradNorm: 1 };
      const outcome = await trainable.step(step);
      expect(outcome.skipped).toBe(true);
      expect(trainable.appliedSteps).toBe(0);
      expect(await trainable.pool.readAll(trainable.pool.values)).toEqual(before);
      await sftLoss(trainable, batch);
      sftBackward(trainable, batch);
      expect((await trainable.step(step)).skipped).toBe(false);
      expect(await trainable.pool.readAll(trainable.pool.values)).not.toEqual(before);
    });
  });
});

/** The fixture with each matrix rounded as a format rounds it, in f32 again. */
async function roundedFixture(format: WeightFormat): Promise<ModelFolder> {
  const checkpoint = await openCheckpoint(nodeFolder(ROOT));
  const tensors: Record<string, TestTensor> = {};
  for (const { name, shape } of checkpoint.tensors.values()) {
    const values = new Float32Array((await checkpoint.read(name)).buffer);
    const [rows = 0, k] = shape;
    const data = k === undefined ? values : unpackWeights(packWeights(format, values, rows, k));
    tensors[name] = { dtype: "F32", shape, data };
  }
  return memoryFolder(JSON.parse(readFileSync(join(ROOT, "config.json"), "utf8")) as object, tensors);
}

/** Gradients of the fixture's adapter over a folder's weights. */
async function adapterGradients(
  folder: ModelFolder,
  format: WeightFormat,
): Promise<ReadonlyMap<string, { readonly data: Float32Array }>> {
  let gradients: ReadonlyMap<string, { readonly data: Float32Array }> = new Map();
  const lora = { r: adapter.r, lora_alpha: adapter.lora_alpha, target_modules: adapter.target_modules };
  await withTrainable(
    {},
    { sizes: SIZES, lora },
    async ({ trainable, batch }) => {
      trainable.pool.write(await readTensors("adapter_model.safetensors"));
      await trainable.forward(batch);
      sftBackward(trainable, batch);
      gradients = await trainable.pool.read(trainable.pool.gradients);
    },
    { format },
    folder,
  );
  return gradients;
}

describe("LoRA on qwen2-tiny", () => {
  const lora = { r: adapter.r, lora_alpha: adapter.lora_alpha, target_modules: adapter.target_modules };

  it.each([
    ["f32 weights, recomputed", { format: "f32" }, SIZES],
    ["f32 weights in many chunks, kept", { format: "f32", maxChunkBytes: 4096 }, { ...SIZES, keepActivations: true }],
  ] as const)("loss and gradients equal the reference: %s", async (_, source, sizes) => {
    await withTrainable(
      {},
      { sizes, lora },
      async ({ trainable, batch }) => {
        trainable.pool.write(await readTensors("adapter_model.safetensors"));
        trainable.publish();
        expect(Math.abs((await sftLoss(trainable, batch)) - expected.lora.sft_loss)).toBeLessThan(1e-5);
        sftBackward(trainable, batch);
        await expectGradients(trainable, "lora_sft_grad.safetensors");
      },
      source,
    );
  });

  it.each(["f16", "bf16", "q8", "q4"] as const)(
    "frozen %s weights give the gradients of what they stand for",
    async (format) => {
      const wanted = await adapterGradients(await roundedFixture(format), "f32");
      const got = await adapterGradients(nodeFolder(ROOT), format);
      expect(wanted.size).toBeGreaterThan(0);
      for (const [name, { data }] of wanted) {
        expect(relativeError(got.get(name)?.data ?? [], data), name).toBeLessThan(1e-4);
      }
    },
  );
});
