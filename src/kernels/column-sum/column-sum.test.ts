import { describe, expect, it } from "vitest";
import { readF32, testGpu } from "../../gpu/node/test-device.ts";
import { uploadStorage, uploadUniform } from "../buffers.ts";
import { dot, expectDerivative } from "../testing-derivative.ts";
import { expectClose, noiseArray } from "../testing.ts";
import { ColumnSum, columnSumBytes } from "./column-sum.ts";
import { columnSumReference } from "./reference.ts";

interface Case {
  readonly rows: number;
  readonly n: number;
  readonly weighted?: boolean;
  readonly col4?: number;
  readonly to?: number;
}

/** `values` [rows, n] in rows of noise, from column 4 × col4 on. */
function embed(values: Float32Array, rows: number, n: number, col4: number) {
  const stride4 = col4 + Math.ceil(n / 4) + 1;
  const field = noiseArray(rows * 4 * stride4, 7);
  for (let t = 0; t < rows; t++) field.set(values.subarray(t * n, (t + 1) * n), 4 * (t * stride4 + col4));
  return { field, stride4 };
}

/** Checks the sum, and that the floats around it have not changed. */
async function check({ rows, n, weighted = false, col4 = 0, to = 0 }: Case): Promise<void> {
  const context = await testGpu();
  const scope = context.arena.scope("column sum test");
  const [a, b, scale] = [noiseArray(rows * n, 1), noiseArray(rows * n, 2), noiseArray(rows, 3)];
  const [inA, inB] = [embed(a, rows, n, col4), embed(b, rows, n, 0)];
  const before = noiseArray(to + n + 5, 4);
  const y = uploadStorage(context, scope, "y", before);
  const times = {
    b: { buffer: uploadStorage(context, scope, "b", inB.field), stride4: inB.stride4 },
    scale: uploadStorage(context, scope, "scale", scale),
  };
  const sum = await ColumnSum.create(context, scope, {
    name: "test",
    step: uploadUniform(context, scope, "step", [rows]),
    a: { buffer: uploadStorage(context, scope, "a", inA.field), stride4: inA.stride4, col4 },
    ...(weighted ? { times } : {}),
    n,
    y: { buffer: y, to },
    // Scratch holds whatever the kernel before left in it.
    partial: uploadStorage(context, scope, "partial", noiseArray(columnSumBytes(rows, n) / 4, 5)),
  });
  const batch = context.commands();
  sum.encode(batch, rows);
  batch.submit();
  const got = await readF32(context, y, before.length);
  scope.dispose();
  const want = columnSumReference(a, rows, n, weighted ? { b, scale } : undefined);
  expectClose(
    got,
    Float64Array.from(before, (value, i) => value + (want[i - to] ?? 0)),
    1e-5,
  );
}

describe("column sum", () => {
  describe.each([1, 63, 64, 65, 200])("of %i rows", (rows) => {
    it.each([1, 7, 33, 130])("of %i is added to what is there", async (n) => {
      await check({ rows, n });
      await check({ rows, n, col4: 3, to: 5 });
    });

    it("of products with a factor per row", async () => {
      await check({ rows, n: 7, weighted: true });
      await check({ rows, n: 130, weighted: true, col4: 2, to: 3 });
    });
  });

  it("takes scratch of a padded row for each 64 rows", () => {
    expect(columnSumBytes(1, 1)).toBe(16);
    expect(columnSumBytes(64, 33)).toBe(36 * 4);
    expect(columnSumBytes(65, 33)).toBe(2 * 36 * 4);
  });
});

describe("reference", () => {
  it("is the derivative for a bias and for factors", () => {
    const [rows, n] = [5, 7];
    const [d, x, scale, bias] = [
      noiseArray(rows * n, 1),
      noiseArray(rows * n, 2),
      noiseArray(rows, 3),
      noiseArray(n, 4),
    ];
    const shifted = (by: Float64Array): Float64Array => Float64Array.from(x, (value, i) => value + (by[i % n] ?? 0));
    expectDerivative((by) => dot(shifted(by), d), bias, columnSumReference(d, rows, n));
    const scaled = (by: Float64Array): Float64Array =>
      Float64Array.from(x, (value, i) => value * (scale[Math.floor(i / n)] ?? 0) * (by[i % n] ?? 0));
    expectDerivative((by) => dot(scaled(by), d), bias, columnSumReference(d, rows, n, { b: x, scale }));
  });
});
