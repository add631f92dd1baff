import { afterEach, describe, expect, it } from "vitest";
import { isReadableDtype } from "../checkpoint/gguf/dequantize/dequantize.ts";
import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import type { GgmlType } from "../checkpoint/gguf/ggml-type.ts";
import { hasData, readData, titleWithData } from "../checkpoint/node/test-data.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { readF32, testGpu } from "../gpu/node/test-device.ts";
import { uploadStorage, uploadUniform } from "../kernels/buffers.ts";
import { Embedding } from "../kernels/embedding/embedding.ts";
import { ACTIVATION_PAD, roundUp } from "../kernels/weights/format.ts";
import type { WeightMatrix } from "../kernels/weights/matrix.ts";
import { loadModel, readModelSpec } from "./load.ts";
import type { ModelSource } from "./load.ts";
import { planMemory, sizesOf } from "./memory-plan.ts";
import { modelFormats } from "./model-formats.ts";
import { Session } from "./session.ts";
import { ggufModel, q4KM } from "./testing-gguf.ts";

const context = await testGpu();
const FOLDER = "gguf/quants";

afterEach(() => {
  const left = context.arena.liveBuffers;
  if (left !== 0) throw new Error(`${left} buffers were left on the device`);
});

/** Every row of a table, as the embedding reads it. */
async function rowsOf(table: WeightMatrix): Promise<Float32Array> {
  const { rows, k } = table;
  const scope = context.arena.scope("rows");
  try {
    const stride = roundUp(k, ACTIVATION_PAD);
    const x = scope.create("x", rows * stride * 4);
    const tokens = Array.from({ length: rows }, (_, token) => [token, 0, 0, 0]);
    const embedding = await Embedding.create(context, scope, table, {
      step: uploadUniform(context, scope, "step", [rows]),
      rows: uploadStorage(context, scope, "rows", Uint32Array.from(tokens.flat())),
      lastToken: uploadStorage(context, scope, "last", Uint32Array.of(0)),
      x,
    });
    const batch = context.commands();
    embedding.encode(batch, rows);
    batch.submit();
    const padded = await readF32(context, x, rows * stride);
    return Float32Array.from({ length: rows * k }, (_, i) => padded[Math.floor(i / k) * stride + (i % k)] ?? 0);
  } finally {
    scope.dispose();
  }
}

interface QuantCase {
  readonly type: string;
  readonly block_size: number;
  readonly raw: string;
  readonly dequantized_f32_le: string;
}

const CASES = hasData(FOLDER)
  ? (JSON.parse(new TextDecoder().decode(readData(`${FOLDER}/index.json`))) as { readonly types: readonly QuantCase[] })
      .types
  : [];
/** What is as in the file; other types come to a small model as f32. */
const OWN: Readonly<Record<string, string>> = {
  F16: "f16",
  BF16: "bf16",
  Q8_0: "q8",
  Q4_0: "q4",
  Q4_K: "q4_k",
  Q6_K: "q6_k",
};

describe.skipIf(!hasData(FOLDER))(titleWithData("blocks of a GGUF file on the device", FOLDER), () => {
  it.each(CASES.filter(({ type }) => isReadableDtype(type)))("$type: the reference's values", async (test) => {
    const { type, block_size, raw, dequantized_f32_le } = test;
    const want = new Float32Array(readData(`${FOLDER}/${dequantized_f32_le}`).buffer);
    const hidden = Math.max(32, block_size);
    const vocabulary = want.length / hidden;
    const sizes = { hidden, inner: 256, heads: 2, kvHeads: 1, layers: 1, vocabulary };
    const dtypeOf = (name: string): GgmlType => (name === "token_embd.weight" && isReadableDtype(type) ? type : "F32");
    const folder = await ggufModel(sizes, dtypeOf, { "token_embd.weight": readData(`${FOLDER}/${raw}`) });
    const model = await loadModel(context, folder);
    try {
      const { embedding } = model.weights;
      expect(embedding.chunks.map(({ format }) => format)).toEqual([OWN[type] ?? "f32"]);
      const got = await rowsOf(embedding);
      expect(got.length).toBe(want.length);
      for (let from = 0; from < want.length; from += hidden) {
        const block = want.subarray(from, from + hidden);
        const size = Math.max(...block.map(Math.abs));
        const worst = Math.max(...block.map((value, i) => Math.abs(value - (got[from + i] ?? Number.NaN))));
        expect(worst).toBeLessThanOrEqual(1e-6 * size);
      }
    } finally {
      model.dispose();
    }
  });
});

