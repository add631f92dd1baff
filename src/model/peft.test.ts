import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { peftFiles } from "../checkpoint/export/peft.ts";
import { fromFloats } from "../checkpoint/floats.ts";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import { dataPath, hasData, titleWithData } from "../checkpoint/node/test-data.ts";
import { readJson } from "../checkpoint/source.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import type { TestTensor } from "../checkpoint/testing.ts";
import { FIXTURES } from "../testing-data.ts";
import { adaptedFolder, replacedFolder } from "./adapted-folder.ts";
import { readAdapter } from "./adapter.ts";
import type { AdapterTensors } from "./adapter.ts";
import { readModelSpec } from "./load.ts";
import { adapterFolder, noise, pairTensors, WRAPPER } from "./testing-adapter.ts";

const base = nodeFolder(join(FIXTURES, "qwen2-tiny"));
const spec = await readModelSpec(base);
const original = await openCheckpoint(base);
const { vocabSize: vocab, hiddenSize: hidden } = spec;

async function floats(checkpoint: Checkpoint, name: string): Promise<Float32Array> {
  return new Float32Array((await checkpoint.read(name)).buffer);
}

const qProj = (layer: number): string => `model.layers.${layer}.self_attn.q_proj.weight`;
const both = (rank = 4): Record<string, TestTensor> => ({
  ...pairTensors(spec, 0, "q_proj", rank),
  ...pairTensors(spec, 1, "q_proj", rank),
});

/** The largest difference of a merged tensor from W + scale · B · A, computed entry by entry. */
async function differenceOf(
  folder: ModelFolder,
  adapter: Checkpoint,
  module: string,
  scale: number,
): Promise<{ readonly error: number; readonly change: number }> {
  const merged = await openCheckpoint(folder);
  const [w, found] = [await floats(original, `${module}.weight`), await floats(merged, `${module}.weight`)];
  const prefix = `${WRAPPER}${module}.lora_`;
  const [a, b] = [await floats(adapter, `${prefix}A.weight`), await floats(adapter, `${prefix}B.weight`)];
  const rank = adapter.tensors.get(`${prefix}A.weight`)?.shape[0] ?? 0;
  const k = a.length / rank;
  let [error, change] = [0, 0];
  for (let i = 0; i < w.length; i++) {
    let sum = 0;
    for (let j = 0; j < rank; j++) sum += (b[Math.floor(i / k) * rank + j] ?? 0) * (a[j * k + (i % k)] ?? 0);
    error = Math.max(error, Math.abs((found[i] ?? Number.NaN) - (w[i] ?? 0) - scale * sum));
    change = Math.max(change, Math.abs(scale * sum));
  }
  return { error, change };
}

async function merge(folder: ModelFolder): Promise<{ readonly adapter: AdapterTensors; readonly folder: ModelFolder }> {
  const adapter = await readAdapter(folder, spec);
  return { adapter, folder: await adaptedFolder("merged", base, spec, adapter) };
}

const ADAPTERS = "reports/adapters";
const report = (name: string): ModelFolder => nodeFolder(dataPath(`${ADAPTERS}/${name}`));
const weightsOf = (folder: ModelFolder): Promise<Checkpoint> =>
  openCheckpoint(folder, { file: "adapter_model.safetensors" });

describe.skipIf(!hasData(ADAPTERS))(titleWithData("a reported adapter", ADAPTERS), () => {
  it.each([
    ["ad-alpha", "self_attn.q_proj", 64 / 4],
    ["ad-alpha", "self_attn.k_proj", 8 / 4],
    ["ad-alpha", "mlp.down_proj", 8 / 4],
    ["ad-rslora", "self_attn.q_proj", 8 / Math.sqrt(4)],
    ["ad-rslora", "mlp.up_proj", 8 / Math.sqrt(4)],
    ["ad-regex", "self_attn.v_proj", 8 / 4],
    ["ad-save", "mlp.gate_proj", 8 / 4],
  ])("%s: %s is scaled by %d", async (name, path, scale) => {
    const { folder } = await merge(report(name));
    for (const layer of [0, 1]) {
      const { error, change } = await differenceOf(
        folder,
        await weightsOf(report(name)),
        `model.layers.${layer}.${path}`,
        scale,
      );
      expect(error).toBeLessThan(1e-6);
      expect(change).toBeGreaterThan(1e-3);
    }
  });

  it("ad-save: the embedding, which is the output projection too, is the adapter's", async () => {
    const { folder } = await merge(report("ad-save"));
    const [merged, saved] = [await openCheckpoint(folder), await weightsOf(report("ad-save"))];
    expect(await merged.read("model.embed_tokens.weight")).toEqual(
      await saved.read(`${WRAPPER}model.embed_tokens.weight`),
    );
    // Both are equal, so the model stays tied.
    expect((await readModelSpec(folder)).tiedEmbeddings).toBe(true);
    expect(await merged.read("model.embed_tokens.weight")).not.toEqual(
      await original.read("model.embed_tokens.weight"),
    );
  });

  it.each(["ad-alpha", "ad-rslora", "ad-regex", "ad-save"])("%s keeps its configuration on export", async (name) => {
    const [first] = await peftFiles(report(name));
    let text = "";
    for await (const chunk of first?.chunks() ?? []) text += new TextDecoder().decode(chunk);
    expect(first?.path).toBe("adapter_config.json");
    expect(JSON.parse(text)).toEqual(await readJson(report(name), "adapter_config.json"));
  });
});

