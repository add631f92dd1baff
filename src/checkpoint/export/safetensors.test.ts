import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { f16BitsToF32, f32ToBf16Bits, f32ToF16Bits } from "../../kernels/weights/half.ts";
import { openExportModel } from "../../model/export-model.ts";
import { FIXTURES } from "../../testing-data.ts";
import { openCheckpoint } from "../checkpoint.ts";
import { nodeFolder } from "../node/folder.ts";
import { readJson } from "../source.ts";
import { buildSafetensors, memoryFolder } from "../testing.ts";
import { fromFloats, toFloats } from "../floats.ts";
import { safetensorsFiles } from "./safetensors.ts";
import { exportedBytes, exportedFolder } from "./testing.ts";

const QWEN = nodeFolder(join(FIXTURES, "qwen2-tiny"));

describe("conversion of floats", () => {
  const halves = new Uint16Array(65_536).map((_, i) => i);

  it("reads every f16 and bf16", () => {
    const f16 = toFloats(new Uint8Array(halves.buffer), "F16");
    const bf16 = toFloats(new Uint8Array(halves.buffer), "BF16");
    for (let i = 0; i < 65_536; i++) {
      expect(Object.is(f16[i], f16BitsToF32(i)), `f16 ${i}`).toBe(true);
      if (!Number.isNaN(bf16[i])) expect(f32ToBf16Bits(bf16[i] ?? 0)).toBe(i);
    }
  });

  it("rounds to nearest even, at every f16 and between them", () => {
    const values = new Float32Array(65_536 * 3);
    const words = new Uint32Array(values.buffer);
    toFloats(new Uint8Array(halves.buffer), "F16").forEach((value, i) => (values[i] = value));
    // Halfway to the next, and one bit beyond.
    for (let i = 0; i < 65_536; i++) words[65_536 + i] = (words[i] ?? 0) + 0x1000;
    for (let i = 0; i < 65_536; i++) words[131_072 + i] = (words[i] ?? 0) + 0x1001;
    const f16 = new Uint16Array(fromFloats(values, "F16").buffer);
    const bf16 = new Uint16Array(fromFloats(values, "BF16").buffer);
    let wrong = 0;
    values.forEach((value, i) => {
      if (Number.isNaN(value)) return;
      if (f16[i] !== f32ToF16Bits(value) || bf16[i] !== f32ToBf16Bits(value)) wrong++;
    });
    expect(wrong).toBe(0);
  });
});

describe("safetensors export", () => {
  it("gives back every tensor, config and text as it was", async () => {
    const model = await openExportModel(QWEN);
    const folder = await exportedFolder(safetensorsFiles(model));
    const again = await openExportModel(folder);
    expect(again.spec).toEqual(model.spec);
    expect(again.checkpoint.metadata).toEqual({ format: "pt" });
    expect([...again.checkpoint.tensors.keys()]).toEqual(model.tensors.map(({ name }) => name));
    for (const { name } of model.tensors) {
      expect(await again.checkpoint.read(name)).toEqual(await model.checkpoint.read(name));
    }
  });

  it("converts, and says so in config.json", async () => {
    const model = await openExportModel(QWEN);
    const folder = await exportedFolder(safetensorsFiles(model, { dtype: "F16" }));
    const halves = await openCheckpoint(folder);
    expect(await readJson(folder, "config.json")).toMatchObject({ torch_dtype: "float16", hidden_size: 64 });
    for (const { name } of model.tensors) {
      expect(halves.tensors.get(name)?.dtype).toBe("F16");
      const expected = fromFloats(toFloats(await model.checkpoint.read(name), "F32"), "F16");
      expect(await halves.read(name)).toEqual(expected);
    }
  });

  it("shards above a size, with an index that names every tensor", async () => {
    const model = await openExportModel(QWEN);
    const files = safetensorsFiles(model, { dtype: "BF16", maxShardBytes: 60_000 });
    const shards = files.filter(({ path }) => path.endsWith(".safetensors"));
    expect(shards.length).toBeGreaterThan(2);
    expect(shards.map(({ path }) => path)).toContain(
      `model-00001-of-${String(shards.length).padStart(5, "0")}.safetensors`,
    );
    const again = await openExportModel(await exportedFolder(files));
    for (const { name } of model.tensors) {
      const expected = fromFloats(toFloats(await model.checkpoint.read(name), "F32"), "BF16");
      expect(await again.checkpoint.read(name)).toEqual(expected);
    }
  });

  it("refuses what f16 cannot hold", async () => {
    const model = await openExportModel(QWEN);
    const norm = "model.norm.weight";
    const checkpoint = await openCheckpoint(
      memoryFolder({
        "model.safetensors": buildSafetensors({
          [norm]: { dtype: "F32", shape: [2], data: Float32Array.of(1, -70_000) },
        }),
      }),
    );
    const [, ...files] = safetensorsFiles(
      { ...model, checkpoint, tensors: [{ name: norm, shape: [2] }] },
      { dtype: "F16" },
    );
    await expect(Promise.all(files.map(exportedBytes))).rejects.toMatchObject({ code: "E_QUANTIZATION" });
  });
});
