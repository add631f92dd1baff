import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../checkpoint/hub/catalogue.ts";
import { R1Error } from "../errors.ts";
import type { GpuContext } from "../gpu/device.ts";
import { parseModelSpec } from "../model/spec.ts";
import { memoryLimit, safeMemory } from "./machine-memory.ts";
import { adviseMemory, offerAfterFull, requireFit, weightsOfListing } from "./memory-advice.ts";
import type { Machine } from "./memory-advice.ts";
import { failure, pick, picked, startTestEngine, TINY } from "./testing.ts";

const GIB = 2 ** 30;
const MIB = 2 ** 20;

function machine({
  maxBufferSize = 256 * MIB,
  binding = 128 * MIB,
  f16 = true,
  gib = undefined as number | undefined,
} = {}): Machine {
  const limits = { maxBufferSize, maxStorageBufferBindingSize: binding };
  const gpu = { adapter: { isFallback: false }, features: { f16 }, limits } as unknown as GpuContext;
  return { gpu, memoryBytes: gib === undefined ? undefined : gib * GIB, safeBytes: 4 * GIB };
}

const WITHOUT: Machine = { gpu: undefined, memoryBytes: undefined, safeBytes: 2 * GIB };

function specOf(id: string) {
  const model = CATALOGUE.find((entry) => entry.id === id);
  const { architectures, ...config } = model?.config ?? expect.fail(id);
  return parseModelSpec({ ...config, architectures: [architectures] });
}

const QWEN = specOf("qwen-1.5b");
const LLAMA = specOf("llama-8b");
const bf16 = weightsOfListing(QWEN, { format: "safetensors", file: "model.safetensors", bytes: 3_554_214_621 });

