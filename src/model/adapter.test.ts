import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import { testGpu } from "../gpu/node/test-device.ts";
import { FIXTURES } from "../testing-data.ts";
import { adaptedFolder, replacedFolder } from "./adapted-folder.ts";
import { readAdapter, uploadAdapter } from "./adapter.ts";
import { loadModel, readModelSpec } from "./load.ts";
import { Session } from "./session.ts";
import { parseModelSpec } from "./spec.ts";
import { adapterFolder, noise, pairTensors, WRAPPER } from "./testing-adapter.ts";
import { ODD_CONFIG } from "./testing.ts";

const folder = nodeFolder(join(FIXTURES, "qwen2-tiny"));
const spec = await readModelSpec(folder);
const adapter = await readAdapter(folder, spec);
const IDS = [1, 5, 9, 90, 33, 7, 64, 2, 18];
const SIZES = { maxSequences: 2, contextTokens: 32, kvTokens: 32, prefillRows: 16, kv: "f32" } as const;

async function logprobs(session: Session): Promise<readonly number[]> {
  const { positions } = await session.score(IDS);
  session.dispose();
  return positions.flatMap(({ logprob }) => logprob ?? []);
}

const largest = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? Number.NaN))));

describe("a PEFT adapter", () => {
  it("gives the same beside the weights as added into them, and something else than the weights alone", async () => {
    const context = await testGpu({ limits: "default" });
    const base = await loadModel(context, folder);
    const merged = await loadModel(context, await adaptedFolder("merged", folder, spec, adapter));
    const scope = context.arena.scope("adapter");
    try {
      const beside = uploadAdapter(context, scope, adapter);
      const adapted = await logprobs(await Session.create(base, SIZES, beside));
      expect(largest(adapted, await logprobs(await Session.create(merged, SIZES)))).toBeLessThan(2e-5);
      expect(largest(adapted, await logprobs(await Session.create(base, SIZES)))).toBeGreaterThan(1e-3);
    } finally {
      scope.dispose();
      merged.dispose();
      base.dispose();
    }
    expect(context.arena.liveBuffers).toBe(0);
  });

  it("is added in alike, whichever bytes of a tensor are read", async () => {
    const merged = await openCheckpoint(await adaptedFolder("merged", folder, spec, adapter));
    const name = `model.layers.0.${adapter.layout[0]?.[0]?.path ?? ""}.weight`;
    const whole = await merged.read(name);
    expect(whole.byteLength).toBe(merged.tensors.get(name)?.bytes);
    const [rows = 0, k = 0] = merged.tensors.get(name)?.shape ?? [];
    const row = 4 * k;
    expect(await merged.read(name, row, 3 * row)).toEqual(whole.slice(row, 3 * row));
    expect(await merged.read(name, 12, (rows - 1) * row + 8)).toEqual(whole.slice(12, (rows - 1) * row + 8));
  });

  it("of another model is refused", async () => {
    await expect(readAdapter(folder, parseModelSpec(ODD_CONFIG))).rejects.toMatchObject({ code: "E_TENSOR_SHAPE" });
  });
});

const { vocabSize: vocab, hiddenSize: hidden } = spec;

describe("an adapter that differs from layer to layer", () => {
  it("gives the same beside the weights as added into them", async () => {
    const context = await testGpu({ limits: "default" });
    const source = adapterFolder(
      {
        target_modules: String.raw`.*0\.self_attn\.[qv]_proj|.*1\.self_attn\.k_proj|.*1\.mlp\.(up|down)_proj|.*0\.mlp\.gate_proj`,
        rank_pattern: { "0.self_attn.q_proj": 3, up_proj: 40 },
        alpha_pattern: { k_proj: 32 },
        modules_to_save: ["lm_head"],
        bias: "lora_only",
      },
      {
        ...pairTensors(spec, 0, "q_proj", 3),
        ...pairTensors(spec, 0, "v_proj", 4),
        ...pairTensors(spec, 1, "k_proj", 4),
        ...pairTensors(spec, 1, "up_proj", 40),
        ...pairTensors(spec, 1, "down_proj", 4),
        ...pairTensors(spec, 0, "gate_proj", 4),
        [`${WRAPPER}lm_head.weight`]: { dtype: "F32", shape: [vocab, hidden], data: noise(vocab * hidden, 3) },
        [`${WRAPPER}model.layers.0.self_attn.q_proj.base_layer.bias`]: {
          dtype: "F32",
          shape: [hidden],
          data: noise(hidden, 8),
        },
        [`${WRAPPER}model.layers.0.self_attn.v_proj.base_layer.bias`]: {
          dtype: "F32",
          shape: [hidden / 2],
          data: noise(hidden / 2, 9),
        },
        [`${WRAPPER}model.layers.1.self_attn.k_proj.base_layer.bias`]: {
          dtype: "F32",
          shape: [hidden / 2],
          data: noise(hidden / 2, 7),
        },
      },
    );
    const mixed = await readAdapter(source, spec);
    const merged = await loadModel(context, await adaptedFolder("merged", folder, spec, mixed));
    const beside = await loadModel(context, await replacedFolder(folder, spec, mixed));
    const plain = await loadModel(context, folder);
    const scope = context.arena.scope("adapter");
    try {
      const expected = await logprobs(await Session.create(merged, SIZES));
      const found = await logprobs(await Session.create(beside, SIZES, uploadAdapter(context, scope, mixed)));
      expect(largest(found, expected)).toBeLessThan(2e-5);
      expect(largest(await logprobs(await Session.create(plain, SIZES)), expected)).toBeGreaterThan(1e-2);
    } finally {
      scope.dispose();
      for (const model of [merged, beside, plain]) model.dispose();
    }
    expect(context.arena.liveBuffers).toBe(0);
  });
});
