import { describe, expect, it } from "vitest";
import type { OnnxVariant } from "../checkpoint/onnx-variants.ts";
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

  it("reads weights that lie in several files beside the graph, up to the first that is missing", async () => {
    const file = "onnx/model.onnx";
    const files = { [file]: "g", [`${file}_data`]: "0", [`${file}_data_1`]: "1", [`${file}_data_3`]: "3" };
    const { graph, external } = await readOnnx(memoryFolder(files), { name: "wasm" });
    expect(new TextDecoder().decode(graph)).toBe("g");
    expect(external.map(({ path }) => path)).toEqual(["model.onnx_data", "model.onnx_data_1"]);
  });
});
