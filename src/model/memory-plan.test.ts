import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { GgmlType } from "../checkpoint/gguf/ggml-type.ts";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { testGpu } from "../gpu/node/test-device.ts";
import { WEIGHT_FORMATS } from "../kernels/weights/format.ts";
import type { WeightFormat } from "../kernels/weights/format.ts";
import { FIXTURES } from "../testing-data.ts";
import { loadModel } from "./load.ts";
import { judgeMemory, memoryGuess, planMemory, sizesOf } from "./memory-plan.ts";
import type { MemoryBudget, MemoryRequest, MemoryWish } from "./memory-plan.ts";
import { Session } from "./session.ts";
import { modelFormats } from "./model-formats.ts";
import type { ModelFormats } from "./model-formats.ts";
import { parameterCount, parseModelSpec } from "./spec.ts";
import { allTensors, modelTensors } from "./tensor-names.ts";
import { memoryFolder, ODD_CONFIG, randomTensors } from "./testing.ts";
import { DEFAULT_LIMITS as DEFAULT, QWEN_1_5B } from "./testing-specs.ts";

const context = await testGpu({ limits: "default" });
const MODELS = join(import.meta.dirname, "../../public/models");
const MIB = 2 ** 20;
const GIB = 2 ** 30;

const LLAMA_8B = parseModelSpec({
  architectures: ["LlamaForCausalLM"],
  hidden_size: 4096,
  intermediate_size: 14336,
  max_position_embeddings: 131072,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  rope_theta: 500000,
  vocab_size: 128256,
});

afterEach(() => {
  const left = context.arena.liveBuffers;
  if (left !== 0) throw new Error(`${left} buffers were left on the device`);
});

/** Loads a model and makes a session: bytes that the device has allocated, over those planned. */
async function allocatedOverPlan(folder: ModelFolder, request: MemoryRequest, stored: WeightFormat) {
  const { format } = request;
  let peak = 0;
  const onProgress = (): void => void (peak = Math.max(peak, context.arena.liveBytes));
  const model = await loadModel(context, folder, { ...(format === stored ? {} : { format }), onProgress });
  try {
    const weights = context.arena.liveBytes;
    const session = await Session.create(model, sizesOf(request));
    const total = context.arena.liveBytes;
    session.dispose();
    const plan = planMemory(model.spec, format, sizesOf(request), context.limits);
    return { weights: weights / plan.weights, total: total / plan.total, staging: (peak - weights) / plan.staging };
  } finally {
    model.dispose();
  }
}

const request = (format: WeightFormat, contextTokens: number, batch = 1, kv: "f32" | "f16" = "f32"): MemoryRequest => ({
  format,
  contextTokens,
  batch,
  kv,
});

const auto = (contextTokens: number): MemoryWish => ({ format: "q4", contextTokens, batch: 1, kv: "auto" });

describe("the plan is what the device allocates", () => {
  const odd = memoryFolder(ODD_CONFIG, randomTensors(ODD_CONFIG));
  const tiny = nodeFolder(join(MODELS, "tiny-random"));
  const nano = nodeFolder(join(MODELS, "nano-r1"));
  const llama = nodeFolder(join(FIXTURES, "llama-tiny"));
  const CASES: readonly (readonly [string, MemoryRequest, WeightFormat, ModelFolder])[] = [
    ...WEIGHT_FORMATS.map((format) => [`odd sizes in ${format}`, request(format, 64), "f32", odd] as const),
    ["odd sizes, five sequences, cached in f16", request("q4", 128, 5, "f16"), "f32", odd],
    ["tiny-random as stored", request("bf16", 4096), "bf16", tiny],
    ["tiny-random in q4, eight sequences", request("q4", 300, 8), "bf16", tiny],
    ["nano-r1 as stored, 64 sequences", request("f32", 128, 64), "f32", nano],
    ["nano-r1 in q8", request("q8", 1024), "f32", nano],
    ["llama-tiny, three sequences", request("bf16", 200, 3), "bf16", llama],
  ];
  it.each(CASES)("%s", async (_, wanted, stored, folder) => {
    const found = await allocatedOverPlan(folder, wanted, stored);
    for (const share of [found.weights, found.total]) {
      expect(share).toBeGreaterThan(0.99);
      expect(share).toBeLessThan(1.01);
    }
    // The quantizer's buffers are there while reading, beside the weights that came before.
    if (wanted.format === "q8" || wanted.format === "q4") expect(found.staging).toBeLessThan(1.01);
  });
});

