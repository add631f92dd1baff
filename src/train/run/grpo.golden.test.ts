import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openCheckpoint } from "../../checkpoint/checkpoint.ts";
import { nodeFolder } from "../../checkpoint/node/folder.ts";
import { testGpu } from "../../gpu/node/test-device.ts";
import { loadModel } from "../../model/load.ts";
import { relativeError } from "../../model/training/testing.ts";
import { TrainableModel } from "../../model/training/trainable-model.ts";
import { FIXTURES } from "../../testing-data.ts";
import { grpoLoss } from "../grpo/loss.ts";
import type { GrpoLossOptions } from "../grpo/loss.ts";
import { inPackOrder, inSequenceOrder, packScored } from "./packs.ts";

const ROOT = join(FIXTURES, "qwen2-tiny");

interface Expected {
  readonly sequences: readonly (readonly number[])[];
  readonly prompt_lengths: readonly number[];
  readonly grpo: Pick<GrpoLossOptions, "loss_type" | "epsilon" | "beta" | "kl_estimator"> & {
    readonly epsilon_high: number;
    readonly temperature: number;
    readonly advantages: readonly number[];
    readonly old_logps: readonly (readonly number[])[];
    readonly ref_logps: readonly (readonly number[])[];
    readonly loss: number;
    readonly stats: Readonly<Record<string, number>>;
    readonly grad_norm: number;
  };
}

const expected = JSON.parse(readFileSync(join(ROOT, "train_expected.json"), "utf8")) as Expected;

it.each([
  ["one pack", 96],
  ["several packs", 30],
])("GRPO's loss, statistics and every gradient equal the reference: %s", async (_, maxTokens) => {
  const context = await testGpu();
  const model = await loadModel(context, nodeFolder(ROOT), { format: "f32" });
  const { sequences, prompt_lengths, grpo } = expected;
  const trainable = await TrainableModel.create(model, {
    sizes: { maxTokens, maxLength: 64, keepActivations: true },
    temperature: grpo.temperature,
  });
  const scored = sequences.map((ids, i) => ({ ids, promptLength: prompt_lengths[i] ?? 0 }));
  const lengths = scored.map(({ ids, promptLength }) => ids.length - promptLength);
  const ragged = (table: readonly (readonly number[])[]): Float32Array<ArrayBuffer> =>
    Float32Array.from(table.flatMap((row, i) => row.slice(0, lengths[i])));
  const packed = packScored(scored, maxTokens);
  const parts: Float32Array[] = [];
  for (const { batch } of packed.packs) parts.push((await trainable.forward(batch)).logps);
  const { values: logps, offsets } = inSequenceOrder(packed, parts, scored.length);
  const result = grpoLoss(
    {
      lengths,
      logps,
      oldLogps: ragged(grpo.old_logps),
      refLogps: ragged(grpo.ref_logps),
      mask: new Uint8Array(logps.length).fill(1),
      advantages: grpo.advantages,
    },
    { ...grpo, importance_sampling_level: "token", max_completion_length: 32 },
  );
  expect(Math.abs(result.loss / grpo.loss - 1)).toBeLessThan(1e-4);
  for (const [name, value] of Object.entries(grpo.stats)) {
    const got = Object.entries(result.statistics).find(([key]) => key === name)?.[1];
    expect(Math.abs((got ?? Number.NaN) / value - 1), name).toBeLessThan(1e-3);
  }
  for (const pack of packed.packs) {
    await trainable.forward(pack.batch);
    trainable.backward(inPackOrder(pack, result.gradLogps, offsets));
  }
  const got = await trainable.pool.read(trainable.pool.gradients);
  const wanted = await openCheckpoint(nodeFolder(ROOT), { file: "grpo_grad.safetensors" });
  let square = 0;
  for (const name of wanted.tensors.keys()) {
    const tensor = new Float32Array((await wanted.read(name)).buffer);
    const mine = got.get(name)?.data ?? new Float32Array();
    expect(relativeError(mine, tensor), name).toBeLessThan(1e-3);
    square += mine.reduce((sum, value) => sum + value * value, 0);
  }
  expect(Math.abs(Math.sqrt(square) / grpo.grad_norm - 1)).toBeLessThan(1e-3);
  trainable.dispose();
  model.dispose();
});
