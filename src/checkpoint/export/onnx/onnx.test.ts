import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-web/wasm";
import { describe, expect, it } from "vitest";
import { exportGguf } from "../../../model/export-gguf.ts";
import { openExportModel } from "../../../model/export-model.ts";
import { FIXTURES } from "../../../testing-data.ts";
import { dequantize } from "../../gguf/dequantize/dequantize.ts";
import { modelFolder } from "../../gguf/folder.ts";
import { nodeFolder } from "../../node/folder.ts";
import type { ExportModel } from "../model.ts";
import { exportedBytes } from "../testing.ts";
import { buildSafetensors } from "../../safetensors/write.ts";
import { toFloats } from "../../floats.ts";
import { memoryFolder } from "../../testing.ts";
import { elementCount, floatType } from "../model.ts";
import type { OnnxOptions } from "./export.ts";
import { onnxFiles } from "./export.ts";
import type { OnnxInitializer } from "./graph.ts";
import { quantized } from "./quantized.ts";

ort.env.wasm.numThreads = 1;

interface GoldenCase {
  readonly input_ids: number[];
  readonly last_logits: number[];
  readonly argmax_per_position: number[];
  /** Only of some cases. */
  readonly greedy_continuation?: number[];
}

function golden(name: string): GoldenCase[] {
  const parsed = JSON.parse(readFileSync(join(FIXTURES, name, "expected.json"), "utf8")) as { cases: GoldenCase[] };
  return parsed.cases;
}

async function open(name: string, options: OnnxOptions = {}, folder = nodeFolder(join(FIXTURES, name))) {
  const model = await openExportModel(folder);
  const files = onnxFiles(model, options);
  const [graph, data] = [".onnx", ".onnx_data"].map((ending) => files.find(({ path }) => path.endsWith(ending)));
  if (!graph) throw new Error("no onnx/model.onnx");
  const externalData = data ? [{ path: "model.onnx_data", data: await exportedBytes(data) }] : [];
  const session = await ort.InferenceSession.create(await exportedBytes(graph), { externalData });
  return { model, session, hasDataFile: data !== undefined };
}

const int64 = (values: readonly number[]): ort.Tensor =>
  new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);

function emptyCache({ layers, kvHeads, headDim }: ExportModel["spec"]): Record<string, ort.Tensor> {
  const names = Array.from({ length: layers }, (_, i) => [`past_key_values.${i}.key`, `past_key_values.${i}.value`]);
  const empty = new ort.Tensor("float32", new Float32Array(), [1, kvHeads, 0, headDim]);
  return Object.fromEntries(names.flat().map((name) => [name, empty]));
}

/** Logits of every position, and the cache after them. */
async function run(session: ort.InferenceSession, ids: readonly number[], past: Record<string, ort.Tensor>) {
  const before = Object.values(past)[0]?.dims[2] ?? 0;
  const results = await session.run({
    input_ids: int64(ids),
    attention_mask: int64(Array.from({ length: before + ids.length }, () => 1)),
    position_ids: int64(ids.map((_, i) => before + i)),
    ...past,
  });
  const { logits, ...present } = results;
  const cache = Object.entries(present).map(([name, value]) => [name.replace("present", "past_key_values"), value]);
  return { logits: logits?.data as Float32Array, cache: Object.fromEntries(cache) as Record<string, ort.Tensor> };
}