describe("R1-Distill-Qwen-1.5B", () => {
  it("takes 3.6 GB as stored, 1 GB in q4, and 56 KiB a token for its cache", () => {
    const stored = planMemory(QWEN_1_5B, "bf16", sizesOf(request("bf16", 4096)), DEFAULT);
    expect(stored.weights / 1e9).toBeCloseTo(3.55, 1);
    expect(stored.staging).toBe(0);
    const q4 = planMemory(QWEN_1_5B, "q4", sizesOf(request("q4", 4096)), DEFAULT);
    expect(q4.weights / 1e9).toBeCloseTo(1.0, 1);
    expect(q4.kvCache).toBe(4096 * 28 * 2 * 2 * 128 * 4);
    expect(q4.staging).toBeLessThan(5 * MIB);
    expect(q4.total).toBe(q4.weights + q4.kvCache + q4.workspace);
  });

  it.each([
    ["as it is where there is room", 16, "bf16", 8192, undefined, undefined],
    ["in 8 bits where there is half of it", 3, "bf16", 8192, "q8", 8192],
    ["in 4 bits where there is less", 2, "bf16", 8192, "q4", 8192],
    ["with a shorter context where there is little", 1.3, "bf16", 8192, "q4", 6400],
    ["not at all where its weights do not fit", 0.9, "bf16", 8192, "none", undefined],
  ] as const)("is offered %s: %d GiB", (_, gib, format, tokens, offered, offeredTokens) => {
    const budget: MemoryBudget = { ...DEFAULT, memoryBytes: gib * GIB };
    const verdict = judgeMemory(QWEN_1_5B, request(format, tokens), budget);
    if (verdict.fits) {
      expect(offered).toBeUndefined();
      return;
    }
    expect(verdict.reason).toEqual({ kind: "memory", bytes: verdict.plan.peak, limit: gib * GIB });
    expect(verdict.offer?.request.format ?? "none").toBe(offered);
    expect(verdict.offer?.request.contextTokens).toBe(offeredTokens);
    if (verdict.offer) expect(verdict.offer.plan.peak).toBeLessThanOrEqual(gib * GIB);
  });

  it("has room for 32,768 tokens under default limits", () => {
    expect(judgeMemory(QWEN_1_5B, request("q4", 32_768), DEFAULT).fits).toBe(true);
  });
});

describe("R1-Distill-Qwen-1.5B as a GGUF file", () => {
  /** All matrices of one type, but for some. */
  const stored = (dtype: GgmlType, others: RegExp = /^$/): ModelFormats => {
    const tensors = allTensors(modelTensors(QWEN_1_5B)).map(({ name, shape }) => {
      const own = others.test(name) ? "Q6_K" : dtype;
      return [name, { name, dtype: shape.length === 2 ? own : "F32", shape, bytes: 0 }] as const;
    });
    return modelFormats(QWEN_1_5B, new Map(tensors));
  };
  const weightsOf = (formats: ModelFormats): number =>
    planMemory(QWEN_1_5B, formats, sizesOf(request("f32", 4096)), DEFAULT).weights;
  const matrices = parameterCount(QWEN_1_5B);

  it("takes what each matrix takes in its own format", () => {
    expect((weightsOf(stored("Q4_K")) * 8) / matrices).toBeCloseTo(4.5, 1);
    expect((weightsOf(stored("Q6_K")) * 8) / matrices).toBeCloseTo(6.56, 1);
    const mixed = weightsOf(stored("Q4_K", /lm_head|layers\.\d\.(self_attn\.v|mlp\.down)/));
    expect(mixed).toBeGreaterThan(weightsOf(stored("Q4_K")) + 151_936 * 1536 * 0.25);
    expect(mixed).toBeLessThan(weightsOf(stored("Q6_K")));
  });

  it("is offered with a shorter context rather than in other four bits", () => {
    const offer = (formats: ModelFormats) => {
      const asked = { ...request("bf16", 8192), stored: formats };
      const verdict = judgeMemory(QWEN_1_5B, asked, { ...DEFAULT, memoryBytes: 1.4 * GIB });
      return verdict.fits ? undefined : verdict.offer?.request;
    };
    const four = stored("Q4_K", /lm_head/);
    expect(offer(four)?.stored).toBe(four);
    expect(offer(four)?.contextTokens).toBeLessThan(8192);
    expect(offer(stored("Q6_K"))).toMatchObject({ format: "q4", stored: undefined });
  });
});

