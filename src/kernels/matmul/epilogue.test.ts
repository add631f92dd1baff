import { describe, expect, it } from "vitest";
import type { GpuContext } from "../../gpu/device.ts";
import { DEVICE_VARIANTS, readF32, readU32 } from "../../gpu/node/test-device.ts";
import { toPairOrder } from "../attention/reference.ts";
import { uploadStorage, uploadUniform } from "../buffers.ts";
import { rmsNormReference } from "../rmsnorm/reference.ts";
import { ropeFrequencies, ropeTable } from "../rope/rope.ts";
import { expectClose, noiseArray, padRows, uploadSplit, shapedGpu } from "../testing.ts";
import { ACTIVATION_PAD, roundUp, WEIGHT_FORMATS } from "../weights/format.ts";
import type { WeightFormat } from "../weights/format.ts";
import { f16BitsToF32 } from "../weights/half.ts";
import { Product } from "./product.ts";
import { matmulReference, qkvReference, siluReference } from "./reference.ts";

/** Runs a product's two shapes in one batch. */
function encodeBoth(context: GpuContext, product: Product, rows: number): void {
  const batch = context.commands();
  product.encodeFew(batch, rows);
  product.encodeMany(batch, rows);
  batch.submit();
}

interface ResidualCase {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly format: WeightFormat;
  readonly chunkRows: number;
}

async function checkResidual(context: GpuContext, { m, n, k, format, chunkRows }: ResidualCase): Promise<void> {
  const scope = context.arena.scope("residual test");
  const { matrix, stored } = uploadSplit(context, scope, format, noiseArray(n * k, 1), n, k, { chunkRows });
  const x = noiseArray(m * k, 2);
  const stride = roundUp(n, ACTIVATION_PAD);
  const residual = padRows(noiseArray(m * n, 3), m, n);
  const few = uploadStorage(context, scope, "few", residual);
  const many = uploadStorage(context, scope, "many", residual);
  const input = {
    step: uploadUniform(context, scope, "step", [m]),
    x: uploadStorage(context, scope, "x", padRows(x, m, k)),
  };
  const product = await Product.create(context, scope, {
    name: "residual",
    matrix,
    epilogue: "residual",
    bias: false,
    kv: "f32",
    sizes: (chunk) => ({ yStride: stride, yColumn: chunk.start, pair: 2 }),
    few: { ...input, outputs: [few], norm: false, maxRows: m },
    many: { ...input, outputs: [many] },
  });
  encodeBoth(context, product, m);
  const added = padRows(Float32Array.from(matmulReference(x, stored, m, n, k)), m, n);
  const want = residual.map((value, i) => value + (added[i] ?? 0));
  expectClose(await readF32(context, few, m * stride), want, 2e-5);
  expectClose(await readF32(context, many, m * stride), want, 2e-5);
  scope.dispose();
}

interface SiluCase {
  readonly m: number;
  readonly inner: number;
  readonly k: number;
  readonly format: WeightFormat;
  readonly chunkRows: number;
  readonly scale?: number;
  readonly adapted?: boolean;
}

