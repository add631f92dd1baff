import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exportGguf } from "../../../model/export-gguf.ts";
import { openExportModel } from "../../../model/export-model.ts";
import { parseModelSpec } from "../../../model/spec.ts";
import { loadTextAssets, requireTokenizer } from "../../../model/text-assets.ts";
import { FIXTURES } from "../../../testing-data.ts";
import { nodeFolder } from "../../node/folder.ts";
import { dataPath, hasData, readData, titleWithData } from "../../node/test-data.ts";
import { GgufCheckpoint } from "../../gguf/checkpoint.ts";
import { dequantize, isReadableDtype } from "../../gguf/dequantize/dequantize.ts";
import { modelFolder } from "../../gguf/folder.ts";
import { GGML_TYPES } from "../../gguf/ggml-type.ts";
import { readJson } from "../../source.ts";
import type { ModelFolder } from "../../source.ts";
import { memoryFolder } from "../../testing.ts";
import { safetensorsFiles } from "../safetensors.ts";
import { exportedBytes, exportedFolder } from "../testing.ts";
import { encodeFloats } from "./quantize.ts";
import { sentencePieces } from "./sentence-piece.ts";
import type { WrittenDtype } from "./quantize.ts";

const NANO = nodeFolder(join(import.meta.dirname, "../../../../public/models/nano-r1"));
const TINY = nodeFolder(join(import.meta.dirname, "../../../../public/models/tiny-random"));
const LLAMA = nodeFolder(join(FIXTURES, "llama-tiny"));

/** A model exported to GGUF and read again. */
async function again(folder: ModelFolder, dtype: WrittenDtype): Promise<ModelFolder> {
  const [file] = await exportGguf(await openExportModel(folder), dtype);
  if (!file) throw new Error("nothing was exported");
  return modelFolder(memoryFolder({ "model.gguf": await exportedBytes(file) }), "model.gguf");
}

describe("GGUF export, read again", () => {
  it.each([
    ["nano-r1", NANO],
    ["tiny-random", TINY],
    ["llama-tiny", LLAMA],
  ])("%s: the same configuration, tensors, tokenizer and template", async (_, folder) => {
    const model = await openExportModel(folder);
    const found = await again(folder, "F32");
    expect(parseModelSpec(await readJson(found, "config.json"))).toEqual({
      ...model.spec,
      rmsNormEps: Math.fround(model.spec.rmsNormEps),
    });
    for (const { name, shape } of model.tensors) {
      expect(found.checkpoint?.tensors.get(name)).toMatchObject({ dtype: "F32", shape });
    }
    const [exact] = safetensorsFiles(model, { dtype: "F32" }).slice(-1);
    const [back] = safetensorsFiles(await openExportModel(found)).slice(-1);
    if (!exact || !back) throw new Error("no weights");
    expect(await exportedBytes(back)).toEqual(await exportedBytes(exact));
  });

  it.each([
    ["nano-r1, unigram", NANO],
    ["tiny-random, byte pairs", TINY],
  ])("%s: texts have the same tokens, and models the same template and ends", async (_, folder) => {
    const [before, after] = [await loadTextAssets(folder), await loadTextAssets(await again(folder, "Q8_0"))];
    const [want, found] = [requireTokenizer(before, folder), requireTokenizer(after, folder)];
    for (const text of [
      "<｜User｜>Use 3, 5 and 12.\n<think>3 + 5 = 8</think>",
      "  two  spaces\t\r\n",
      "漢字 é 😀 \u0000",
      "",
    ]) {
      expect(found.encode(text)).toEqual(want.encode(text));
      expect(found.decode(found.encode(text))).toBe(text);
    }
    expect(after.template?.source).toBe(before.template?.source);
    expect([after.eosIds, found.bosId, found.bosToken]).toEqual([before.eosIds, want.bosId, want.bosToken]);
    expect(found.tokenOf(5)).toBe(want.tokenOf(5));
  });

  it("writes matrices in the type, the output projection of 4-bit models in 8 bits, vectors in f32", async () => {
    const { checkpoint } = await again(NANO, "Q4_0");
    expect(checkpoint?.tensors.get("model.embed_tokens.weight")?.dtype).toBe("Q8_0");
    expect(checkpoint?.tensors.get("model.layers.0.mlp.up_proj.weight")?.dtype).toBe("Q4_0");
    expect(checkpoint?.tensors.get("model.norm.weight")?.dtype).toBe("F32");
    // Rows of 88 are no whole blocks.
    const odd = await again(TINY, "Q8_0");
    const types = Array.from(odd.checkpoint?.tensors.values() ?? [], ({ dtype, shape }) => [shape.at(-1), dtype]);
    for (const [columns, dtype] of types) if (Number(columns) % 32 !== 0) expect(["F16", "F32"]).toContain(dtype);
  });

  it("refuses a tokenizer that llama.cpp has no name for", async () => {
    const model = await openExportModel(NANO);
    const change = (pre: object) => {
      const json: unknown = JSON.parse(model.texts.get("tokenizer.json") ?? "{}");
      return { ...model, texts: new Map([["tokenizer.json", JSON.stringify({ ...(json as object), ...pre })]]) };
    };
    await expect(exportGguf(change({ pre_tokenizer: { type: "Whitespace" } }), "F16")).rejects.toMatchObject({
      code: "E_TOKENIZER",
    });
    await expect(exportGguf(change({ pre_tokenizer: { type: "ByteLevel" } }), "F16")).rejects.toMatchObject({
      code: "E_TOKENIZER",
    });
  });
});

