import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readF32, testGpu } from "../../gpu/node/test-device.ts";
import { uploadStorage } from "../buffers.ts";
import { dot, expectDerivative } from "../testing-derivative.ts";
import { expectClose, noise, noiseArray, padRows } from "../testing.ts";
import { paddedK } from "../weights/format.ts";
import { EmbeddingGradient, tokenPlaces } from "./gradient.ts";
import { embeddingGradientReference, embeddingReference } from "./reference.ts";

/** `count` tokens below `vocabulary`, some of them several times. */
function tokensOf(count: number, vocabulary: number): number[] {
  const next = noise(5);
  return Array.from({ length: count }, () => Math.floor(((next() + 1) / 2) * vocabulary));
}

/** Checks all of the table's gradient: its padding and the tokens that do not occur keep what they had. */
async function check(ids: readonly number[], vocabulary: number, k: number): Promise<void> {
  const context = await testGpu();
  const scope = context.arena.scope("embedding gradient test");
  const dx = noiseArray(ids.length * k, 1);
  const stride = paddedK("f32", k);
  const before = noiseArray(vocabulary * stride, 2);
  for (let at = 0; at < before.length; at++) if (at % stride >= k) before[at] = 0;
  const dTable = uploadStorage(context, scope, "d table", before);
  const { tokens, places } = tokenPlaces(ids);
  const gradient = await EmbeddingGradient.create(context, scope, k, {
    tokens: uploadStorage(context, scope, "tokens", tokens),
    places: uploadStorage(context, scope, "places", places),
    dX: uploadStorage(context, scope, "dx", padRows(dx, ids.length, k)),
    dTable,
  });
  const batch = context.commands();
  gradient.encode(batch, tokens.length / 4);
  batch.submit();
  const got = await readF32(context, dTable, before.length);
  scope.dispose();
  const sum = embeddingGradientReference(dx, k, ids, vocabulary);
  const want = Float64Array.from(before, (value, at) => {
    const [row, column] = [Math.floor(at / stride), at % stride];
    return column < k ? value + (sum[row * k + column] ?? 0) : 0;
  });
  expectClose(got, want, 1e-5);
}

describe("embedding gradient", () => {
  it.each([
    [1, 1, 1],
    [7, 3, 7],
    [33, 50, 33],
    [130, 9, 130],
    [33, 7, 5],
    [2, 130, 260],
  ])("of %i rows for a table [%i, %i] is added to what is there", async (count, vocabulary, k) => {
    await check(tokensOf(count, vocabulary), vocabulary, k);
  });

  it("of one token in every row", async () => {
    await check(
      Array.from({ length: 130 }, () => 4),
      7,
      33,
    );
  });
});

describe("token places", () => {
  it("list each token's rows in order, tokens ascending", () => {
    const { tokens, places } = tokenPlaces([7, 2, 7, 0, 2, 7]);
    expect([...tokens]).toEqual([0, 0, 1, 0, 2, 1, 3, 0, 7, 3, 6, 0]);
    expect([...places]).toEqual([3, 1, 4, 0, 2, 5]);
  });

  it("hold every row once, under its token", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 40 }), { maxLength: 70 }), (ids) => {
        const { tokens, places } = tokenPlaces(ids);
        const found: number[] = [];
        for (let at = 0; at < tokens.length; at += 4) {
          const [id = -1, first = 0, end = 0] = tokens.subarray(at, at + 3);
          expect(end).toBeGreaterThan(first);
          for (const row of places.subarray(first, end)) found[row] = id;
        }
        expect(found).toEqual(ids);
        expect(places).toHaveLength(ids.length);
      }),
    );
  });
});

describe("reference", () => {
  it("is the derivative for the table", () => {
    const [k, vocabulary] = [7, 5];
    const tokens = [3, 1, 3, 0, 3];
    const [table, dx] = [noiseArray(vocabulary * k, 1), noiseArray(tokens.length * k, 2)];
    // Taking rows is linear, so that differences may be large; they must be, as the reference keeps f32.
    expectDerivative(
      (x) => dot(embeddingReference(Float32Array.from(x), k, tokens), dx),
      table,
      embeddingGradientReference(dx, k, tokens, vocabulary),
      0.5,
    );
  });
});