describe("a PEFT configuration", () => {
  it("gives modules ranks and scales of their own", async () => {
    const tensors = {
      ...pairTensors(spec, 0, "q_proj", 2),
      ...pairTensors(spec, 1, "q_proj", 4),
      ...pairTensors(spec, 0, "down_proj", 6),
      ...pairTensors(spec, 1, "down_proj", 6),
    };
    const source = adapterFolder(
      {
        target_modules: ["q_proj", "down_proj"],
        rank_pattern: { "layers.0.self_attn.q_proj": 2, "down_(proj)": 6 },
        alpha_pattern: { "^model\\.layers\\.[1-9]\\..*q_proj": 12, q_proj: 3 },
        use_rslora: true,
      },
      tensors,
    );
    const { folder } = await merge(source);
    for (const [module, scale] of [
      ["model.layers.0.self_attn.q_proj", 3 / Math.sqrt(2)],
      ["model.layers.1.self_attn.q_proj", 12 / Math.sqrt(4)],
      ["model.layers.0.mlp.down_proj", 8 / Math.sqrt(6)],
      ["model.layers.1.mlp.down_proj", 8 / Math.sqrt(6)],
    ] as const) {
      expect((await differenceOf(folder, await weightsOf(source), module, scale)).error).toBeLessThan(1e-6);
    }
  });

  it.each([
    ["a list and layers", { layers_to_transform: [1] }],
    ["a list and one layer", { layers_to_transform: 1, layers_pattern: "layers" }],
    ["layers by the list's name", { layers_to_transform: [1], layers_pattern: ["h", "layers"] }],
    ["a whole name", { target_modules: ["model.layers.1.self_attn.q_proj"] }],
    ["the end of a name", { target_modules: ["1.self_attn.q_proj"] }],
    ["an expression", { target_modules: ".*\\.1\\..*q_proj" }],
    ["what is left out", { target_modules: ["q_proj"], exclude_modules: ["layers.0.self_attn.q_proj"] }],
    ["what is left out by an expression", { exclude_modules: "model.layers.0.*" }],
    ["all-linear less the rest", { target_modules: "ALL-linear", exclude_modules: "(?!.*1\\.self_attn\\.q_proj).*" }],
    ["nothing that is no module", { target_modules: ["q_proj", "c_attn"], layers_to_transform: [1] }],
  ])("names the modules by %s", async (_, config) => {
    const { adapter, folder } = await merge(adapterFolder(config, pairTensors(spec, 1, "q_proj", 4)));
    expect(adapter.layout.map((layer) => layer.map(({ path }) => path))).toEqual([[], ["self_attn.q_proj"]]);
    const merged = await openCheckpoint(folder);
    expect(await merged.read(qProj(0))).toEqual(await original.read(qProj(0)));
    expect(await merged.read(qProj(1))).not.toEqual(await original.read(qProj(1)));
  });

  it("may leave PEFT's wrapper out of the names, and store halves", async () => {
    const tensors = Object.entries(both()).map(([name, tensor]): [string, TestTensor] => {
      const values = new Float32Array(
        noise(
          tensor.shape.reduce((a, b) => a * b, 1),
          name.length,
        ),
      );
      return [name.slice(WRAPPER.length), { ...tensor, dtype: "BF16", data: fromFloats(values, "BF16") }];
    });
    const { tensors: read } = await readAdapter(adapterFolder({}, Object.fromEntries(tensors)), spec);
    const values = [...read.values()];
    expect(values).toHaveLength(4);
    expect(values.every((one) => one.some((value) => value !== 0))).toBe(true);
  });

  it.each([
    ["use_dora", true],
    ["lora_bias", true],
    ["fan_in_fan_out", true],
    ["trainable_token_indices", [3]],
    ["target_parameters", ["mlp.experts"]],
    ["layer_replication", [[0, 2]]],
    ["megatron_config", { x: 1 }],
    ["alora_invocation_tokens", [1, 2]],
    ["arrow_config", { top_k: 3 }],
    ["use_qalora", true],
    ["ensure_weight_tying", true],
    ["init_lora_weights", "pissa_niter_16"],
    ["init_lora_weights", "olora"],
    ["init_lora_weights", "loftq"],
    ["task_type", "SEQ_CLS"],
    ["a_field_of_tomorrow", 0.5],
    ["bias", "some"],
    ["use_rslora", "yes"],
    ["r", 0],
    ["lora_alpha", "16"],
    ["rank_pattern", { q_proj: 2.5 }],
    ["alpha_pattern", { "(q_proj": 2 }],
    ["alpha_pattern", [1]],
    ["target_modules", []],
    ["target_modules", "(?i)Q_PROJ"],
    ["target_modules", ["c_attn"]],
    ["target_modules", ".*self_attn.*"],
    ["target_modules", ["norm"]],
    ["exclude_modules", 3],
    ["layers_pattern", "layers"],
    ["layers_to_transform", [1.5]],
    ["modules_to_save", ["score"]],
  ])("is refused for %s: %j", async (field, value) => {
    const folder = adapterFolder({ [field]: value }, both());
    const error = { code: "E_ADAPTER", message: expect.stringContaining(`adapter_config.json: ${field}: `) };
    await expect(readAdapter(folder, spec)).rejects.toMatchObject(error);
  });

  it("takes what says nothing about the values", async () => {
    const config = {
      auto_mapping: { unsloth_fixed: true },
      base_model_name_or_path: "x",
      lora_dropout: 0.1,
      peft_version: "0.18.0",
      megatron_core: "megatron.core",
      qalora_group_size: 16,
      init_lora_weights: "eva",
      eva_config: { rho: 2 },
      loftq_config: {},
      use_dora: false,
      layer_replication: null,
      modules_to_save: [],
      a_field_of_tomorrow: null,
    };
    await expect(readAdapter(adapterFolder(config, both()), spec)).resolves.toBeDefined();
  });

  it("with an expression that never ends matching is refused in time", async () => {
    const started = performance.now();
    const folder = adapterFolder({ target_modules: `${"(.*".repeat(40)}${")*".repeat(40)}x` }, both());
    await expect(readAdapter(folder, spec)).rejects.toMatchObject({ code: "E_ADAPTER" });
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe("an adapter's tensors", () => {
  const aName = `${WRAPPER}model.layers.1.self_attn.q_proj.lora_A.weight`;
  const zeros = (...shape: number[]): TestTensor => ({
    dtype: "F32",
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  });
  it.each([
    ["B missing", "E_FORMAT", { [`${WRAPPER}model.layers.1.self_attn.q_proj.lora_B.weight`]: undefined }],
    [
      "a whole pair missing",
      "E_TENSOR_MISSING",
      Object.fromEntries(Object.keys(pairTensors(spec, 1, "q_proj", 4)).map((name) => [name, undefined])),
    ],
    ["another rank", "E_TENSOR_SHAPE", { [aName]: zeros(8, hidden) }],
    ["another width", "E_TENSOR_SHAPE", { [aName]: zeros(4, hidden + 1) }],
    ["one dimension", "E_TENSOR_SHAPE", { [aName]: zeros(4 * hidden) }],
    ["an adapter of no module", "E_FORMAT", pairTensors(spec, 0, "k_proj", 4)],
    [
      "a layer that there is not",
      "E_FORMAT",
      {
        [aName.replace("layers.1", "layers.7")]: zeros(4, hidden),
        [aName.replace("layers.1", "layers.7").replace("lora_A", "lora_B")]: zeros(hidden, 4),
      },
    ],
    ["a magnitude of DoRA's", "E_FORMAT", { [aName.replace("lora_A.weight", "lora_magnitude_vector")]: zeros(hidden) }],
    [
      "an adapter's own name kept",
      "E_FORMAT",
      { [aName.replace("lora_A.weight", "lora_A.default.weight")]: zeros(4, hidden) },
    ],
    [
      "a bias without bias",
      "E_FORMAT",
      { [`${WRAPPER}model.layers.0.self_attn.q_proj.base_layer.bias`]: zeros(hidden) },
    ],
    ["a whole layer without modules_to_save", "E_FORMAT", { [`${WRAPPER}model.norm.weight`]: zeros(hidden) }],
    ["a larger vocabulary", "E_TENSOR_SHAPE", { [`${WRAPPER}model.embed_tokens.weight`]: zeros(vocab + 2, hidden) }],
    ["the same twice", "E_FORMAT", { [aName.slice(WRAPPER.length)]: zeros(4, hidden) }],
    [
      "whole numbers",
      "E_DTYPE",
      { [aName]: { dtype: "I32", shape: [4, hidden], data: new Int32Array(4 * hidden) } as const },
    ],
    [
      "a NaN",
      "E_NOT_FINITE",
      {
        [aName]: {
          ...zeros(4, hidden),
          data: Float32Array.from({ length: 4 * hidden }, (_, i) => (i === 70 ? Number.NaN : 0)),
        },
      },
    ],
  ])("are refused for %s with %s", async (_, code, changes: Readonly<Record<string, TestTensor | undefined>>) => {
    const tensors = Object.fromEntries(
      Object.entries({ ...both(), ...changes }).flatMap(([name, tensor]) => (tensor ? [[name, tensor] as const] : [])),
    );
    await expect(readAdapter(adapterFolder({}, tensors), spec)).rejects.toMatchObject({ code });
    const named = Object.keys(changes)[0] ?? "";
    await expect(readAdapter(adapterFolder({}, tensors), spec)).rejects.toThrow(
      code === "E_FORMAT" && changes[named] === undefined ? aName : /tensor/,
    );
  });

  it("stand in the place of biases with bias lora_only, and are missed where they are not there", async () => {
    const biases = [0, 1].map((layer): [string, TestTensor] => [
      `${WRAPPER}model.layers.${layer}.self_attn.q_proj.base_layer.bias`,
      { dtype: "F32", shape: [hidden], data: noise(hidden, 5 + layer) },
    ]);
    const { folder } = await merge(adapterFolder({ bias: "lora_only" }, { ...both(), ...Object.fromEntries(biases) }));
    const merged = await openCheckpoint(folder);
    expect(await floats(merged, "model.layers.1.self_attn.q_proj.bias")).toEqual(noise(hidden, 6));
    const k = "model.layers.1.self_attn.k_proj.bias";
    expect(await merged.read(k)).toEqual(await original.read(k));
    const missing = adapterFolder({ bias: "all" }, { ...both(), ...Object.fromEntries(biases) });
    await expect(readAdapter(missing, spec)).rejects.toThrow("k_proj.bias is missing; bias all asks for it");
  });

  it.each([
    ["lm_head", "lm_head.weight", "model.embed_tokens.weight"],
    ["embed_tokens", "model.embed_tokens.weight", "lm_head.weight"],
  ])("of %s alone untie a tied model", async (module, saved, kept) => {
    const tensor: TestTensor = { dtype: "F32", shape: [vocab, hidden], data: noise(vocab * hidden, 3) };
    const source = adapterFolder({ modules_to_save: [module] }, { ...both(), [WRAPPER + saved]: tensor });
    const adapter = await readAdapter(source, spec);
    for (const folder of [
      await adaptedFolder("merged", base, spec, adapter),
      await replacedFolder(base, spec, adapter),
    ]) {
      expect((await readModelSpec(folder)).tiedEmbeddings).toBe(false);
      const merged = await openCheckpoint(folder);
      expect(await floats(merged, saved)).toEqual(tensor.data);
      expect(await merged.read(kept)).toEqual(await original.read("model.embed_tokens.weight"));
    }
  });

  it("of the embedding and the output projection are added in", async () => {
    const [a, b] = [noise(4 * vocab, 1), noise(hidden * 4, 2)];
    const [headA, headB] = [noise(4 * hidden, 3), noise(vocab * 4, 4)];
    const source = adapterFolder(
      { target_modules: ["embed_tokens", "lm_head"] },
      {
        [`${WRAPPER}model.embed_tokens.lora_embedding_A`]: { dtype: "F32", shape: [4, vocab], data: a },
        [`${WRAPPER}model.embed_tokens.lora_embedding_B`]: { dtype: "F32", shape: [hidden, 4], data: b },
        [`${WRAPPER}lm_head.lora_A.weight`]: { dtype: "F32", shape: [4, hidden], data: headA },
        [`${WRAPPER}lm_head.lora_B.weight`]: { dtype: "F32", shape: [vocab, 4], data: headB },
      },
    );
    const { folder } = await merge(source);
    const [merged, table] = [await openCheckpoint(folder), await floats(original, "model.embed_tokens.weight")];
    const [embedding, head] = [
      await floats(merged, "model.embed_tokens.weight"),
      await floats(merged, "lm_head.weight"),
    ];
    for (const [token, column] of [
      [0, 0],
      [7, 3],
      [vocab - 1, hidden - 1],
    ] as const) {
      const ranks = [0, 1, 2, 3];
      const inEmbedding = ranks.reduce((sum, j) => sum + (b[column * 4 + j] ?? 0) * (a[j * vocab + token] ?? 0), 0);
      const inHead = ranks.reduce((sum, j) => sum + (headB[token * 4 + j] ?? 0) * (headA[j * hidden + column] ?? 0), 0);
      const at = token * hidden + column;
      expect(embedding[at]).toBeCloseTo((table[at] ?? 0) + 2 * inEmbedding, 6);
      expect(head[at]).toBeCloseTo((table[at] ?? 0) + 2 * inHead, 6);
    }
  });
});