async function checkSilu(context: GpuContext, test: SiluCase): Promise<void> {
  const { m, inner, k, format, chunkRows, scale = 1, adapted = false } = test;
  const scope = context.arena.scope("silu test");
  const weights = noiseArray(2 * inner * k, 1);
  const { matrix, stored } = uploadSplit(context, scope, format, weights, inner, k, { chunkRows, stacked: 2 });
  const x = noiseArray(m * k, 2, scale);
  const stride = roundUp(inner, ACTIVATION_PAD);
  const few = scope.create("few", m * stride * 4);
  const many = scope.create("many", m * stride * 4);
  const input = {
    step: uploadUniform(context, scope, "step", [m]),
    x: uploadStorage(context, scope, "x", padRows(x, m, k)),
  };
  // An adapter's part: gate's columns, then from an odd number on up's.
  const [up, deltaStride] = [inner + 3, 2 * inner + 5];
  const delta = noiseArray(m * deltaStride, 5);
  const outputs = adapted ? [uploadStorage(context, scope, "delta", delta)] : [];
  const product = await Product.create(context, scope, {
    name: "gate and up",
    matrix,
    epilogue: "silu",
    bias: false,
    kv: "f32",
    ...(adapted ? { adapted: true } : {}),
    sizes: (chunk) => ({
      yStride: stride,
      yColumn: chunk.start,
      pair: 2 * chunk.count,
      ...(adapted ? { delta: { at: 0, stride: deltaStride, up } } : {}),
    }),
    few: { ...input, outputs: [few, ...outputs], norm: false, maxRows: m },
    many: { ...input, outputs: [many, ...outputs] },
  });
  encodeBoth(context, product, m);
  // Rows of both matrices, one after another, are what the reference calls gate and up.
  const sums = matmulReference(x, stored, m, 2 * inner, k).map((value, i) => {
    const [row, column] = [Math.floor(i / (2 * inner)), i % (2 * inner)];
    const at = row * deltaStride + (column < inner ? column : up + column - inner);
    return adapted ? value + (delta[at] ?? Number.NaN) : value;
  });
  const silu = siluReference(sums, m, inner);
  const want = padRows(Float32Array.from(silu), m, inner);
  expectClose(await readF32(context, few, m * stride), want, 3e-5);
  expectClose(await readF32(context, many, m * stride), want, 3e-5);
  scope.dispose();
}

interface QkvCase {
  readonly m: number;
  readonly k: number;
  readonly headDim: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly kv: "f32" | "f16";
  readonly format?: WeightFormat;
  readonly bias?: boolean;
  readonly norm?: boolean;
  /** Heads whose weights share a chunk; all of them if left out. */
  readonly chunkHeads?: number;
  readonly scale?: number;
  readonly adapted?: boolean;
}

const LARGEST_F16 = 65_504;