const STORIES = "checkpoints/stories260K";

describe.skipIf(!hasData(STORIES))(titleWithData("a GGUF model with a sentencepiece tokenizer", STORIES), () => {
  const open = (type: string) => modelFolder(nodeFolder(dataPath(`${STORIES}/gguf`)), `stories260K-${type}.gguf`);
  const entriesOf = ({ checkpoint }: ModelFolder) =>
    checkpoint instanceof GgufCheckpoint ? checkpoint.entries : expect.fail("no GGUF file");
  const TEXTS = ["Once upon a time, there was a girl.", " two  spaces", "é 漢字 😀", "<s>Hi</s>", ""];

  it.each(["Q8_0", "Q4_0"] as const)("%s: exported, has its tokenizer as it was, and the same values", async (type) => {
    const folder = await open(type);
    const [same, exact] = [await again(folder, type), await again(folder, "F32")];
    const tokenizer = [...entriesOf(folder)].filter(([key]) => key.startsWith("tokenizer."));
    expect(tokenizer.length).toBeGreaterThan(5);
    for (const found of [same, exact]) {
      for (const [key, value] of tokenizer) expect(entriesOf(found).get(key), key).toEqual(value);
    }
    for (const { name, dtype } of folder.checkpoint?.tensors.values() ?? []) {
      if (!folder.checkpoint || !isReadableDtype(dtype)) throw new Error(`no ${name}`);
      const bytes = await folder.checkpoint.read(name);
      if (dtype === type) expect(await same.checkpoint?.read(name), name).toEqual(bytes);
      const values = await exact.checkpoint?.read(name);
      expect(values && dequantize("F32", values), name).toEqual(dequantize(dtype, bytes));
    }
  });

  it("is written from tokenizer.json alone, as after training: texts have the same tokens, pieces their types", async () => {
    const folder = await open("F32");
    const safetensors = await exportedFolder(safetensorsFiles(await openExportModel(folder)));
    const found = await again(safetensors, "F32");
    const [before, after] = [entriesOf(folder), entriesOf(found)];
    expect(after.get("tokenizer.ggml.model")).toBe("llama");
    for (const key of ["tokens", "token_type"]) {
      expect(after.get(`tokenizer.ggml.${key}`), key).toEqual(before.get(`tokenizer.ggml.${key}`));
    }
    const [want, got] = [
      requireTokenizer(await loadTextAssets(folder), folder),
      requireTokenizer(await loadTextAssets(found), found),
    ];
    for (const text of TEXTS) expect(got.encode(text), text).toEqual(want.encode(text));
  });
});

