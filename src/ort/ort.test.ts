import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onnxFiles } from "../checkpoint/export/onnx/export.ts";
import { decoderGraph } from "../checkpoint/export/onnx/decoder.ts";
import { isExternal, onnxModel } from "../checkpoint/export/onnx/graph.ts";
import type { OnnxGraph } from "../checkpoint/export/onnx/graph.ts";
import { protoChunks, protoSize } from "../checkpoint/export/onnx/proto.ts";
import type { Proto } from "../checkpoint/export/onnx/proto.ts";
import { exportedBytes, exportedFolder } from "../checkpoint/export/testing.ts";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import { memoryFolder } from "../checkpoint/testing.ts";
import { isR1Error } from "../errors.ts";
import { resolveOptions } from "../generate/options.ts";
import { collect, complete, openFixture, request, tokenIds } from "../generate/testing.ts";
import { testGpu } from "../gpu/node/test-device.ts";
import { openExportModel } from "../model/export-model.ts";
import type { LanguageModel } from "../model/language-model.ts";
import { loadModel } from "../model/load.ts";
import { Session } from "../model/session.ts";
import type { SessionSizes } from "../model/session-buffers.ts";
import { loadTextAssets } from "../model/text-assets.ts";
import { FIXTURES } from "../testing-data.ts";
import { loadOnnx } from "./load.ts";
import type { OrtModel } from "./load.ts";
import { openOrt } from "./runtime.ts";
import type { OrtRuntime } from "./runtime.ts";

const SIZES: SessionSizes = { maxSequences: 8, contextTokens: 96, kvTokens: 512, prefillRows: 7, kv: "f32" };
const NANO = join(import.meta.dirname, "../../public/models/nano-r1");

async function exported(folder: string) {
  return exportedFolder(onnxFiles(await openExportModel(nodeFolder(folder))));
}

let runtime: OrtRuntime;
beforeAll(async () => {
  runtime = await openOrt({ name: "wasm" });
});

