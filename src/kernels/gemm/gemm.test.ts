import { describe, expect, it } from "vitest";
import { readF32, testGpu } from "../../gpu/node/test-device.ts";
import { uploadStorage, uploadUniform } from "../buffers.ts";
import { dot, expectDerivative } from "../testing-derivative.ts";
import { choosing, expectClose, noiseArray } from "../testing.ts";
import { K_QUANT_FORMATS, paddedK, roundUp, WEIGHT_FORMATS } from "../weights/format.ts";
import type { MatrixFormat } from "../weights/format.ts";
import { unpackWeights } from "../weights/pack.ts";
import { randomWeights } from "../weights/testing.ts";
import { f32View, Gemm, partialBytes, splitsFor } from "./gemm.ts";
import { productReference, transposeReference } from "./reference.ts";
import type { GemmShape, GemmStore } from "./source.ts";

const SHAPES: readonly GemmShape[] = ["direct", "tiled"];

/** Rows m, rows of the weights n, their columns k: around a tile of 64, a step of 16 and a vector of 4. */
const SIZES: readonly (readonly [m: number, n: number, k: number])[] = [
  [1, 1, 1],
  [7, 33, 5],
  [33, 7, 130],
  [65, 130, 33],
  [130, 66, 20],
];

/** Where an operand lies in its buffer; noise is all around it. */
interface Place {
  readonly row: number;
  readonly col4: number;
}
const CORNER: Place = { row: 0, col4: 0 };

/** `values` [rows, columns] in a field of noise, which goes on for `padding` columns (or zeros do) and four more. */
function embed(
  values: ArrayLike<number>,
  [rows, columns]: readonly [number, number],
  padding: number,
  { col4, seed, zeros = false }: { readonly col4: number; readonly seed: number; readonly zeros?: boolean },
) {
  const stride = 4 * col4 + roundUp(columns + padding, 4) + 4;
  const field = noiseArray(rows * stride, seed);
  for (let i = 0; i < rows; i++) {
    const start = i * stride + 4 * col4;
    for (let j = 0; j < columns; j++) field[start + j] = values[i * columns + j] ?? 0;
    if (zeros) field.fill(0, start + columns, start + columns + padding);
  }
  return { field, stride };
}

interface ProductCase {
  readonly shape: GemmShape;
  readonly form: "nt" | "nn";
  readonly store: GemmStore;
  readonly size: readonly [m: number, n: number, k: number];
  readonly format?: MatrixFormat;
  readonly zeroPoints?: boolean;
  readonly scale?: number;
  /** First row of the view of the weights, which have three rows more after it. */
  readonly row0?: number;
  readonly aCol4?: number;
  readonly at?: Place;
}

/** Checks all of the result's buffer: the product, its padding, and that nothing around it has changed. */
async function checkProduct(test: ProductCase): Promise<void> {
  const {
    shape,
    form,
    store,
    size,
    format = "f32",
    zeroPoints = false,
    scale,
    row0 = 0,
    aCol4 = 0,
    at = CORNER,
  } = test;
  const [m, n, k] = size;
  const context = await testGpu();
  const scope = context.arena.scope("gemm test");
  const allRows = row0 + n + (row0 > 0 ? 3 : 0);
  const packed = randomWeights(format, allRows, k, 1, zeroPoints);
  const w = unpackWeights(packed).subarray(row0 * k, (row0 + n) * k);
  const [deep, wide] = form === "nt" ? [k, n] : [n, k];
  const x = noiseArray(m * deep, 2);
  // The weights are zero in their padding and past their last row, so what the activations meet them with may be noise.
  const padding = form === "nt" ? paddedK(format, k) - k : roundUp(n, 4) - n;
  const a = embed(x, [m, deep], padding, { col4: aCol4, seed: 3 });
  const written = form === "nt" ? roundUp(n, 4) : paddedK(format, k);
  const yStride = 4 * at.col4 + written + 4;
  const before = noiseArray((at.row + m + 1) * yStride, 4);
  const residual = noiseArray(before.length, 5);

  const y = uploadStorage(context, scope, "y", before);
  const gemm = await Gemm.create(choosing(context, shape), scope, {
    name: "test",
    form,
    step: uploadUniform(context, scope, "step", [m]),
    a: { buffer: uploadStorage(context, scope, "a", a.field), stride4: a.stride / 4, col4: aCol4 },
    weights: {
      format,
      zeroPoints,
      data: uploadStorage(context, scope, "w", packed.data),
      ...(packed.scales ? { scales: uploadStorage(context, scope, "scales", packed.scales) } : {}),
      allRows,
      row0,
      rows: n,
      k,
    },
    y: { buffer: y, stride4: yStride / 4, ...at },
    store: store === "residual" ? { residual: uploadStorage(context, scope, "r", residual) } : store,
    ...(scale === undefined ? {} : { scale }),
  });
  const batch = context.commands();
  gemm.encode(batch, m);
  batch.submit();
  const got = await readF32(context, y, before.length);
  scope.dispose();

  const product =
    form === "nt" ? productReference(x, transposeReference(w, n, k), m, k, n) : productReference(x, w, m, n, k);
  const want = Float64Array.from(before);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < written; j++) {
      const to = (at.row + i) * yStride + 4 * at.col4 + j;
      const base = { store: 0, accumulate: before[to] ?? 0, residual: residual[to] ?? 0 }[store];
      want[to] = base + (j < wide ? (product[i * wide + j] ?? 0) * (scale ?? 1) : 0);
    }
  }
  expectClose(got, want, 1e-5);
}