describe("a sentencepiece vocabulary of tokenizer.json", () => {
  const added = [{ id: 0, content: "<unk>", special: true }];
  const vocab = { "<unk>": 0, "<0x41>": 1, "▁": 2, a: 3, b: 4, ab: 5, "▁ab": 6 };
  const model = { type: "BPE", byte_fallback: true, unk_token: "<unk>", vocab };
  const json = (merges: unknown, rest: object = {}) => ({
    added_tokens: added,
    pre_tokenizer: null,
    model: { ...model, merges },
    ...rest,
  });

  it("has a score for each piece, the higher the earlier it is joined", () => {
    const { tokens, unknownId, hasPrefix } = sentencePieces(json(["a b", "▁ ab"]));
    expect([unknownId, hasPrefix]).toEqual([0, false]);
    expect(tokens.get(0)).toMatchObject({ type: 2 });
    expect(tokens.get(1)).toMatchObject({ type: 6 });
    expect(tokens.get(5)?.score).toBeGreaterThan(tokens.get(6)?.score ?? 0);
    const metaspace = { pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first" } };
    expect(
      sentencePieces(
        json(
          [
            ["a", "b"],
            ["▁", "ab"],
          ],
          metaspace,
        ),
      ).hasPrefix,
    ).toBe(true);
  });

  it.each([
    ["merges that leave a way to cut a piece out", json(["a b"]), /found 1; .*have 2/],
    ["another normalization", json(["a b", "▁ ab"], { normalizer: { type: "NFKC" } }), /normalizer/],
    ["another pre-tokenizer", json(["a b", "▁ ab"], { pre_tokenizer: { type: "Whitespace" } }), /pre_tokenizer/],
  ])("is refused with %s", (_, wrong, says) => {
    expect(() => sentencePieces(wrong)).toThrow(says);
    expect(() => sentencePieces(wrong)).toThrow(expect.objectContaining({ code: "E_TOKENIZER" }));
  });
});

const QUANTS = "gguf/quants";

describe("GGML's reference quantization", () => {
  it("refuses what f16 scales cannot hold", () => {
    expect(encodeFloats("Q8_0", new Float32Array(32).fill(1e8))).toBeUndefined();
    expect(encodeFloats("F16", Float32Array.of(1, -65_520))).toBeUndefined();
    // GGML divides 0 by −8: the scale is −0.
    expect(encodeFloats("Q4_0", new Float32Array(32))).toEqual(
      Uint8Array.of(0, 0x80, ...new Uint8Array(16).fill(0x88)),
    );
  });

  // A block whose largest magnitude has the last level is what the formula gives for its values; random bytes hold no such
  // block of Q8_0.
  it.skipIf(!hasData(QUANTS))(titleWithData("Q4_0 gives the published blocks back", QUANTS), () => {
    const raw = readData(`${QUANTS}/Q4_0.raw`);
    const size = GGML_TYPES.Q4_0.bytes;
    let compared = 0;
    for (let at = 0; at < raw.length; at += size) {
      const block = raw.slice(at, at + size);
      if (!block.subarray(2).some((pair) => (pair & 15) === 0 || pair >> 4 === 0)) continue;
      compared++;
      expect(encodeFloats("Q4_0", dequantize("Q4_0", block))).toEqual(block);
    }
    expect(compared).toBeGreaterThan(0);
  });

  it.skipIf(!hasData(STORIES)).each(["Q8_0", "Q4_0"] as const)(
    titleWithData("%s gives a published file's tensors from its f32 twin", STORIES),
    async (type) => {
      const open = (name: string) => modelFolder(nodeFolder(dataPath(`${STORIES}/gguf`)), `stories260K-${name}.gguf`);
      const [f32, want] = [await open("F32"), await open(type)];
      let compared = 0;
      for (const { name, dtype } of want.checkpoint?.tensors.values() ?? []) {
        if (dtype !== type || !f32.checkpoint || !want.checkpoint) continue;
        compared++;
        const values = dequantize("F32", await f32.checkpoint.read(name));
        expect(encodeFloats(type, values), name).toEqual(await want.checkpoint.read(name));
      }
      expect(compared).toBe(31);
    },
  );

  it("of a GGUF model, writes safetensors of its values", async () => {
    const found = await again(NANO, "Q8_0");
    const folder = await exportedFolder(safetensorsFiles(await openExportModel(found)));
    const back = await openExportModel(folder);
    const name = "model.layers.0.mlp.up_proj.weight";
    const tensor = found.checkpoint?.tensors.get(name);
    if (!found.checkpoint || !tensor || !isReadableDtype(tensor.dtype)) throw new Error(`no ${name}`);
    const values = dequantize(tensor.dtype, await found.checkpoint.read(name));
    expect(dequantize("F32", await back.checkpoint.read(name))).toEqual(values);
  });
});
