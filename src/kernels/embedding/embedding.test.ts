import { describe, expect, it } from "vitest";
import type { GpuContext } from "../../gpu/device.ts";
import { DEVICE_VARIANTS, readF32, testGpu } from "../../gpu/node/test-device.ts";
import { uploadStorage, uploadUniform } from "../buffers.ts";
import { expectClose, noiseArray, padRows, uploadSplit } from "../testing.ts";
import type { SplitOptions } from "../testing.ts";
import { ACTIVATION_PAD, isKQuantFormat, K_QUANT_FORMATS, roundUp, WEIGHT_FORMATS } from "../weights/format.ts";
import type { MatrixFormat } from "../weights/format.ts";
import { uploadRuns } from "../weights/testing.ts";
import { Embedding, LAST_SAMPLED } from "./embedding.ts";
import { embeddingReference } from "./reference.ts";

interface Case extends SplitOptions {
  readonly format: MatrixFormat;
  readonly vocabulary: number;
  readonly k: number;
  readonly tokens: readonly number[];
  /** Slot of each row; 0 if left out. */
  readonly slots?: readonly number[];
  /** The token last sampled in each slot. */
  readonly lastTokens?: readonly number[];
}

function runsOf(format: MatrixFormat, rows: number, most: number) {
  return Array.from({ length: Math.ceil(rows / most) }, (_, i) => ({ format, rows: Math.min(most, rows - i * most) }));
}

/** @returns the rows the kernel writes, with their padding, and what they should be */
async function embed(context: GpuContext, test: Case): Promise<{ got: Float32Array; want: Float32Array }> {
  const { format, vocabulary, k, tokens, slots, lastTokens = [0] } = test;
  const scope = context.arena.scope("embedding test");
  const { matrix, stored } = isKQuantFormat(format)
    ? uploadRuns(context, scope, runsOf(format, vocabulary, test.chunkRows), k)
    : uploadSplit(context, scope, format, noiseArray(vocabulary * k, 1), vocabulary, k, test);
  const count = tokens.length;
  const stride = roundUp(k, ACTIVATION_PAD);
  const x = scope.create("x", count * stride * 4);
  const rows = tokens.flatMap((token, i) => [token, 0, 0, slots?.[i] ?? 0]);
  const embedding = await Embedding.create(context, scope, matrix, {
    step: uploadUniform(context, scope, "step", [count]),
    rows: uploadStorage(context, scope, "rows", Uint32Array.from(rows)),
    lastToken: uploadStorage(context, scope, "last", Uint32Array.from(lastTokens)),
    x,
  });
  const batch = context.commands();
  embedding.encode(batch, count);
  batch.submit();
  const got = await readF32(context, x, count * stride);
  scope.dispose();
  const resolved = tokens.map((token, i) => (token === LAST_SAMPLED ? (lastTokens[slots?.[i] ?? 0] ?? 0) : token));
  return { got, want: padRows(embeddingReference(stored, k, resolved), count, k) };
}

const ENDS_AND_REPEATS = [0, 36, 12, 12, 9, 10, 19, 20, 30, 1];

describe.each(DEVICE_VARIANTS)("embedding, $name", ({ options }) => {
  describe.each(WEIGHT_FORMATS)("%s table", (format) => {
    it.each([1, 7, 33, 130])("rows of %i, in one piece and in four", async (k) => {
      const context = await testGpu(options);
      const test = { format, vocabulary: 37, k, tokens: ENDS_AND_REPEATS };
      for (const chunkRows of [37, 10]) {
        const { got, want } = await embed(context, { ...test, chunkRows });
        expectClose(got, want, 0);
      }
    });
  });

  describe.each(K_QUANT_FORMATS)("%s table", (format) => {
    it.each([256, 768])("rows of %i, in one piece and in four", async (k) => {
      const context = await testGpu(options);
      const test = { format, vocabulary: 37, k, tokens: ENDS_AND_REPEATS };
      for (const chunkRows of [37, 10]) {
        const { got, want } = await embed(context, { ...test, chunkRows });
        expectClose(got, want, 0);
      }
    });
  });

  it.each(["q8", "q4"] as const)("%s with zero points", async (format) => {
    const context = await testGpu(options);
    const test = { format, vocabulary: 37, k: 70, tokens: ENDS_AND_REPEATS, chunkRows: 10, zeroPoints: true };
    const { got, want } = await embed(context, test);
    expectClose(got, want, 0);
  });

  it("a row may stand for the token last sampled in its slot", async () => {
    const context = await testGpu(options);
    const tokens = [LAST_SAMPLED, 5, LAST_SAMPLED, LAST_SAMPLED];
    const test = { format: "f32", vocabulary: 37, k: 33, chunkRows: 10, tokens } as const;
    const { got, want } = await embed(context, { ...test, slots: [2, 0, 0, 2], lastTokens: [36, 7, 11] });
    expectClose(got, want, 0);
    expect(got[0]).not.toBe(got[64]);
  });
});