interface GradientCase {
  readonly shape: GemmShape;
  readonly size: readonly [depth: number, n: number, k: number];
  readonly splits?: number;
  readonly scale?: number;
  readonly aCol4?: number;
  readonly bCol4?: number;
  readonly at?: Place;
}

async function checkWeightGradient(test: GradientCase): Promise<void> {
  const { shape, size, splits = 1, scale, aCol4 = 0, bCol4 = 0, at = CORNER } = test;
  const [depth, n, k] = size;
  const context = await testGpu();
  const scope = context.arena.scope("gemm test");
  const [dy, x] = [noiseArray(depth * n, 1), noiseArray(depth * k, 2)];
  const a = embed(dy, [depth, n], 0, { col4: aCol4, seed: 3 });
  const b = embed(x, [depth, k], paddedK("f32", k) - k, { col4: bCol4, seed: 4, zeros: true });
  const yStride = 4 * at.col4 + paddedK("f32", k) + 4;
  const before = noiseArray((at.row + n + 1) * yStride, 5);
  const y = uploadStorage(context, scope, "dW", before);
  const step = uploadUniform(context, scope, "step", [depth]);
  // Scratch holds whatever the kernel before left in it.
  const scratch = noiseArray(partialBytes(n, k, splits) / 4, 6);
  const gemm = await Gemm.create(choosing(context, shape), scope, {
    name: "test",
    form: "tn",
    step,
    a: { buffer: uploadStorage(context, scope, "a", a.field), stride4: a.stride / 4, col4: aCol4 },
    b: { buffer: uploadStorage(context, scope, "b", b.field), stride4: b.stride / 4, col4: bCol4 },
    y: { buffer: y, stride4: yStride / 4, ...at },
    rows: n,
    k,
    ...(splits > 1 ? { partial: { buffer: uploadStorage(context, scope, "partial", scratch), splits } } : {}),
    ...(scale === undefined ? {} : { scale }),
  });
  const batch = context.commands();
  gemm.encode(batch, depth);
  batch.submit();
  const got = await readF32(context, y, before.length);
  scope.dispose();

  const product = productReference(transposeReference(dy, depth, n), x, n, depth, k);
  const want = Float64Array.from(before);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < k; j++) {
      const to = (at.row + i) * yStride + 4 * at.col4 + j;
      want[to] = (before[to] ?? 0) + (product[i * k + j] ?? 0) * (scale ?? 1);
    }
  }
  expectClose(got, want, 1e-5);
}

