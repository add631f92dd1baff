import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import { safetensorsFiles } from "../checkpoint/export/safetensors.ts";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import { dataPath, hasData, titleWithData } from "../checkpoint/node/test-data.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { buildSafetensors, memoryFolder as filesFolder } from "../checkpoint/testing.ts";
import type { TestTensor } from "../checkpoint/testing.ts";
import { testGpu } from "../gpu/node/test-device.ts";
import { FIXTURES } from "../testing-data.ts";
import { openExportModel } from "./export-model.ts";
import { loadModel, readModelSpec } from "./load.ts";
import { Session } from "./session.ts";
import { allTensors, checkTensors, modelTensors } from "./tensor-names.ts";
import { memoryFolder, ODD_CONFIG, randomTensors } from "./testing.ts";

const TIED = { ...ODD_CONFIG, tie_word_embeddings: true };
const EMBEDDING = "model.embed_tokens.weight";
type Tensors = Record<string, TestTensor>;

const renamed = (tensors: Tensors, rename: (name: string) => string): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]));
const bare = (name: string): string => name.replace(/^model\./, "");
const zeros = (size: number): TestTensor => ({ dtype: "F32", shape: [size], data: new Float32Array(size) });

/** All of a model's checks before its weights are read. */
async function checked(folder: ModelFolder): Promise<void> {
  const spec = await readModelSpec(folder);
  checkTensors(await openCheckpoint(folder), allTensors(modelTensors(spec)));
  await openExportModel(folder);
}

async function expectSame(folder: ModelFolder, tensors: Tensors): Promise<void> {
  await checked(folder);
  const checkpoint = await openCheckpoint(folder);
  for (const [name, { data }] of Object.entries(tensors)) {
    expect(await checkpoint.read(name), name).toEqual(new Uint8Array(data.buffer));
  }
}

describe("a base model's checkpoint, without model. before its names,", () => {
  const untied = randomTensors(ODD_CONFIG);
  const tied = randomTensors(TIED);

  it("is read with lm_head beside it, and tied without", async () => {
    await expectSame(memoryFolder(ODD_CONFIG, renamed(untied, bare)), untied);
    await expectSame(memoryFolder(TIED, renamed(tied, bare)), tied);
  });

  it("may name the base model as its architecture", async () => {
    for (const [model, causal] of [
      ["Qwen2Model", "Qwen2ForCausalLM"],
      ["LlamaModel", "LlamaForCausalLM"],
    ] as const) {
      const config = { ...TIED, architectures: [model] };
      const spec = await readModelSpec(memoryFolder(config, tied));
      expect(spec.architecture).toBe(causal);
      const tensors = renamed(randomTensors(config), bare);
      const files = safetensorsFiles(await openExportModel(memoryFolder(config, tensors)));
      let text = "";
      for await (const chunk of files[0]?.chunks() ?? []) text += new TextDecoder().decode(chunk);
      expect(JSON.parse(text)).toMatchObject({ architectures: [causal] });
    }
  });

  it("may be in shards, and have its prefix in some", async () => {
    const halves: [Tensors, Tensors] = [{}, {}];
    Object.entries(untied).forEach(([name, tensor], i) => {
      halves[i % 2 === 0 ? 0 : 1][i % 2 === 0 ? bare(name) : name] = tensor;
    });
    const map = halves.flatMap((half, i) => Object.keys(half).map((name) => [name, `${i}.safetensors`] as const));
    const folder = filesFolder({
      "config.json": JSON.stringify(ODD_CONFIG),
      "model.safetensors.index.json": JSON.stringify({ weight_map: Object.fromEntries(map) }),
      "0.safetensors": buildSafetensors(halves[0]),
      "1.safetensors": buildSafetensors(halves[1]),
    });
    await expectSame(folder, untied);
  });

  it("is refused where a tensor is there under both names", async () => {
    const folder = memoryFolder(ODD_CONFIG, { ...untied, "norm.weight": zeros(ODD_CONFIG.hidden_size) });
    await expect(checked(folder)).rejects.toMatchObject({ code: "E_TENSOR_INFO" });
    await expect(checked(folder)).rejects.toThrow('tensors "model.norm.weight" and "norm.weight" are one and the same');
  });

  it("without an output projection is refused unless it is tied", async () => {
    const { "lm_head.weight": _, ...rest } = untied;
    await expect(checked(memoryFolder(ODD_CONFIG, renamed(rest, bare)))).rejects.toThrow(
      "tensor lm_head.weight is missing; expected shape [77, 44]; only with tie_word_embeddings true",
    );
  });

  it.each(["_orig_mod.", "module.", "base_model.model.", "language_model.", "_orig_mod.module."])(
    "is refused with %s before its names, which is named",
    async (prefix) => {
      const folder = memoryFolder(
        ODD_CONFIG,
        renamed(untied, (name) => prefix + name),
      );
      await expect(checked(folder)).rejects.toMatchObject({ code: "E_TENSOR_MISSING" });
      await expect(checked(folder)).rejects.toThrow(`found "${prefix}${EMBEDDING}"`);
    },
  );

  it("may hold buffers that older versions saved", async () => {
    const extra = {
      "layers.0.self_attn.rotary_emb.inv_freq": zeros(6),
      "layers.1.self_attn.masked_bias": zeros(1),
      "model.layers.0.self_attn.rotary_emb.inv_freq.old": zeros(6),
    };
    await expectSame(memoryFolder(ODD_CONFIG, { ...extra, ...renamed(untied, bare) }), untied);
  });
});

