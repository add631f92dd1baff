import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildSafetensors } from "../checkpoint/testing.ts";
import type { TestTensor } from "../checkpoint/testing.ts";
import { blobFolder } from "../checkpoint/blob.ts";
import type { ByteSource, ModelFolder } from "../checkpoint/source.ts";
import { openNodeGpu } from "../gpu/node/open.ts";
import { testGpu } from "../gpu/node/test-device.ts";
import { WEIGHT_FORMATS } from "../kernels/weights/format.ts";
import { loadModel } from "./load.ts";
import type { ModelSource } from "./load.ts";
import { Session } from "./session.ts";
import { memoryFolder, ODD_CONFIG, randomTensors } from "./testing.ts";

const context = await testGpu();
const IDS = Array.from({ length: 33 }, (_, i) => (i * 29 + 5) % ODD_CONFIG.vocab_size);
const SIZES = { maxSequences: 4, contextTokens: 64, kvTokens: 64, prefillRows: 16, kv: "f32" } as const;

/** Logits after {@link IDS} and the log-probability of each. */
async function score(folder: ModelFolder, source: ModelSource = {}, kv: "f32" | "f16" = "f32") {
  const model = await loadModel(context, folder, source);
  const session = await Session.create(model, { ...SIZES, kv });
  const { positions, lastLogits } = await session.score(IDS);
  const chunks = model.weights.layers[0]?.gateUp.chunks.length ?? 0;
  session.dispose();
  model.dispose();
  return { logits: [...lastLogits], logprobs: positions.map(({ logprob }) => logprob ?? 0), chunks };
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? Number.NaN))));
}

let buffersBefore = 0;
beforeEach(() => {
  buffersBefore = context.arena.liveBuffers;
});
afterEach(() => {
  // Whatever happened, nothing stays on the device.
  const left = context.arena.liveBuffers - buffersBefore;
  if (left !== 0) throw new Error(`${left} buffers were left on the device`);
});

