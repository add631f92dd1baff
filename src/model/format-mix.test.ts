import { join } from "node:path";
import { expect, it } from "vitest";
import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import { exportedBytes } from "../checkpoint/export/testing.ts";
import { modelFolder } from "../checkpoint/gguf/folder.ts";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import { memoryFolder } from "../checkpoint/testing.ts";
import { testGpu } from "../gpu/node/test-device.ts";
import { exportGguf } from "./export-gguf.ts";
import { openExportModel } from "./export-model.ts";
import { mixOfTensors, weightsOfMix } from "./format-mix.ts";
import { loadModel } from "./load.ts";
import { sizesOf } from "./memory-plan.ts";

const NANO = nodeFolder(join(import.meta.dirname, "../../public/models/nano-r1"));

it("the weights of a file with several formats are planned as the device has them", async () => {
  const [file] = await exportGguf(await openExportModel(NANO), "Q4_0");
  const bytes = await exportedBytes(file ?? expect.fail("nothing was exported"));
  const folder = await modelFolder(memoryFolder({ "x.gguf": bytes }), "x.gguf");
  const context = await testGpu();
  const before = context.arena.liveBytes;
  const model = await loadModel(context, folder);
  const taken = context.arena.liveBytes - before;
  const mix = mixOfTensors(model.spec, await openCheckpoint(folder));
  // The output projection of a 4-bit file has 8 bits.
  expect(mix.size).toBe(2);
  const sizes = sizesOf({ format: "q4", contextTokens: 64, batch: 1, kv: "f32" });
  const { format, weightBytes } = weightsOfMix(model.spec, mix, sizes, context.limits);
  expect(format).toBe("q4");
  expect((weightBytes ?? 0) / taken).toBeCloseTo(1, 2);
  model.dispose();
});