describe("a model in ONNX Runtime", () => {
  let model: OrtModel;
  let onnx: LanguageModel;
  let ours: LanguageModel;
  let close: () => void;
  beforeAll(async () => {
    model = await loadOnnx(runtime, await exported(join(FIXTURES, "qwen2-tiny")));
    onnx = model.createSession(SIZES);
    const opened = await openFixture("qwen2-tiny");
    ours = opened.session;
    close = opened.dispose;
  });
  afterAll(async () => {
    close();
    await model.dispose();
  });

  it("says what our kernels say: tokens, log-probabilities, entropy, alternatives", async () => {
    const what = request([tokenIds(19, 101)], { maxNewTokens: 24, alternatives: 5 });
    const [ort, own] = [await collect(onnx, what), await collect(ours, what)];
    expect(ort.tokens.map(({ id }) => id)).toEqual(own.tokens.map(({ id }) => id));
    ort.tokens.forEach((token, i) => {
      const other = own.tokens[i];
      expect(token.logprob).toBeCloseTo(other?.logprob ?? Number.NaN, 3);
      expect(token.entropy).toBeCloseTo(other?.entropy ?? Number.NaN, 3);
      expect(token.alternatives?.map(({ id }) => id)).toEqual(other?.alternatives?.map(({ id }) => id));
    });
  });

  it("gives a seed's samples, several of one prompt in a batch and several prompts", async () => {
    const prompts = [tokenIds(5, 101), tokenIds(12, 101, 3)];
    const options = { maxNewTokens: 10, temperature: 0.8, topP: 0.9, repetitionPenalty: 1.2, seed: 42, n: 3 };
    const [ort, own] = [await collect(onnx, request(prompts, options)), await collect(ours, request(prompts, options))];
    expect(new Set(own.completions.flat().map(({ ids }) => ids.join(" "))).size).toBeGreaterThan(2);
    expect(ort.completions.map((samples) => samples.map(({ ids }) => ids))).toEqual(
      own.completions.map((samples) => samples.map(({ ids }) => ids)),
    );
  });

  it("lets samples leave the batch as they end", async () => {
    const options = { maxNewTokens: 12, temperature: 1.5, seed: 7, n: 4 };
    const free = await collect(ours, request([tokenIds(4, 101)], options));
    const stopIds = free.completions.flat().map(({ ids }, i) => ids[2 + i] ?? 0);
    const what = request([tokenIds(4, 101)], options, { stopIds });
    const lengths = new Set((await collect(ours, what)).completions.flat().map(({ ids }) => ids.length));
    expect(lengths.size).toBeGreaterThan(1);
    expect((await collect(onnx, what)).completions).toEqual(
      (await collect(ours, what)).completions.map((samples) =>
        samples.map((sample) => ({
          ...sample,
          logprobs: sample.logprobs.map((value) => expect.closeTo(value, 3) as number),
          entropies: sample.entropies.map((value) => expect.closeTo(value, 3) as number),
        })),
      ),
    );
  });

  it("computes only what a conversation's next turn adds, and frees what its sequences held", async () => {
    const conversation = onnx.open(96);
    const ids = tokenIds(10, 101);
    const first = await complete(
      onnx,
      request([ids], { maxNewTokens: 5 }, { prompts: [{ ids, startsInThink: false, conversation }] }),
    );
    const next = [...ids, ...first.ids, 7, 8];
    const what = request([next], { maxNewTokens: 5 }, { prompts: [{ ids: next, startsInThink: false, conversation }] });
    const second = await collect(onnx, what);
    expect(second.stats.cachedTokens).toBe(ids.length + 4);
    expect(second.completions[0]?.[0]?.ids).toEqual((await complete(ours, request([next], { maxNewTokens: 5 }))).ids);
    // Another session goes on with it, several samples too.
    const kept = await onnx.keep(conversation);
    conversation.free();
    const other: LanguageModel = model.createSession(SIZES);
    const moved = other.resume(kept, 96);
    kept.dispose();
    const prompts = [{ ids: next, startsInThink: false, conversation: moved }];
    const third = await collect(other, request([next], { maxNewTokens: 5, n: 2 }, { prompts }));
    expect(third.stats.cachedTokens).toBe(next.length - 1);
    expect(third.completions[0]?.map(({ ids: said }) => said)).toEqual(
      [0, 1].map(() => second.completions[0]?.[0]?.ids),
    );
    moved.free();
    other.dispose();
    // All of the cache is there again.
    onnx.open(SIZES.kvTokens).free();
  });

  it("refuses more than the cache holds, a token that is none, and too long a prompt", async () => {
    expect(() => onnx.open(SIZES.kvTokens + 1)).toThrow("cache");
    await expect(complete(onnx, request([[5, 101]]))).rejects.toMatchObject({ code: "E_TOKEN_RANGE" });
    await expect(complete(onnx, request([tokenIds(96, 101)]))).rejects.toMatchObject({ code: "E_PROMPT_TOO_LONG" });
  });
});

describe("loadOnnx", () => {
  it("names what is wrong with a folder", async () => {
    const files = await exported(join(FIXTURES, "qwen2-tiny"));
    const config = await files.open("config.json");
    const text = new TextDecoder().decode(await config?.read(0, config.size));
    const failure = async (contents: Record<string, string | Uint8Array>): Promise<unknown> => {
      try {
        await loadOnnx(runtime, memoryFolder(contents));
        return undefined;
      } catch (error) {
        return isR1Error(error) ? error.code : error;
      }
    };
    expect(await failure({ "config.json": text })).toBe("E_FILE_MISSING");
    expect(await failure({ "config.json": text, "onnx/model.onnx": "not a graph" })).toBe("E_FORMAT");
    const graph = await files.open("onnx/model.onnx");
    const bytes = (await graph?.read(0, graph.size)) ?? new Uint8Array();
    const deeper = text.replace(/"num_hidden_layers": \d+/, '"num_hidden_layers": 3');
    expect(await failure({ "config.json": deeper, "onnx/model.onnx": bytes })).toBe("E_FORMAT");
  });
});

