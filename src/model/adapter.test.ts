import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import { testGpu } from "../gpu/node/test-device.ts";
import { FIXTURES } from "../testing-data.ts";
import { adaptedFolder, readAdapter, uploadAdapter } from "./adapter.ts";
import { loadModel, readModelSpec } from "./load.ts";
import { Session } from "./session.ts";
import { parseModelSpec } from "./spec.ts";
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
      const beside = uploadAdapter(context, scope, spec, adapter);
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
    const [module = "q_proj"] = adapter.lora.target_modules;
    const name = [...merged.tensors.keys()].find((key) => key.endsWith(`${module}.weight`)) ?? "";
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
