import { expect, it } from "vitest";
import type { ModelFolder } from "../../checkpoint/source.ts";
import { testGpu } from "../../gpu/node/test-device.ts";
import { loadModel } from "../load.ts";
import type { ModelSource } from "../load.ts";
import { ggufModel, q4KM } from "../testing-gguf.ts";
import { packSequences, relativeError } from "./testing.ts";
import { TrainableModel } from "./trainable-model.ts";

const SIZES = { hidden: 256, inner: 256, heads: 16, kvHeads: 8, layers: 1, vocabulary: 67 };
const IDS = Array.from({ length: 21 }, (_, i) => (i * 29 + 5) % SIZES.vocabulary);

async function adapterGradients(folder: ModelFolder, source: ModelSource = {}) {
  const model = await loadModel(await testGpu(), folder, source);
  const trainable = await TrainableModel.create(model, {
    sizes: { maxTokens: 32, maxLength: 32, keepActivations: true },
    lora: { r: 4, lora_alpha: 8, target_modules: ["q_proj", "v_proj", "up_proj", "down_proj"] },
  });
  try {
    const values = await trainable.pool.read(trainable.pool.values);
    trainable.pool.write(new Map([...values].map(([name, { data }], i) => [name, wave(data.length, i)])));
    const batch = packSequences([IDS], [4]);
    await trainable.forward(batch);
    trainable.backward(new Float32Array(batch.lossRows.length).fill(-1 / batch.lossRows.length));
    return await trainable.pool.read(trainable.pool.gradients);
  } finally {
    trainable.dispose();
    model.dispose();
  }
}

function wave(length: number, phase: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => 0.1 * Math.sin(i + phase));
}

it("an adapter over frozen K-quants has the gradients of what their blocks stand for", async () => {
  const folder = await ggufModel(SIZES, q4KM);
  const [want, got] = [await adapterGradients(folder, { format: "f32" }), await adapterGradients(folder)];
  expect(want.size).toBeGreaterThan(0);
  for (const [name, { data }] of want) {
    expect(Math.max(...data.map(Math.abs)), name).toBeGreaterThan(0);
    expect(relativeError(got.get(name)?.data ?? [], data), name).toBeLessThan(1e-4);
  }
});