const SIZES = { hidden: 256, inner: 512, heads: 16, kvHeads: 8, layers: 2, vocabulary: 67 };
const IDS = Array.from({ length: 21 }, (_, i) => (i * 29 + 5) % SIZES.vocabulary);
const SAMPLING = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  seed: 0,
  stream: 0,
};

/** Logits after {@link IDS}, and log-probabilities by the kernels for many rows and by those for few. */
async function score(folder: ModelFolder, source: ModelSource = {}) {
  const model = await loadModel(context, folder, source);
  const bytes = context.arena.liveBytes;
  const sizes = { maxSequences: 2, contextTokens: 32, kvTokens: 64, prefillRows: 32, kv: "f32" } as const;
  const session = await Session.create(model, sizes);
  const { lastLogits, positions } = await session.score(IDS);
  const sequence = session.open(IDS.length);
  const decoded: number[] = [];
  for (const [i, token] of IDS.slice(0, -1).entries()) {
    const [result] = await session.step([{ sequence, token, target: IDS[i + 1] ?? 0, sampling: SAMPLING }]);
    decoded.push(result?.logprob ?? Number.NaN);
  }
  const chunks = model.weights.layers.map(({ qkv }) => qkv.chunks.map(({ format, count }) => `${count} ${format}`));
  session.dispose();
  model.dispose();
  const logprobs = positions.slice(0, -1).map(({ logprob }) => logprob ?? Number.NaN);
  return { logits: [...lastLogits], logprobs, decoded, chunks, bytes };
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? Number.NaN))));
}

describe("a model in a mix of K-quants", () => {
  it("has the logits of the f32 values that its blocks stand for, prefilled and decoded, whole and split", async () => {
    const folder = await ggufModel(SIZES, q4KM);
    const exact = await score(folder, { format: "f32" });
    const kept = await score(folder);
    expect(kept.chunks).toEqual([["384 q4_k", "128 q6_k"], ["512 q4_k"]]);
    const split = await score(folder, { maxChunkBytes: 64 * 192 });
    expect(split.chunks[0]).toEqual(["96 q4_k", "96 q4_k", "96 q4_k", "96 q4_k", "64 q6_k", "64 q6_k"]);
    expect(Math.max(...exact.logits) - Math.min(...exact.logits)).toBeGreaterThan(0.5);
    for (const { logits, logprobs, decoded } of [kept, split]) {
      expect(largestDifference(logits, exact.logits)).toBeLessThan(1e-5);
      expect(largestDifference(logprobs, exact.logprobs)).toBeLessThan(1e-5);
      expect(largestDifference(decoded, exact.logprobs)).toBeLessThan(1e-5);
    }
  });

  it("takes the bytes that are planned from the file's headers", async () => {
    const folder = await ggufModel(SIZES, q4KM);
    const { bytes } = await score(folder);
    const { tensors } = await openCheckpoint(folder);
    const spec = await readModelSpec(folder);
    const request = { format: "q4", contextTokens: 32, batch: 1, kv: "f32" } as const;
    const plan = planMemory(spec, modelFormats(spec, tensors), sizesOf(request), context.limits);
    expect(plan.weights).toBe(bytes);
    expect(plan.staging).toBe(0);
    // Within the file's own bytes, but for the padding of what is small.
    const stored = [...tensors.values()].reduce((sum, tensor) => sum + tensor.bytes, 0);
    expect(Math.abs(plan.weights / stored - 1)).toBeLessThan(0.001);
  });
});