describe("what a model would take", () => {
  it("is told in parts, with the longest context that fits", () => {
    const advice = adviseMemory(QWEN, bf16, { format: "q4" }, machine());
    expect(advice).toMatchObject({
      runtime: "webgpu",
      contextTokens: 4096,
      batch: 1,
      format: "q4",
      longestContext: 32_768,
    });
    expect(advice.reason).toBeUndefined();
    const { weights, kvCache, workspace, total } = advice.memory;
    expect(total).toBe(weights + kvCache + workspace);
    expect(weights / 1e9).toBeCloseTo(1.0, 1);
  });

  it("does not fit with too little memory: the same context in fewer bits is offered, then less of it", () => {
    const small = adviseMemory(QWEN, bf16, { contextTokens: 8192 }, machine({ gib: 1.75 }));
    expect(small).toMatchObject({
      reason: { kind: "memory", limit: 1.75 * GIB },
      offer: { format: "q4", contextTokens: 8192 },
    });
    expect(small.format).toBeUndefined();
    expect(small.longestContext).toBe(0);
    const tight = adviseMemory(QWEN, bf16, { format: "q4", contextTokens: 8192 }, machine({ gib: 1.1 }));
    expect(tight.offer?.contextTokens).toBeLessThan(8192);
    // In half floats: those of f32 would fit with less.
    expect(tight.longestContext).toBe(4096);
    expect(adviseMemory(QWEN, bf16, { format: "q4" }, machine({ gib: 1.1 })).kv).toBe("f16");
    expect(adviseMemory(QWEN, bf16, { format: "q4" }, machine({ gib: 1.3 })).kv).toBe("f32");
    const none = adviseMemory(QWEN, bf16, { format: "q4" }, machine({ gib: 0.9 }));
    expect(none.offer).toBeUndefined();
    expect(() => requireFit(none)).toThrow(expect.objectContaining({ code: "E_TOO_LARGE" }));
  });

  it("does not fit where a layer's cache is larger than a buffer", () => {
    const weights = weightsOfListing(LLAMA, { format: "safetensors", file: "", bytes: 16e9 });
    const advice = adviseMemory(LLAMA, weights, { format: "q4", contextTokens: 32_768, kv: "f32" }, machine());
    expect(advice).toMatchObject({
      reason: { kind: "kv-buffer" },
      offer: { contextTokens: 16_384 },
      longestContext: 16_384,
    });
    expect(() => requireFit(advice)).toThrow(
      expect.objectContaining({ code: "E_LIMIT", details: expect.objectContaining({ offerContextTokens: 16_384 }) }),
    );
    // Left to itself the cache is halved.
    const halved = adviseMemory(LLAMA, weights, { format: "q4", contextTokens: 32_768 }, machine());
    expect(halved).toMatchObject({ kv: "f16", longestContext: 32_768 });
  });

  it.each([
    ["x-Q8_0.gguf", 1.89e9, 1.8, 2.0],
    ["x-Q4_0.gguf", 1.07e9, 0.95, 1.4],
    // Blocks without a kernel of their own take more on the device than in the file, never less.
    ["x-Q4_K_M-00001-of-00002.gguf", 1_117_320_800, 1.05, 2.0],
    ["x-f16.gguf", 3.56e9, 3.5, 3.7],
  ])("is known from a GGUF file's name and size: %s", (file, bytes, least, most) => {
    const weights = weightsOfListing(QWEN, { format: "gguf", file, bytes });
    const gigabytes = adviseMemory(QWEN, weights, {}, machine()).memory.weights / 1e9;
    expect(gigabytes).toBeGreaterThan(least);
    expect(gigabytes).toBeLessThan(most);
  });

  it("is of ONNX Runtime on the processor where there is no device, whose 4 GiB are said", () => {
    const exported = adviseMemory(QWEN, bf16, {}, WITHOUT);
    expect(exported).toMatchObject({ runtime: "onnx-wasm", longestContext: 0, reason: { kind: "process" } });
    const q4 = weightsOfListing(QWEN, { format: "onnx", file: "onnx/model_q4.onnx", bytes: 1.9e9 });
    const advice = adviseMemory(QWEN, q4, {}, WITHOUT);
    expect(advice).toMatchObject({ runtime: "onnx-wasm", longestContext: 16_384 });
    expect(advice.reason).toBeUndefined();
    const long = adviseMemory(QWEN, q4, { contextTokens: 32_768 }, WITHOUT);
    expect(long).toMatchObject({ reason: { kind: "process" }, offer: { contextTokens: 16_384 } });
  });

  it("is of a graph on the device, whose embedding has to fit one buffer", () => {
    const f16 = weightsOfListing(QWEN, { format: "onnx", file: "onnx/model_q4f16.onnx", bytes: 1.34e9 });
    expect(adviseMemory(QWEN, f16, {}, machine())).toMatchObject({
      runtime: "onnx-webgpu",
      reason: { kind: "weights-buffer", bytes: 151_936 * 1536 * 2, limit: 128 * MIB },
    });
    const large = machine({ maxBufferSize: 2 * GIB, binding: 2 * GIB });
    expect(adviseMemory(QWEN, f16, {}, large).reason).toBeUndefined();
    expect(adviseMemory(QWEN, f16, {}, machine({ f16: false })).runtime).toBe("onnx-wasm");
  });

  it("is proposed within what the machine has for sure, and refused only for what is known", () => {
    const seven = specOf("qwen-7b");
    const weights = weightsOfListing(seven, { format: "gguf", file: "x-Q8_0.gguf", bytes: 8_098_525_152 });
    const advice = adviseMemory(seven, weights, {}, machine());
    expect(advice).toMatchObject({
      longestContext: expect.toSatisfy((tokens: number) => tokens >= 4096),
      safeContext: 0,
    });
    expect(advice.reason).toBeUndefined();
    expect(adviseMemory(QWEN, bf16, { format: "q4" }, machine()).safeContext).toBe(32_768);
  });

  it("takes a browser's word for little memory, and its most for nothing known", () => {
    expect(memoryLimit(4)).toBe(2 * GIB);
    expect(memoryLimit(8)).toBeUndefined();
    expect(memoryLimit(undefined)).toBeUndefined();
    expect([safeMemory(8), safeMemory(undefined)]).toEqual([4 * GIB, 2 * GIB]);
  });

  it("is halved, then in fewer bits, where the machine was full all the same", () => {
    expect(offerAfterFull(4096, "q8")).toEqual({ contextTokens: 2048, format: "q8" });
    expect(offerAfterFull(1024, undefined)).toEqual({ contextTokens: 1024, format: "q8" });
    expect(offerAfterFull(1024, "q8")).toEqual({ contextTokens: 1024, format: "q4" });
    expect(offerAfterFull(600, "q4")).toBeUndefined();
    // Stored in four bits, it would only grow.
    expect(offerAfterFull(600, undefined, "q4")).toBeUndefined();
    expect(offerAfterFull(600, undefined, "q8")).toEqual({ contextTokens: 600, format: "q4" });
  });
});

