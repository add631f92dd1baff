import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-web/wasm";
import { describe, expect, it } from "vitest";
import { openExportModel } from "../../../model/export-model.ts";
import { FIXTURES } from "../../../testing-data.ts";
import { nodeFolder } from "../../node/folder.ts";
import type { ExportModel } from "../model.ts";
import { exportedBytes } from "../testing.ts";
import { onnxFiles } from "./export.ts";

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

async function open(name: string, maxModelBytes?: number) {
  const model = await openExportModel(nodeFolder(join(FIXTURES, name)));
  const files = onnxFiles(model, { maxModelBytes });
  const [graph, data] = ["onnx/model.onnx", "onnx/model.onnx_data"].map((path) =>
    files.find((file) => file.path === path),
  );
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
    const { model, session, hasDataFile } = await open(name, maxModelBytes);
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

  it("names its inputs and outputs as onnx-community's exports do", async () => {
    const { session } = await open("qwen2-tiny");
    const cache = (prefix: string) => [0, 1].flatMap((i) => [`${prefix}.${i}.key`, `${prefix}.${i}.value`]);
    expect(session.inputNames).toEqual(["input_ids", "attention_mask", "position_ids", ...cache("past_key_values")]);
    expect(session.outputNames).toEqual(["logits", ...cache("present")]);
    await session.release();
  });
});

function best(logits: Float32Array): number {
  return logits.indexOf(Math.max(...logits));
}
