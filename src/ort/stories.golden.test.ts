import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { onnxFiles } from "../checkpoint/export/onnx/export.ts";
import { exportedFolder } from "../checkpoint/export/testing.ts";
import { modelFolder } from "../checkpoint/gguf/folder.ts";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import { complete, request } from "../generate/testing.ts";
import { openExportModel } from "../model/export-model.ts";
import { DATA, hasData } from "../testing-data.ts";
import { loadOnnx } from "./load.ts";
import { openOrt } from "./runtime.ts";
import type { OrtRuntime } from "./runtime.ts";

const ROOT = join(DATA, "checkpoints/stories260K");
const TOKENS = 60;

interface Expected {
  readonly results: Readonly<Record<string, { readonly greedy200_ids: readonly number[] }>>;
}

/** A real trained checkpoint whose GGUF files have q and k in llama.cpp's order of rows. */
describe.skipIf(!hasData("checkpoints/stories260K"))("stories260K as ONNX (needs the shared data folder)", () => {
  let runtime: OrtRuntime;
  beforeAll(async () => {
    runtime = await openOrt({ name: "wasm" });
  });

  it.each(["Q8_0", "Q4_0"])("from GGUF %s: says what our kernels say from the file", async (type) => {
    const expected = JSON.parse(readFileSync(join(ROOT, "expected.json"), "utf8")) as Expected;
    const folder = await modelFolder(nodeFolder(join(ROOT, "gguf")), `stories260K-${type}.gguf`);
    const exported = await exportedFolder(onnxFiles(await openExportModel(folder)));
    const model = await loadOnnx(runtime, exported);
    const session = model.createSession({
      maxSequences: 1,
      contextTokens: 128,
      kvTokens: 128,
      prefillRows: 8,
      kv: "f32",
    });
    const { ids } = await complete(session, request([[1]], { maxNewTokens: TOKENS }));
    expect(ids).toEqual(expected.results[`gguf-${type}`]?.greedy200_ids.slice(1, TOKENS + 1));
    session.dispose();
    await model.dispose();
  });
});
