import { describe, expect, it } from "vitest";
import { readF32, testGpu } from "../../gpu/node/test-device.ts";
import { uploadStorage } from "../buffers.ts";
import { dot, expectDerivative } from "../testing-derivative.ts";
import { expectClose, noise, noiseArray } from "../testing.ts";
import { CROSS_ENTROPY_STATE_BYTES, CrossEntropy, decodeCrossEntropy } from "./cross-entropy.ts";
import { crossEntropyGradientReference, crossEntropyReference } from "./reference.ts";

interface Case {
  /** Divided by the temperature [rows, V]. */
  readonly logits: Float32Array;
  readonly targets: readonly number[];
  readonly vocabulary: number;
  /** Tokens of each chunk but the last; all of them if left out. */
  readonly chunk?: number;
  readonly temperature?: number;
  /** ∂loss/∂logp and ∂loss/∂entropy [rows, 2]; noise if left out. */
  readonly factors?: Float32Array<ArrayBuffer>;
  readonly tolerance?: number;
}

function targetsOf(rows: number, vocabulary: number): number[] {
  const next = noise(11);
  // The first and the last token are among them.
  return Array.from({ length: rows }, (_, i) =>
    i < 2 ? i * (vocabulary - 1) : Math.floor(((next() + 1) / 2) * vocabulary),
  );
}

/** Checks log-probabilities, entropies and the gradient against the reference, and that padding ends up zero. */
async function check(test: Case): Promise<void> {
  const { logits, targets, vocabulary, chunk = vocabulary, temperature = 1, tolerance = 1e-5 } = test;
  const rows = targets.length;
  const factors = test.factors ?? noiseArray(2 * rows, 4, 2);
  const context = await testGpu();
  const scope = context.arena.scope("cross entropy test");
  const shared = {
    targets: uploadStorage(context, scope, "targets", Uint32Array.from(targets)),
    // The first chunk must not read what was there.
    state: uploadStorage(context, scope, "state", noiseArray((rows * CROSS_ENTROPY_STATE_BYTES) / 4, 5, 100)),
    factors: uploadStorage(context, scope, "factors", factors),
  };
  const chunks: { start: number; count: number; stride: number; buffer: GPUBuffer; kernel: CrossEntropy }[] = [];
  for (let start = 0; start < vocabulary; start += chunk) {
    const count = Math.min(chunk, vocabulary - start);
    const stride = Math.ceil(count / 4) * 4 + 8;
    const part = noiseArray(rows * stride, 6, 1000);
    for (let i = 0; i < rows; i++) {
      const first = i * vocabulary + start;
      part.set(logits.subarray(first, first + count), i * stride);
    }
    const buffer = uploadStorage(context, scope, `logits ${start}`, part);
    const sizes = { start, count, stride };
    const kernel = await CrossEntropy.create(context, scope, sizes, temperature, { ...shared, logits: buffer });
    chunks.push({ ...sizes, buffer, kernel });
  }
  const batch = context.commands();
  for (const { kernel } of chunks) kernel.encodeStats(batch, rows);
  for (const { kernel } of chunks) kernel.encodeGradient(batch, rows);
  batch.submit();
  const state = await readF32(context, shared.state, (rows * CROSS_ENTROPY_STATE_BYTES) / 4);
  const { logps, entropies } = decodeCrossEntropy(new Uint8Array(state.slice().buffer), rows);
  const want = crossEntropyReference(logits, targets, vocabulary);
  expectClose(logps, want.logps, tolerance);
  expectClose(entropies, want.entropies, tolerance);
  const gradient = crossEntropyGradientReference(logits, targets, vocabulary, factors, temperature);
  for (const { start, count, stride, buffer } of chunks) {
    const padded = new Float64Array(rows * stride);
    for (let i = 0; i < rows; i++) {
      const first = i * vocabulary + start;
      padded.set(gradient.subarray(first, first + count), i * stride);
    }
    expectClose(await readF32(context, buffer, rows * stride), padded, tolerance);
  }
  scope.dispose();
}