it.each(["model.onnx_data", "w.data", "./data/w.data", "layers.0.weight"])(
  "weights lie in a file that the graph calls %s",
  async (location) => {
    const model = await openExportModel(nodeFolder(join(FIXTURES, "qwen2-tiny")));
    const graph = decoderGraph(model);
    const bytesOf = (parts: Proto) =>
      exportedBytes({ path: "", size: protoSize(parts), chunks: (signal) => protoChunks(parts, signal) });
    const weights = await bytesOf(graph.initializers.filter(isExternal).map(({ data }) => data));
    const place = location.replace(/^\.\//, "");
    for (const at of ["onnx/", ""]) {
      const folder = memoryFolder({
        "config.json": JSON.stringify(model.config),
        [`${at}model.onnx`]: await bytesOf(onnxModel(graph, location)),
        [`${at}${place}`]: weights,
      });
      const loaded = await loadOnnx(runtime, folder);
      const plain = await loadOnnx(runtime, await exported(join(FIXTURES, "qwen2-tiny")));
      const what = request([tokenIds(9, 101)], { maxNewTokens: 6 });
      const want = await complete(plain.createSession(SIZES), what);
      expect((await complete(loaded.createSession(SIZES), what)).ids).toEqual(want.ids);
      await plain.dispose();
      await loaded.dispose();
    }
  },
);

it("newer exports ask of how many positions they shall compute logits", async () => {
  const model = await openExportModel(nodeFolder(join(FIXTURES, "qwen2-tiny")));
  const graph = decoderGraph(model);
  const asked: OnnxGraph = {
    ...graph,
    inputs: [...graph.inputs, { name: "num_logits_to_keep", type: "int64", shape: [] }],
  };
  const parts = onnxModel(asked, undefined);
  const size = protoSize(parts);
  const file = await exportedBytes({ path: "", size, chunks: (signal) => protoChunks(parts, signal) });
  const config = JSON.stringify(model.config);
  const plain = await loadOnnx(runtime, await exported(join(FIXTURES, "qwen2-tiny")));
  const newer = await loadOnnx(runtime, memoryFolder({ "config.json": config, "onnx/model.onnx": file }));
  const what = request([tokenIds(9, 101)], { maxNewTokens: 6 });
  const want = await complete(plain.createSession(SIZES), what);
  expect((await complete(newer.createSession(SIZES), what)).ids).toEqual(want.ids);
  await plain.dispose();
  await newer.dispose();
});

describe("nano-r1 in ONNX Runtime", () => {
  it("thinks and answers as with our kernels, with a budget too", async () => {
    const folder = nodeFolder(NANO);
    const { tokenizer } = await loadTextAssets(folder);
    if (!tokenizer) throw new Error("no tokenizer");
    const [model, weights] = [await loadOnnx(runtime, await exported(NANO)), await loadModel(await testGpu(), folder)];
    const sizes = { ...SIZES, contextTokens: 200, kvTokens: 200 };
    const [onnx, ours] = [model.createSession(sizes), await Session.create(weights, sizes)];
    const ids = tokenizer.encode("<｜begin▁of▁sentence｜><｜User｜>make 24 from 9 3 4<｜Assistant｜><think>\n");
    for (const options of [
      { maxNewTokens: 36 },
      { maxNewTokens: 20, thinkMax: 9 },
      { maxNewTokens: 40, thinkMin: 39 },
    ]) {
      const what = {
        prompts: [{ ids, startsInThink: true }],
        options: resolveOptions({ temperature: 0, ...options }),
        tokenizer,
      };
      const [ort, own] = [await complete(onnx, what), await complete(ours, what)];
      expect(ort.ids).toEqual(own.ids);
      expect(ort.answer).toBe(own.answer);
      expect(ort.think).toBe(own.think);
    }
    ours.dispose();
    weights.dispose();
    await model.dispose();
  });
});