/** Both shapes against the reference: q, and a cache of which only the rows' own cells may change. */
async function checkQkv(context: GpuContext, test: QkvCase): Promise<void> {
  const {
    m,
    k,
    headDim,
    heads,
    kvHeads,
    kv,
    format = "f32",
    bias = false,
    norm = false,
    scale = 1,
    adapted = false,
  } = test;
  const scope = context.arena.scope("qkv test");
  const columns = (heads + 2 * kvHeads) * headDim;
  const [qColumns, kvColumns] = [heads * headDim, kvHeads * headDim];
  const { matrix, stored } = uploadSplit(context, scope, format, noiseArray(columns * k, 1), columns, k, {
    chunkRows: test.chunkHeads === undefined ? columns : test.chunkHeads * headDim,
  });
  const x = noiseArray(m * k, 2, scale);
  const g = noiseArray(k, 3);
  const biasValues = noiseArray(columns, 4);
  const normed = norm ? rmsNormReference(x, g, m, k, 1e-6) : x;
  // Positions out of order, far and near; cache rows with gaps between them.
  const positions = Array.from({ length: m }, (_, i) => (i * 37 + 5) % 401);
  const cacheRows = Array.from({ length: m }, (_, i) => 2 * (m - 1 - i) + 1);
  const frequencies = ropeFrequencies(headDim, 10_000, { type: "none" });
  const cells = (2 * m + 1) * 2 * kvColumns;
  const cacheBytes = cells * (kv === "f16" ? 2 : 4);
  const caches = [scope.create("cache few", cacheBytes), scope.create("cache many", cacheBytes)] as const;
  const qs = [scope.create("q few", m * qColumns * 4), scope.create("q many", m * qColumns * 4)] as const;
  const rows = uploadStorage(
    context,
    scope,
    "rows",
    Uint32Array.from(positions.flatMap((position, i) => [0, position, cacheRows[i] ?? 0, 0])),
  );
  const table = ropeTable(frequencies, 401);
  // An adapter's part lies behind the table.
  const deltaStride = columns + 1;
  const delta = noiseArray(m * deltaStride, 5);
  const deltaAt = table.length + 3;
  const turns = new Float32Array(roundUp(deltaAt + (adapted ? delta.length : 0), 2));
  turns.set(table);
  if (adapted) turns.set(delta, deltaAt);
  const rope = uploadStorage(context, scope, "rope", turns);
  const biasAt = roundUp(k, ACTIVATION_PAD);
  // The kernels read whole vec4s.
  const aux = new Float32Array(biasAt + roundUp(columns, 4));
  aux.set(g);
  aux.set(biasValues, biasAt);
  const step = uploadUniform(context, scope, "step", [m]);
  const product = await Product.create(context, scope, {
    name: "qkv",
    matrix,
    epilogue: "qkv",
    bias,
    kv,
    ...(adapted ? { adapted: true } : {}),
    aux: uploadStorage(context, scope, "aux", aux),
    sizes: (chunk) => ({
      yStride: qColumns,
      yColumn: chunk.start,
      pair: headDim,
      eps: 1e-6,
      biasAt,
      qColumns,
      kvColumns,
      ...(adapted ? { delta: { at: deltaAt, stride: deltaStride } } : {}),
    }),
    few: {
      step,
      x: uploadStorage(context, scope, "x", padRows(x, m, k)),
      outputs: [qs[0], caches[0], rows, rope],
      norm,
      maxRows: m,
    },
    many: {
      step,
      x: uploadStorage(context, scope, "normed", padRows(normed, m, k)),
      outputs: [qs[1], caches[1], rows, rope],
    },
  });
  encodeBoth(context, product, m);

  const reference = qkvReference({
    headDim,
    heads,
    kvHeads,
    product: matmulReference(normed, stored, m, columns, k).map((value, i) => {
      const at = Math.floor(i / columns) * deltaStride + (i % columns);
      return adapted ? value + (delta[at] ?? Number.NaN) : value;
    }),
    positions,
    frequencies,
    ...(bias ? { bias: biasValues } : {}),
  });
  const paired = toPairOrder(Float32Array.from(reference), headDim);
  const wantQ = new Float32Array(m * qColumns);
  const wantCache = new Float32Array(cells);
  for (let i = 0; i < m; i++) {
    const row = paired.subarray(i * columns, (i + 1) * columns);
    wantQ.set(row.subarray(0, qColumns), i * qColumns);
    wantCache.set(row.subarray(qColumns), (cacheRows[i] ?? 0) * 2 * kvColumns);
  }
  for (const q of qs) expectClose(await readF32(context, q, m * qColumns), wantQ, 5e-5);
  for (const cache of caches) {
    if (kv === "f32") {
      expectClose(await readF32(context, cache, cells), wantCache, 5e-5);
      continue;
    }
    const words = await readU32(context, cache, cells / 2);
    const got = Float32Array.from(new Uint16Array(words.buffer), f16BitsToF32);
    const clamped = wantCache.map((value) => Math.min(LARGEST_F16, Math.max(-LARGEST_F16, value)));
    // An f16 has 11 significant bits.
    expectClose(got, clamped, 2 ** -11);
  }
  scope.dispose();
}