describe("the engine's plan", () => {
  it("is of a folder's own tensors, as much as loading it takes", async () => {
    const { client } = startTestEngine();
    await client.open();
    const { source } = picked(TINY);
    const advice = await client.plan({ model: { kind: "source", source }, runtime: "webgpu", contextTokens: 128 });
    expect(advice).toMatchObject({ runtime: "webgpu", contextTokens: 128, longestContext: expect.any(Number) });
    const loaded = await client.load({ source, contextTokens: 128 });
    expect(advice.memory.weights / loaded.weightBytes).toBeCloseTo(1, 2);
    await client.unload();
  });

  it("is of a config.json, and of the processor before a device is open", async () => {
    const { client } = startTestEngine(() => Promise.reject(new R1Error("E_NO_ADAPTER", "none")));
    const weights = { format: "safetensors", file: "model.safetensors", bytes: 1 } as const;
    const [config] = pick(TINY).filter(({ path }) => path.endsWith("/config.json"));
    const json: unknown = JSON.parse((await config?.blob.text()) ?? "");
    expect(await client.plan({ model: { kind: "config", config: json, weights } })).toMatchObject({
      runtime: "onnx-wasm",
    });
    const wrong = client.plan({ model: { kind: "config", config: { architectures: ["MambaForCausalLM"] }, weights } });
    expect((await failure(wrong)).code).toBe("E_ARCHITECTURE");
  });

  it("refuses to load what the machine has no memory for, before weights are read, and says what would fit", async () => {
    const measured = startTestEngine();
    await measured.client.open();
    const [file] = pick(TINY).filter(({ path }) => path.endsWith("/config.json"));
    const config = { ...JSON.parse((await file?.blob.text()) ?? ""), max_position_embeddings: 16_384 };
    const { source } = picked(TINY, { "config.json": JSON.stringify(config) });
    const request = { format: "q4", contextTokens: 16_384, kv: "f32" } as const;
    const plan = await measured.client.plan({ ...request, model: { kind: "source", source }, runtime: "webgpu" });
    const memoryBytes = plan.memory.total - 1;
    const engine = startTestEngine(undefined, (2 * memoryBytes) / GIB);
    const stages: string[] = [];
    const onProgress = ({ stage }: { readonly stage: string }): void => void stages.push(stage);
    const error = await failure(engine.client.load({ ...request, source }, { onProgress }));
    expect(error.code, error.message).toBe("E_TOO_LARGE");
    expect(stages).not.toContain("weights");
    const { offerContextTokens, offerFormat } = error.details;
    expect(offerFormat).toBe("q4");
    expect(offerContextTokens).toBeLessThan(16_384);
    const offered = { ...request, source, contextTokens: Number(offerContextTokens) };
    expect(await engine.client.load(offered)).toMatchObject({ contextTokens: offerContextTokens });
    expect(engine.devices[0]?.arena.liveBytes).toBeLessThanOrEqual(memoryBytes);
    await engine.client.unload();
  });
});