describe("weights", () => {
  it("of one model in each stored type give the same numbers within the type's precision", async () => {
    const exact = await score(memoryFolder(ODD_CONFIG, randomTensors(ODD_CONFIG)));
    const f16 = await score(memoryFolder(ODD_CONFIG, randomTensors(ODD_CONFIG, "F16")));
    const bf16 = await score(memoryFolder(ODD_CONFIG, randomTensors(ODD_CONFIG, "BF16")));
    expect(largestDifference(f16.logprobs, exact.logprobs)).toBeLessThan(0.02);
    expect(largestDifference(bf16.logprobs, exact.logprobs)).toBeLessThan(0.15);
  });

  it("stored as bf16 and converted to f32 while loading are the same numbers", async () => {
    const folder = memoryFolder(ODD_CONFIG, randomTensors(ODD_CONFIG, "BF16"));
    const [stored, converted] = [await score(folder), await score(folder, { format: "f32" })];
    expect(largestDifference(stored.logits, converted.logits)).toBeLessThan(1e-4);
  });

  it.each([
    ["q8", 0.15],
    ["q4", 2],
  ] as const)("quantized to %s while loading stay near", async (format, tolerance) => {
    const folder = memoryFolder(ODD_CONFIG, randomTensors(ODD_CONFIG));
    const [exact, quantized] = [await score(folder), await score(folder, { format })];
    const difference = largestDifference(exact.logprobs, quantized.logprobs);
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(tolerance);
  });

  it.each(WEIGHT_FORMATS)("split over many small buffers as %s change nothing", async (format) => {
    const folder = memoryFolder(ODD_CONFIG, randomTensors(ODD_CONFIG));
    const whole = await score(folder, { format });
    const split = await score(folder, { format, maxChunkBytes: 12 * 256 });
    expect(whole.chunks).toBe(1);
    if (format === "f32" || format === "f16") expect(split.chunks).toBeGreaterThan(2);
    expect(largestDifference(whole.logits, split.logits)).toBeLessThan(1e-5);
  });

  it("of which some are f32 and some f16 keep the wider type where they lie together", async () => {
    const mixed = { ...randomTensors(ODD_CONFIG), ...pick(randomTensors(ODD_CONFIG, "F16"), /k_proj|up_proj|lm_head/) };
    const halves = await score(memoryFolder(ODD_CONFIG, randomTensors(ODD_CONFIG, "F16")));
    const { logits } = await score(memoryFolder(ODD_CONFIG, mixed));
    expect(largestDifference(logits, halves.logits)).toBeLessThan(0.05);
  });

  it("may be tied: the output projection is then the embedding", async () => {
    const config = { ...ODD_CONFIG, tie_word_embeddings: true };
    const tensors = randomTensors(config);
    expect(Object.keys(tensors)).not.toContain("lm_head.weight");
    const embedding = tensors["model.embed_tokens.weight"];
    if (!embedding) throw new Error("no embedding");
    const untied = { ...tensors, "lm_head.weight": embedding };
    const [tied, same] = [await score(memoryFolder(config, tensors)), await score(memoryFolder(ODD_CONFIG, untied))];
    expect(tied.logits).toEqual(same.logits);
  });

  it("cached in f16 stay near", async () => {
    const folder = memoryFolder(ODD_CONFIG, randomTensors(ODD_CONFIG));
    const [f32, f16] = [await score(folder), await score(folder, {}, "f16")];
    const difference = largestDifference(f32.logprobs, f16.logprobs);
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(0.01);
  });

  it("are read in slabs, each byte once, with progress", async () => {
    // Large enough for several slabs: 12 MB of embedding.
    const config = { ...ODD_CONFIG, vocab_size: 70_000 };
    const tensors = randomTensors(config, "F32");
    const file = buildSafetensors(tensors);
    const reads: number[] = [];
    const watched = watchReads(memoryFolder(config, file), reads);
    const progress: number[] = [];
    const model = await loadModel(context, watched, { onProgress: (loaded, total) => progress.push(loaded / total) });
    model.dispose();
    const largest = Math.max(...Object.values(tensors).map(({ data }) => data.byteLength));
    expect(Math.max(...reads)).toBeLessThan(largest / 2);
    expect(reads.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(file.byteLength);
    expect(progress.at(-1)).toBe(1);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  });
});

describe("a checkpoint is refused, and leaves nothing on the device, for", () => {
  const good = randomTensors(ODD_CONFIG);
  const change = (name: string, tensor: Partial<TestTensor>): Record<string, TestTensor> => {
    const old = good[name];
    if (!old) throw new Error(`no tensor ${name}`);
    return { ...good, [name]: { ...old, ...tensor } };
  };
  const norm = "model.layers.1.input_layernorm.weight";

  it.each([
    ["a missing tensor", ODD_CONFIG, omit(good, norm), /^E_TENSOR_MISSING: .*layers\.1\.input_layernorm.*\[44\]/],
    [
      "a tensor of the wrong shape",
      ODD_CONFIG,
      change(norm, { shape: [11, 4] }),
      /^E_TENSOR_SHAPE: .*\[11, 4\].*\[44\]/,
    ],
    ["a tensor of the wrong type", ODD_CONFIG, change(norm, { dtype: "I32" }), /^E_DTYPE: .*I32.*F32, F16, BF16/],
    ["sizes that config.json does not have", { ...ODD_CONFIG, vocab_size: 78 }, good, /^E_TENSOR_SHAPE: .*\[77, 44\]/],
    ["a truncated file", ODD_CONFIG, buildSafetensors(good).slice(0, -100), /^E_/],
    ["another architecture", { ...ODD_CONFIG, architectures: ["GPT2LMHeadModel"] }, good, /^E_ARCHITECTURE: .*GPT2/],
  ])("%s", async (_, config, tensors, expected) => {
    let found = "accepted";
    try {
      await loadModel(context, memoryFolder(config, tensors));
    } catch (error) {
      if (error instanceof Error && "code" in error) found = `${String(error.code)}: ${error.message}`;
    }
    expect(found).toMatch(expected);
  });

  it("a folder without config.json", async () => {
    await expect(loadModel(context, blobFolder("empty", []))).rejects.toMatchObject({ code: "E_FILE_MISSING" });
  });

  it("a stop in the middle", async () => {
    const abort = new AbortController();
    let reads = 0;
    const folder = memoryFolder(ODD_CONFIG, good);
    const loading = loadModel(context, folder, {
      signal: abort.signal,
      onProgress: () => {
        if (++reads === 6) abort.abort();
      },
    });
    await expect(loading).rejects.toMatchObject({ code: "E_ABORTED" });
    expect(reads).toBe(6);
  });

  it("rows that no binding holds", async () => {
    const folder = memoryFolder(ODD_CONFIG, good);
    await expect(loadModel(context, folder, { maxChunkBytes: 100 })).rejects.toMatchObject({ code: "E_LIMIT" });
  });

  it("weights that a quantized format cannot hold, by name", async () => {
    const down = "model.layers.1.mlp.down_proj.weight";
    const values = new Float32Array(44 * 51);
    values[7] = 1e30;
    const folder = memoryFolder(ODD_CONFIG, change(down, { data: values }));
    await expect(loadModel(context, folder, { format: "q4" })).rejects.toMatchObject({
      code: "E_QUANTIZATION",
      message: expect.stringContaining("layer1.down"),
    });
  });

  it("a session larger than the device", async () => {
    const model = await loadModel(context, memoryFolder(ODD_CONFIG, good));
    const sizes = { ...SIZES, kvTokens: 1 << 27 };
    await expect(Session.create(model, sizes)).rejects.toMatchObject({
      code: expect.stringMatching(/E_LIMIT|E_OUT_OF_MEMORY/),
    });
    model.dispose();
  });
});

describe("a lost device", () => {
  it("ends a step with E_DEVICE_LOST, and what was read before stays", async () => {
    const own = await openNodeGpu("software");
    const model = await loadModel(own, memoryFolder(ODD_CONFIG, randomTensors(ODD_CONFIG)));
    const session = await Session.create(model, SIZES);
    const { positions } = await session.score(IDS);
    own.device.destroy();
    await own.lost;
    await expect(session.score(IDS)).rejects.toMatchObject({ code: "E_DEVICE_LOST" });
    expect(positions).toHaveLength(IDS.length);
  });
});

function omit(tensors: Record<string, TestTensor>, name: string): Record<string, TestTensor> {
  return Object.fromEntries(Object.entries(tensors).filter(([key]) => key !== name));
}

function pick(tensors: Record<string, TestTensor>, names: RegExp): Record<string, TestTensor> {
  return Object.fromEntries(Object.entries(tensors).filter(([key]) => names.test(key)));
}

function watchReads(folder: ModelFolder, reads: number[]): ModelFolder {
  return {
    name: folder.name,
    open: async (file) => {
      const source = await folder.open(file);
      if (!source || file !== "model.safetensors") return source;
      const watched: ByteSource = {
        name: source.name,
        size: source.size,
        read: (offset, length, signal) => {
          reads.push(length);
          return source.read(offset, length, signal);
        },
      };
      return watched;
    },
  };
}