// Compiling kernels is what takes the time here: sizes vary freely, options only as far as the code depends on them.
describe.each(DEVICE_VARIANTS)("epilogues, $name", ({ options }) => {
  it.each([
    [1, 1, 1],
    [3, 7, 33],
    [9, 33, 130],
    [66, 130, 40],
  ])("residual: y [%i, %i] += x · Wᵀ, k = %i, in chunks of an odd number of columns", async (m, n, k) => {
    const context = await shapedGpu(options);
    await checkResidual(context, { m, n, k, format: "f32", chunkRows: 65 });
    await checkResidual(context, { m, n, k, format: "f32", chunkRows: 5 });
  });

  it.each([
    [1, 1, 1],
    [3, 7, 33],
    [9, 21, 130],
    [66, 130, 40],
  ])("silu: %i rows, %i columns, k = %i, whole and in chunks of 8", async (m, inner, k) => {
    const context = await shapedGpu(options);
    await checkSilu(context, { m, inner, k, format: "f32", chunkRows: inner });
    await checkSilu(context, { m, inner, k, format: "f32", chunkRows: 8 });
  });

  it("an adapter's part is added before silu and rotation", async () => {
    const context = await shapedGpu(options);
    const shape = { m: 9, inner: 21, k: 130, headDim: 10, heads: 4, kvHeads: 2, format: "q4", adapted: true } as const;
    await checkSilu(context, { ...shape, chunkRows: 8 });
    // With all eight bindings: scales, norm and bias too.
    await checkQkv(context, { ...shape, bias: true, norm: true, kv: "f32", chunkHeads: 3 });
  });

  it("silu of gates far from zero is 0 or the gate, never NaN", async () => {
    await checkSilu(await shapedGpu(options), { m: 2, inner: 7, k: 33, format: "f32", chunkRows: 7, scale: 1000 });
  });

  it.each(WEIGHT_FORMATS)("residual, silu and qkv of one row with %s weights, in chunks", async (format) => {
    const context = await shapedGpu(options);
    const qkv = { headDim: 10, heads: 4, kvHeads: 2, chunkHeads: 3, kv: "f16", bias: true } as const;
    await checkResidual(context, { m: 1, n: 33, k: 70, format, chunkRows: 20 });
    await checkSilu(context, { m: 1, inner: 33, k: 70, format, chunkRows: 13 });
    await checkQkv(context, { m: 1, k: 70, format, ...qkv });
  });

  it.each([
    { m: 1, k: 1, headDim: 2, heads: 1, kvHeads: 1 },
    { m: 3, k: 33, headDim: 6, heads: 3, kvHeads: 1 },
    { m: 9, k: 130, headDim: 20, heads: 4, kvHeads: 2 },
    { m: 66, k: 40, headDim: 64, heads: 3, kvHeads: 3 },
  ])("qkv: $m rows, k = $k, heads of $headDim, $heads over $kvHeads, f32 and f16 cache", async (shape) => {
    const context = await shapedGpu(options);
    await checkQkv(context, { ...shape, kv: "f32", bias: true, norm: true });
    await checkQkv(context, { ...shape, kv: "f16" });
  });

  it("qkv of one row with and without bias and RMSNorm", async () => {
    const context = await shapedGpu(options);
    const shape = { m: 1, k: 33, headDim: 6, heads: 3, kvHeads: 1, kv: "f32" } as const;
    for (const bias of [false, true]) {
      for (const norm of [false, true]) await checkQkv(context, { ...shape, bias, norm });
    }
  });

  it("qkv: keys and values beyond f16 are kept at its largest number", async () => {
    const shape = { m: 2, k: 33, headDim: 6, heads: 2, kvHeads: 1, kv: "f16", scale: 1e5 } as const;
    await checkQkv(await shapedGpu(options), shape);
  });
});

it("columns that do not fill whole pairs are refused", async () => {
  const context = await shapedGpu();
  const scope = context.arena.scope("pairs");
  const { matrix } = uploadSplit(context, scope, "f32", noiseArray(10 * 4, 1), 10, 4, { chunkRows: 10 });
  const description = { name: "odd", matrix, epilogue: "qkv", bias: false, kv: "f32" } as const;
  for (const pair of [3, 4]) {
    const made = Product.create(context, scope, { ...description, sizes: () => ({ yStride: 10, yColumn: 0, pair }) });
    await expect(made).rejects.toMatchObject({ code: "E_INTERNAL" });
  }
  scope.dispose();
});
