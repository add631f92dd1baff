import { describe, expect, it } from "vitest";
import type { OnnxVariant } from "../checkpoint/onnx/variants.ts";
import { buildOnnx } from "../checkpoint/onnx/testing.ts";
import { memoryFolder } from "../checkpoint/testing.ts";
import type { GpuContext } from "../gpu/device.ts";
import { bestVariant, onnxGraphs, readOnnx } from "../ort/onnx-files.ts";
import { chooseRuntime } from "./chat-model.ts";

/** What the choice looks at. */
function gpu(f16: boolean, isFallback = false): GpuContext {
  return { adapter: { isFallback }, features: { f16 } } as unknown as GpuContext;
}

function onnx(...variants: readonly OnnxVariant[]) {
  return { format: "onnx", graphs: new Map(variants.map((variant) => [variant, 1])) } as const;
}

describe("what an ONNX folder runs on", () => {
  it.each([
    ["f16 on a device that has it", gpu(true), onnx("model_q4f16"), { runtime: "onnx-webgpu" }],
    ["f16 on one that has not", gpu(false), onnx("model_q4f16"), { runtime: "onnx-wasm", instead: "form" }],
    ["q4 on every device", gpu(false), onnx("model_q4"), { runtime: "onnx-webgpu" }],
    ["8 bits on the processor", gpu(true), onnx("model_int8"), { runtime: "onnx-wasm", instead: "form" }],
    ["an emulated device", gpu(true, true), onnx("model_q4"), { runtime: "onnx-wasm", instead: "software-device" }],
    ["no device", undefined, onnx("model_q4f16"), { runtime: "onnx-wasm", instead: "no-device" }],
  ] as const)("%s", (_, device, checked, expected) => {
    expect(chooseRuntime(device, checked, "auto")).toEqual(expected);
  });

  it("is the best of its graphs: fast ones on the device, what needs no half floats on the processor", async () => {
    const folder = memoryFolder({ "onnx/model_q4.onnx": "a", "onnx/model_q4f16.onnx": "b", "onnx/model.onnx": "c" });
    const graphs = await onnxGraphs(folder);
    expect([...graphs.keys()]).toEqual(["model", "model_q4", "model_q4f16"]);
    expect(bestVariant(graphs, "webgpu", true)).toBe("model_q4f16");
    expect(bestVariant(graphs, "webgpu", false)).toBe("model_q4");
    expect(bestVariant(graphs, "wasm", false)).toBe("model_q4");
  });

  it("is refused by name where the device was asked for and cannot", async () => {
    const device = { features: new Set<string>() } as unknown as GPUDevice;
    const read = (file: string) => readOnnx(memoryFolder({ [file]: "x" }), { name: "webgpu", device });
    await expect(read("onnx/model_q4f16.onnx")).rejects.toMatchObject({
      code: "E_FEATURE",
      message: expect.stringMatching(/found onnx\/model_q4f16\.onnx.*shader-f16/),
    });
    await expect(read("onnx/model_int8.onnx")).rejects.toMatchObject({
      code: "E_FEATURE",
      message: expect.stringMatching(/model_int8\.onnx.*processor/),
    });
    await expect(read("x.onnx")).rejects.toMatchObject({ code: "E_FILE_MISSING" });
  });

  it("reads the weights that its graph names, whatever they are called, and says which are missing", async () => {
    const at = (location: string, offset = 0) => ({ location, offset: String(offset) });
    const names = ["model.onnx_data", "./weights/a.data", "layers.0.weight"];
    const graph = buildOnnx({
      tensors: [
        { name: "a", type: 1, dims: [2], external: at("model.onnx_data") },
        { name: "b", type: 1, dims: [2], external: at("model.onnx_data", 8) },
        { name: "c", type: 1, dims: [1], external: at("./weights/a.data") },
        { name: "d", type: 10, dims: [2], external: at("layers.0.weight") },
      ],
    });
    const parts = { "model.onnx_data": 16, "weights/a.data": 4, "layers.0.weight": 4 };
    for (const place of ["onnx/", ""]) {
      const data = Object.entries(parts).map(([name, size]) => [`${place}${name}`, new Uint8Array(size)] as const);
      const files = { [`${place}model.onnx`]: graph, ...Object.fromEntries(data) };
      const read = await readOnnx(memoryFolder(files), { name: "wasm" });
      expect(read.file).toBe(`${place}model.onnx`);
      expect(read.external.map(({ path, data: { length } }) => [path, length])).toEqual(
        names.map((name, i) => [name, [16, 4, 4][i]]),
      );
      for (const [name] of data) {
        const without = Object.fromEntries(Object.entries(files).filter(([key]) => key !== name));
        await expect(readOnnx(memoryFolder(without), { name: "wasm" })).rejects.toMatchObject({
          code: "E_FILE_MISSING",
          message: expect.stringContaining(name),
        });
      }
      const cut = { ...files, [`${place}model.onnx_data`]: new Uint8Array(15) };
      await expect(readOnnx(memoryFolder(cut), { name: "wasm" })).rejects.toMatchObject({ code: "E_FILE_TRUNCATED" });
    }
    // What is planned for counts them too, before they are read.
    const { "model.onnx_data": _, ...others } = parts;
    const odd = buildOnnx({ tensors: [{ name: "d", type: 10, dims: [2], external: at("layers.0.weight") }] });
    const folder = memoryFolder({ "model.onnx": odd, "layers.0.weight": new Uint8Array(others["layers.0.weight"]) });
    expect((await onnxGraphs(folder)).get("model")).toBe(odd.length + 4);
  });
});