describe("ONNX export in ONNX Runtime's WASM provider", () => {
  it.each([
    ["qwen2-tiny", undefined],
    ["llama-tiny", undefined],
    ["qwen2-tiny", 1],
  ])("gives %s's logits and greedy tokens (weights in the model up to %s bytes)", async (name, maxModelBytes) => {
    const { model, session, hasDataFile } = await open(name, { maxModelBytes });
    expect(hasDataFile).toBe(maxModelBytes === 1);
    const { vocabSize } = model.spec;
    const cases = golden(name);
    expect(cases.some((one) => one.greedy_continuation)).toBe(true);
    for (const one of cases) {
      let { logits, cache } = await run(session, one.input_ids, emptyCache(model.spec));
      const last = logits.subarray(-vocabSize);
      const difference = Math.max(...one.last_logits.map((value, i) => Math.abs(value - (last[i] ?? Number.NaN))));
      expect(difference).toBeLessThan(1e-4);
      const argmax = one.input_ids.map((_, i) => best(logits.subarray(i * vocabSize, (i + 1) * vocabSize)));
      expect(argmax).toEqual(one.argmax_per_position);
      const tokens: number[] = [];
      const expected = one.greedy_continuation ?? [];
      while (tokens.length < expected.length) {
        const next = best(logits.subarray(-vocabSize));
        tokens.push(next);
        ({ logits, cache } = await run(session, [next], cache));
      }
      expect(tokens).toEqual(expected);
    }
    await session.release();
  });

  it("stores f16 and computes in f32", async () => {
    const { model, session } = await open("qwen2-tiny-f16", { weights: "f16" });
    const whole = await open("qwen2-tiny-f16");
    const ids = [3, 14, 15, 92, 65];
    const [half, full] = await Promise.all(
      [session, whole.session].map((one) => run(one, ids, emptyCache(model.spec))),
    );
    // The fixture's weights are f16 already.
    expect(half?.logits).toEqual(full?.logits);
    await session.release();
    await whole.session.release();
  });

  it("quantizes to blocks of 4 bits that the runtime reads as they were meant", async () => {
    const { model, session } = await open("llama-tiny", { weights: "q4" });
    const { folder, worst } = await dequantized(model);
    // An opposite extreme is cut by a step; all else is rounded to the nearest.
    expect(worst).toBeLessThanOrEqual(1.001);
    expect(worst).toBeGreaterThan(0.4);
    const reference = await open("llama-tiny", {}, folder);
    for (const { input_ids: ids } of golden("llama-tiny").slice(0, 3)) {
      const [q4, f32] = [
        await run(session, ids, emptyCache(model.spec)),
        await run(reference.session, ids, emptyCache(model.spec)),
      ];
      const difference = q4.logits.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - (f32.logits[i] ?? 0))),
        0,
      );
      expect(difference).toBeLessThan(1e-4);
    }
    await session.release();
    await reference.session.release();
  });

  it("keeps the blocks of a GGUF file's Q4_0, of which no value changes", async () => {
    const model = await openExportModel(nodeFolder(join(FIXTURES, "../../public/models/nano-r1")));
    const [file] = await exportGguf(model, "Q4_0");
    const gguf = memoryFolder({ "x.gguf": await exportedBytes(file ?? expect.fail("no file")) });
    const found = await openExportModel(await modelFolder(gguf, "x.gguf"));
    const matrices = found.tensors.filter(({ name }) => found.checkpoint.tensors.get(name)?.dtype === "Q4_0");
    expect(matrices.length).toBeGreaterThan(10);
    for (const tensor of matrices.slice(0, 4)) {
      const values = dequantize("Q4_0", await found.checkpoint.read(tensor.name));
      const [packed, steps] = await Promise.all(Object.values(quantized(found.checkpoint, tensor)).map(bytesOf));
      const scales = new Float32Array(steps?.buffer ?? new ArrayBuffer());
      const restored = values.map((_, i) => {
        const byte = packed?.[i >> 1] ?? 0;
        return ((i & 1 ? byte >> 4 : byte & 15) - 8) * (scales[i >> 5] ?? 0);
      });
      expect(restored).toEqual(values);
    }
  });

  it("names its inputs and outputs as onnx-community's exports do", async () => {
    const { session } = await open("qwen2-tiny");
    const cache = (prefix: string) => [0, 1].flatMap((i) => [`${prefix}.${i}.key`, `${prefix}.${i}.value`]);
    expect(session.inputNames).toEqual(["input_ids", "attention_mask", "position_ids", ...cache("past_key_values")]);
    expect(session.outputNames).toEqual(["logits", ...cache("present")]);
    await session.release();
  });
});

function bytesOf({ data }: OnnxInitializer): Promise<Uint8Array<ArrayBuffer>> {
  return exportedBytes({ path: "", size: data.size, chunks: () => data.chunks() });
}

/**
 * The model with the weights that its q4 export stands for, its head untied.
 * @returns the folder, and the largest error of a value in steps of its block
 */
async function dequantized(model: ExportModel) {
  let worst = 0;
  const tensors: [string, { dtype: "F32"; shape: readonly number[]; data: Uint8Array }][] = [];
  for (const tensor of model.tensors) {
    const { name, shape } = tensor;
    const values = toFloats(await model.checkpoint.read(name), floatType(model.checkpoint, name));
    const isMatrix = shape.length === 2;
    const [rows = 0, columns = 0] = shape;
    const restored = new Float32Array(elementCount(shape));
    if (isMatrix) {
      const { weights, scales } = quantized(model.checkpoint, tensor);
      const packed = await bytesOf(weights);
      const steps = new Float32Array((await bytesOf(scales)).buffer);
      const blocks = Math.ceil(columns / 32);
      for (let i = 0; i < restored.length; i++) {
        const [row, column] = [Math.floor(i / columns), i % columns];
        const block = row * blocks + Math.floor(column / 32);
        const byte = packed[block * 16 + ((column % 32) >> 1)] ?? 0;
        const step = steps[block] ?? 0;
        restored[i] = (((column & 1) === 0 ? byte & 15 : byte >> 4) - 8) * step;
        if (step !== 0) worst = Math.max(worst, Math.abs(((restored[i] ?? 0) - (values[i] ?? 0)) / step));
      }
      expect(steps).toHaveLength(rows * blocks);
    }
    const entry = (data: Float32Array) => ({ dtype: "F32" as const, shape, data: new Uint8Array(data.buffer) });
    const isEmbedding = name === "model.embed_tokens.weight";
    tensors.push([name, entry(isMatrix && !isEmbedding ? restored : values)]);
    if (isEmbedding && model.spec.tiedEmbeddings) tensors.push(["lm_head.weight", entry(restored)]);
  }
  const config = JSON.stringify({ ...model.config, tie_word_embeddings: false });
  const folder = memoryFolder({
    "config.json": config,
    "model.safetensors": buildSafetensors(Object.fromEntries(tensors)),
  });
  return { folder, worst };
}

function best(logits: Float32Array): number {
  return logits.indexOf(Math.max(...logits));
}