describe("a tied model's file with an output projection", () => {
  const tensors = randomTensors(TIED);
  const table = tensors[EMBEDDING];
  if (!table) throw new Error("no embedding");

  it("is read where it is the embedding's copy", async () => {
    const folder = memoryFolder(TIED, { ...tensors, "lm_head.weight": table });
    await expect(checked(folder)).resolves.toBeUndefined();
  });

  it("is refused where it is not", async () => {
    const other = Float32Array.from(new Float32Array(table.data.buffer), (value, i) =>
      i === 3000 ? value + 1 : value,
    );
    const folder = memoryFolder(TIED, { ...tensors, "lm_head.weight": { ...table, data: other } });
    const error = { code: "E_CONFIG", details: { field: "tie_word_embeddings" } };
    await expect(checked(folder)).rejects.toMatchObject(error);
    await expect(loadModel(await testGpu(), folder)).rejects.toMatchObject(error);
  });
});

const NOPREFIX = "reports/models/noprefix";

describe.skipIf(!hasData(NOPREFIX))(titleWithData("the reported model without model.", NOPREFIX), () => {
  it("gives the same logits as with it", async () => {
    const context = await testGpu();
    const folder = nodeFolder(dataPath(NOPREFIX));
    const stored = await openCheckpoint(folder);
    const tensors: [string, TestTensor][] = [];
    for (const { name, shape } of stored.tensors.values()) {
      tensors.push([name, { dtype: "F32", shape, data: await stored.read(name) }]);
    }
    expect(tensors.map(([name]) => name)).toContain(EMBEDDING);
    const named = memoryFolder(await json(folder), Object.fromEntries(tensors));
    const logits: (readonly number[])[] = [];
    for (const each of [folder, named]) {
      const model = await loadModel(context, each);
      const sizes = { maxSequences: 1, contextTokens: 16, kvTokens: 16, prefillRows: 16, kv: "f32" } as const;
      const session = await Session.create(model, sizes);
      logits.push([...(await session.score([1, 2, 3])).lastLogits]);
      session.dispose();
      model.dispose();
    }
    expect(logits[0]).toEqual(logits[1]);
    expect(logits[0]?.every(Number.isFinite)).toBe(true);
  });
});

async function json(folder: ModelFolder): Promise<object> {
  const file = await folder.open("config.json");
  const text = new TextDecoder().decode(await file?.read(0, file.size));
  return JSON.parse(text) as object;
}

describe("a model with the usual names", () => {
  it("is read as before", async () => {
    await expect(checked(nodeFolder(join(FIXTURES, "llama-tiny")))).resolves.toBeUndefined();
  });
});
