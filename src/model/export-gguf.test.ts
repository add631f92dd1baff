import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelFolder } from "../checkpoint/gguf/folder.ts";
import type { WrittenDtype } from "../checkpoint/export/gguf/quantize.ts";
import { exportedBytes } from "../checkpoint/export/testing.ts";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { memoryFolder } from "../checkpoint/testing.ts";
import { testGpu } from "../gpu/node/test-device.ts";
import { exportGguf } from "./export-gguf.ts";
import { openExportModel } from "./export-model.ts";
import { loadModel } from "./load.ts";
import { Session } from "./session.ts";

const NANO = nodeFolder(join(import.meta.dirname, "../../public/models/nano-r1"));
/** BOS, the user's turn with some numbers, the beginning of a thought. */
const IDS = [394, 392, 3, 157, 5, 12, 20, 393, 395, 331, 5, 100];

interface Scored {
  readonly logits: Float32Array;
  readonly format: string;
}

async function score(folder: ModelFolder): Promise<Scored> {
  const model = await loadModel(await testGpu(), folder);
  const session = await Session.create(model, {
    maxSequences: 16,
    contextTokens: 32,
    kvTokens: 32,
    prefillRows: 16,
    kv: "f32",
  });
  const { lastLogits } = await session.score(IDS);
  const { format } = model.weights.layers[0]?.down.chunks[0] ?? { format: "none" };
  session.dispose();
  model.dispose();
  return { logits: lastLogits, format };
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

describe("a model exported as GGUF and loaded again", () => {
  it.each([
    ["F32", "f32", 1 - 1e-9],
    ["F16", "f16", 1 - 1e-6],
    ["Q8_0", "q8", 0.999],
    ["Q4_0", "q4", 0.99],
  ] as const)("%s, as %s on the device: the same logits but for what the type rounds", async (dtype, format, least) => {
    const exact = await score(NANO);
    const [file] = await exportGguf(await openExportModel(NANO), dtype satisfies WrittenDtype);
    if (!file) throw new Error("nothing was exported");
    const found = await score(await modelFolder(memoryFolder({ "x.gguf": await exportedBytes(file) }), "x.gguf"));
    expect(found.format).toBe(format);
    expect(cosine(found.logits, exact.logits)).toBeGreaterThan(least);
  });
});