describe("cross entropy", () => {
  it.each([
    [1, 1],
    [7, 7],
    [3, 33],
    [33, 130],
    [2, 1000],
  ])("%i rows over %i tokens equal the reference", async (rows, vocabulary) => {
    await check({ logits: noiseArray(rows * vocabulary, 1, 5), targets: targetsOf(rows, vocabulary), vocabulary });
  });

  it.each([
    [7, 33, 32],
    [3, 130, 50],
    [33, 200, 64],
    [2, 5, 1],
  ])("%i rows over %i tokens in chunks of %i", async (rows, vocabulary, chunk) => {
    const logits = noiseArray(rows * vocabulary, 2, 5);
    await check({ logits, targets: targetsOf(rows, vocabulary), vocabulary, chunk });
  });

  it.each([0.25, 1.7])("the gradient is for logits before their division by temperature %f", async (temperature) => {
    const [rows, vocabulary] = [7, 33];
    const logits = noiseArray(rows * vocabulary, 3, 5);
    await check({ logits, targets: targetsOf(rows, vocabulary), vocabulary, chunk: 20, temperature });
  });

  it("log-probability and entropy have a factor each", async () => {
    const [rows, vocabulary] = [4, 33];
    const shared = { logits: noiseArray(rows * vocabulary, 3, 5), targets: targetsOf(rows, vocabulary), vocabulary };
    await check({ ...shared, factors: Float32Array.of(1, 0, 0, 1, -2, 0, 0, -2) });
  });

  it.each([7, 3])("logits of ±80 do not overflow, in chunks of %i", async (chunk) => {
    const logits = Float32Array.from(
      [
        [80, -80, 80, -80, 0, 80, -80],
        [-80, -80, -80, -80, -80, -80, 80],
        [80, -80, -80, -80, -80, -80, -80],
        [-80, -79, -78, -80, -80, -80, -80],
        [80, 79, 78, 80, 80, 80, 80],
      ].flat(),
    );
    // Log-sums of 80 have an f32 error of 80 × 2⁻²⁴, which probabilities take on.
    await check({ logits, targets: [0, 1, 0, 2, 1], vocabulary: 7, chunk, tolerance: 5e-5 });
  });

  it.each([0, 80, -80])("equal logits of %i: every token is as likely", async (value) => {
    const vocabulary = 130;
    const logits = new Float32Array(2 * vocabulary).fill(value);
    await check({ logits, targets: [0, 129], vocabulary, chunk: 60, tolerance: 5e-5 });
    const { logps, entropies } = crossEntropyReference(logits, [0, 129], vocabulary);
    expectClose(logps, [-Math.log(130), -Math.log(130)], 1e-12);
    expectClose(entropies, [Math.log(130), Math.log(130)], 1e-12);
  });

  it("over one token nothing can be learned", async () => {
    await check({ logits: Float32Array.of(3, -80), targets: [0, 0], vocabulary: 1, tolerance: 5e-5 });
    expect([...crossEntropyGradientReference([3], [0], 1, [1, 1], 1)]).toEqual([0]);
  });
});

describe("state", () => {
  it("is decoded from bytes anywhere in a buffer", () => {
    // Maximum 2, Σ exp(l − 2) = 1 + e⁻¹ for logits 2 and 1, the target's logit 1.
    const sum = 1 + Math.exp(-1);
    const weighted = 2 + Math.exp(-1);
    const floats = Float32Array.of(9, 2, sum, weighted, 1, 5, 1, 5, 5, 9);
    const { logps, entropies } = decodeCrossEntropy(new Uint8Array(floats.buffer, 4, 32), 2);
    const want = crossEntropyReference([2, 1, 5, -1e9], [1, 0], 2);
    expectClose(logps, want.logps, 1e-6);
    expectClose(entropies, want.entropies, 1e-6);
  });
});

describe("reference", () => {
  it.each([
    [1, 2, 1],
    [3, 7, 1],
    [4, 33, 0.6],
  ])("its gradient is its derivative: %i rows over %i tokens at temperature %f", (rows, vocabulary, temperature) => {
    const logits = noiseArray(rows * vocabulary, 1, 3);
    const targets = targetsOf(rows, vocabulary);
    const factors = noiseArray(2 * rows, 2);
    const loss = (undivided: Float64Array): number => {
      const divided = undivided.map((value) => value / temperature);
      const { logps, entropies } = crossEntropyReference(divided, targets, vocabulary);
      return dot(
        [...logps].flatMap((logp, i) => [logp, entropies[i] ?? 0]),
        factors,
      );
    };
    const undivided = Float64Array.from(logits, (value) => value * temperature);
    expectDerivative(loss, undivided, crossEntropyGradientReference(logits, targets, vocabulary, factors, temperature));
  });
});