describe.each(SHAPES)("%s products", (shape) => {
  describe.each(["nt", "nn"] as const)("%s", (form) => {
    it.each(SIZES)("of %i rows with weights [%i, %i]", async (...size) => {
      await checkProduct({ shape, form, store: "store", size });
    });

    it("of parts of larger matrices, scaled", async () => {
      const place = { row0: 5, aCol4: 3, at: { row: 2, col4: 2 }, scale: -0.75 };
      await checkProduct({ shape, form, store: "store", size: [7, 33, 21], ...place });
      await checkProduct({ shape, form, store: "store", size: [65, 6, 70], ...place });
    });

    it.each(["accumulate", "residual"] as const)("%s: added to what is there", async (store) => {
      await checkProduct({ shape, form, store, size: [33, 35, 10], at: { row: 1, col4: 1 }, scale: 2 });
    });

    it.each(WEIGHT_FORMATS.filter((format) => format !== "f32"))("%s weights", async (format) => {
      await checkProduct({ shape, form, store: "store", size: [7, 33, 130], format });
      await checkProduct({ shape, form, store: "store", size: [65, 70, 40], format, row0: 7, scale: 0.5 });
    });

    it.each(K_QUANT_FORMATS)("%s weights", async (format) => {
      await checkProduct({ shape, form, store: "store", size: [7, 33, 512], format });
      await checkProduct({ shape, form, store: "store", size: [65, 70, 256], format, row0: 7, scale: 0.5 });
    });

    it.each(["q8", "q4"] as const)("%s weights with zero points", async (format) => {
      await checkProduct({ shape, form, store: "store", size: [5, 37, 70], format, zeroPoints: true, row0: 3 });
    });
  });

  describe("tn", () => {
    it.each(SIZES)("over %i rows, a gradient [%i, %i] is added to", async (...size) => {
      await checkWeightGradient({ shape, size });
    });

    it("of parts of larger matrices, scaled", async () => {
      const size = [33, 7, 70] as const;
      await checkWeightGradient({ shape, size, aCol4: 1, bCol4: 3, at: { row: 2, col4: 2 }, scale: -0.75 });
    });

    it.each([1, 7, 33, 70, 130])("over %i rows in three splits", async (depth) => {
      await checkWeightGradient({ shape, size: [depth, 7, 33], splits: 3 });
      await checkWeightGradient({
        shape,
        size: [depth, 66, 5],
        splits: 3,
        aCol4: 2,
        at: { row: 1, col4: 1 },
        scale: 3,
      });
    });
  });
});

describe("split sums", () => {
  it("fill a GPU with workgroups that have 256 rows or more each", () => {
    expect(splitsFor("tiled", 64, 64, 255)).toBe(1);
    expect(splitsFor("tiled", 64, 64, 1024)).toBe(4);
    expect(splitsFor("tiled", 65, 64, 1e6)).toBe(64);
    expect(splitsFor("tiled", 1024, 1024, 1e6)).toBe(1);
    expect(splitsFor("direct", 64, 64, 1e6)).toBe(1);
  });

  it("take scratch for padded rows, and none for one split", () => {
    expect(partialBytes(7, 33, 3)).toBe(3 * 7 * 40 * 4);
    expect(partialBytes(7, 33, 1)).toBe(0);
  });
});

describe("view", () => {
  it("of a whole f32 matrix", async () => {
    const context = await testGpu();
    const scope = context.arena.scope("gemm test");
    const data = scope.create("w", 7 * 40 * 4);
    expect(f32View(data, 7, 33)).toEqual({
      format: "f32",
      zeroPoints: false,
      data,
      allRows: 7,
      row0: 0,
      rows: 7,
      k: 33,
    });
    scope.dispose();
  });
});

describe("reference", () => {
  it("nn and tn are the derivatives of nt", () => {
    const [m, n, k] = [3, 5, 7];
    const [x, w, dy] = [noiseArray(m * k, 1), noiseArray(n * k, 2), noiseArray(m * n, 3)];
    const loss = (input: ArrayLike<number>, weights: ArrayLike<number>): number =>
      dot(productReference(input, transposeReference(weights, n, k), m, k, n), dy);
    expectDerivative((input) => loss(input, w), x, productReference(dy, w, m, n, k));
    expectDerivative((weights) => loss(x, weights), w, productReference(transposeReference(dy, m, n), x, n, m, k));
  });
});
