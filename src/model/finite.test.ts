import { afterEach, describe, expect, it } from "vitest";
import { safetensorsFiles } from "../checkpoint/export/safetensors.ts";
import { onnxFiles } from "../checkpoint/export/onnx/export.ts";
import type { ExportFile } from "../checkpoint/export/file.ts";
import type { FloatDtype } from "../checkpoint/floats.ts";
import type { TestTensor } from "../checkpoint/testing.ts";
import { generate } from "../generate/generate.ts";
import { request } from "../generate/testing.ts";
import { testGpu } from "../gpu/node/test-device.ts";
import { exportGguf } from "./export-gguf.ts";
import { openExportModel } from "./export-model.ts";
import { loadModel } from "./load.ts";
import { Session } from "./session.ts";
import { ggufModel, randomBlocks } from "./testing-gguf.ts";
import { memoryFolder, ODD_CONFIG, randomTensors } from "./testing.ts";

const context = await testGpu();
afterEach(() => {
  // Whatever was refused, nothing stays on the device.
  const { liveBuffers } = context.arena;
  if (liveBuffers !== 0) throw new Error(`${liveBuffers} buffers were left on the device`);
});

const NAN = { F32: 0x7fc0_0000, F16: 0x7e00, BF16: 0x7fc0 } as const satisfies Record<FloatDtype, number>;
const LAYER = "model.layers.1";
const PLACES = [
  ["F16", "model.embed_tokens.weight", 45],
  ["BF16", `${LAYER}.input_layernorm.weight`, 3],
  ["F32", `${LAYER}.self_attn.k_proj.weight`, 100],
  ["F16", `${LAYER}.self_attn.v_proj.bias`, 2],
  ["BF16", `${LAYER}.mlp.up_proj.weight`, 51 * 44 - 1],
  ["F32", "lm_head.weight", 0],
] as const;

/** Seeded weights of which one is NaN. */
function broken(dtype: FloatDtype, name: string, at: number): Record<string, TestTensor> {
  const tensors = randomTensors(ODD_CONFIG, dtype);
  const { data } = tensors[name] ?? {};
  if (!data) throw new Error(`no ${name}`);
  const bits = dtype === "F32" ? new Uint32Array(data.buffer) : new Uint16Array(data.buffer);
  bits[at] = NAN[dtype];
  return tensors;
}

async function written(files: readonly ExportFile[]): Promise<void> {
  for (const file of files) for await (const chunk of file.chunks()) void chunk;
}

describe("a weight that is NaN", () => {
  it.each(PLACES)("is named on loading, in %s: %s", async (dtype, name, at) => {
    const folder = memoryFolder(ODD_CONFIG, broken(dtype, name, at));
    const error = { code: "E_NOT_FINITE", details: { tensor: name } };
    await expect(loadModel(context, folder)).rejects.toMatchObject(error);
  });

  it("is named on loading before it is quantized", async () => {
    const name = `${LAYER}.mlp.gate_proj.weight`;
    const folder = memoryFolder(ODD_CONFIG, broken("BF16", name, 9));
    const error = { code: "E_NOT_FINITE", details: { tensor: name } };
    await expect(loadModel(context, folder, { format: "q4" })).rejects.toMatchObject(error);
  });

  it("is named by every exporter", async () => {
    const name = `${LAYER}.mlp.down_proj.weight`;
    const model = await openExportModel(memoryFolder(ODD_CONFIG, broken("F16", name, 9)));
    const error = { code: "E_NOT_FINITE", details: { tensor: name } };
    await expect(written(safetensorsFiles(model, {}))).rejects.toMatchObject(error);
    await expect(written(onnxFiles(model, {}))).rejects.toMatchObject(error);
  });

  it.each(["Q8_0", "Q4_0", "Q4_K", "Q6_K", "Q5_K"] as const)(
    "is named where a block of %s has no scale",
    async (dtype) => {
      const sizes = { hidden: 256, inner: 256, heads: 4, kvHeads: 2, layers: 1, vocabulary: 64 };
      const bytes = randomBlocks(dtype, 256 * 256, 3);
      new DataView(bytes.buffer).setUint16(bytes.length - (dtype === "Q6_K" ? 2 : sizeOf(dtype)), 0x7c00, true);
      const folder = await ggufModel(sizes, () => dtype, { "blk.0.ffn_down.weight": bytes });
      const tensor = "model.layers.0.mlp.down_proj.weight";
      const error = { code: "E_NOT_FINITE", details: { tensor, row: 255 } };
      await expect(loadModel(context, folder)).rejects.toMatchObject(error);
      await expect(written(await exportGguf(await openExportModel(folder), "F16"))).rejects.toMatchObject(error);
    },
  );
});

function sizeOf(dtype: "Q8_0" | "Q4_0" | "Q4_K" | "Q6_K" | "Q5_K"): number {
  return { Q8_0: 34, Q4_0: 18, Q4_K: 144, Q6_K: 210, Q5_K: 176 }[dtype];
}

describe("numbers that overflow", () => {
  it("are refused by name where the weights are converted to f16 on loading", async () => {
    const name = "model.layers.0.self_attn.o_proj.weight";
    for (const [dtype, bits] of [
      ["BF16", 0x4780],
      ["F32", 0x4780_0000],
    ] as const) {
      const tensors = randomTensors(ODD_CONFIG, dtype);
      const data = tensors[name]?.data.buffer ?? new ArrayBuffer(8);
      const words = dtype === "F32" ? new Uint32Array(data) : new Uint16Array(data);
      words[5] = bits;
      const error = {
        code: "E_QUANTIZATION",
        message: expect.stringContaining(`${name} holds 65536; f16 ends at 65504`),
      };
      await expect(loadModel(context, memoryFolder(ODD_CONFIG, tensors), { format: "f16" })).rejects.toMatchObject(
        error,
      );
    }
  });

  it("are said to be the model's, and no token is made up", async () => {
    const tensors = randomTensors(ODD_CONFIG);
    for (const name of ["model.norm.weight", "lm_head.weight"]) {
      const { data } = tensors[name] ?? {};
      if (data) new Float32Array(data.buffer).fill(1e30, 0, 44);
    }
    const model = await loadModel(context, memoryFolder(ODD_CONFIG, tensors));
    const session = await Session.create(model, {
      maxSequences: 1,
      contextTokens: 32,
      kvTokens: 32,
      prefillRows: 16,
      kv: "f32",
    });
    try {
      const run = async (): Promise<void> => {
        for await (const event of generate(session, request([[1, 2, 3]]))) expect(event.type).not.toBe("token");
      };
      await expect(run()).rejects.toMatchObject({ code: "E_LOGITS" });
      await expect(session.score([1, 2, 3])).rejects.toMatchObject({ code: "E_LOGITS" });
    } finally {
      session.dispose();
      model.dispose();
    }
  });
});