describe("limits of a device", () => {
  it("a layer's cache must fit a binding: a shorter context is offered", () => {
    const verdict = judgeMemory(LLAMA_8B, request("q4", 32_768), DEFAULT);
    expect(verdict).toMatchObject({
      fits: false,
      reason: { kind: "kv-buffer", bytes: 256 * MIB, limit: 128 * MIB },
      offer: { request: { format: "q4", contextTokens: 16_384, batch: 1 } },
    });
    expect(judgeMemory(LLAMA_8B, request("q4", 32_768, 1, "f16"), DEFAULT).fits).toBe(true);
  });

  it.each([
    // A small cache is exact, a large one in f16: 224 MiB and 448 MiB as f32.
    ["the 1.5B, 4,096 tokens", QWEN_1_5B, 4096, "f32"],
    ["the 1.5B, 8,192 tokens", QWEN_1_5B, 8192, "f16"],
    ["the 1.5B, all that it was made for", QWEN_1_5B, 131_072, "f16"],
    ["the 8B, 32,768 tokens", LLAMA_8B, 32_768, "f16"],
    ["the 8B, 4,096 tokens", LLAMA_8B, 4096, "f16"],
    ["the 8B, 1,024 tokens", LLAMA_8B, 1024, "f32"],
  ] as const)("a cache that may have any type: %s", (_, spec, tokens, kv) => {
    const verdict = judgeMemory(spec, auto(tokens), DEFAULT);
    expect(verdict).toMatchObject({ fits: true, request: { kv, contextTokens: tokens } });
    expect(verdict.plan).toEqual(planMemory(spec, "q4", sizesOf({ ...auto(tokens), kv }), DEFAULT));
  });

  it("a cache that may have any type is in f16 where only that fits", () => {
    const wish = auto(2048);
    const exact = planMemory(QWEN_1_5B, "q4", sizesOf({ ...wish, kv: "f32" }), DEFAULT).peak;
    const budget = (memoryBytes: number): MemoryBudget => ({ ...DEFAULT, memoryBytes });
    expect(judgeMemory(QWEN_1_5B, wish, budget(exact)).request.kv).toBe("f32");
    expect(judgeMemory(QWEN_1_5B, wish, budget(exact - 1))).toMatchObject({ fits: true, request: { kv: "f16" } });
    // A layer's binding, of a model with few layers.
    const shallow = { ...LLAMA_8B, layers: 1 };
    expect(judgeMemory(shallow, auto(32_768), DEFAULT)).toMatchObject({ fits: true, request: { kv: "f16" } });
    // So it is for many sequences, each of which has the type that it would have alone as long as that fits.
    expect(judgeMemory(QWEN_1_5B, { ...wish, batch: 16 }, DEFAULT).request.kv).toBe("f32");
    expect(judgeMemory(QWEN_1_5B, { ...wish, batch: 64 }, DEFAULT)).toMatchObject({
      fits: true,
      request: { kv: "f16" },
    });
    // Where not even that fits, the longest context in f16 is offered.
    expect(judgeMemory(LLAMA_8B, auto(65_536), DEFAULT)).toMatchObject({
      fits: false,
      reason: { kind: "kv-buffer", bytes: 256 * MIB },
      offer: { request: { contextTokens: 32_768, kv: "f16", batch: 1 } },
    });
  });

  it("logits of many sequences must fit a binding: fewer are offered", () => {
    const verdict = judgeMemory(LLAMA_8B, request("q4", 1024, 256), DEFAULT);
    expect(verdict).toMatchObject({ fits: false, reason: { kind: "kv-buffer" }, offer: { request: { batch: 1 } } });
    const wide = judgeMemory(QWEN_1_5B, request("q4", 64, 250), DEFAULT);
    expect(wide).toMatchObject({ fits: false, reason: { kind: "workspace-buffer", bytes: 250 * 151_936 * 4 } });
  });

  it("a context is at most what the model was made for", () => {
    expect(judgeMemory(QWEN_1_5B, request("q4", 200_000), { ...DEFAULT, memoryBytes: 2 * GIB })).toMatchObject({
      fits: false,
      reason: { kind: "context", bytes: 200_000, limit: 131_072 },
      offer: { request: { contextTokens: expect.toSatisfy((tokens: number) => tokens > 8192 && tokens < 20_000) } },
    });
  });

  it("what a browser tells of memory is a guess of half of it", () => {
    expect(memoryGuess(8)).toBe(4 * GIB);
    expect(memoryGuess(undefined)).toBeUndefined();
  });
});
