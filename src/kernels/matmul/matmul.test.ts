import { describe, expect, it } from "vitest";
import type { GpuContext } from "../../gpu/device.ts";
import { DEVICE_VARIANTS, readF32, testGpu } from "../../gpu/node/test-device.ts";
import { uploadStorage, uploadUniform } from "../buffers.ts";
import { expectClose, noiseArray, padRows } from "../testing.ts";
import { ACTIVATION_PAD, roundUp, WEIGHT_FORMATS } from "../weights/format.ts";
import type { WeightFormat } from "../weights/format.ts";
import { allocateMatrix, uploadMatrix } from "../weights/matrix.ts";
import { packWeights, unpackWeights } from "../weights/pack.ts";
import { Product } from "./product.ts";
import { matmulReference, rmsNormReference, siluReference } from "./reference.ts";

interface Case {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly format: WeightFormat;
  readonly zeroPoints?: boolean;
}

const SHAPES: readonly (readonly [m: number, n: number, k: number])[] = [
  [1, 1, 1],
  [1, 7, 33],
  [2, 33, 7],
  [3, 130, 40],
  [7, 5, 130],
  [33, 66, 100],
  [64, 35, 96],
];

async function multiply(
  context: GpuContext,
  test: Case,
  norm: boolean,
): Promise<{ few: Float32Array; many: Float32Array; want: Float64Array }> {
  const { m, n, k, format, zeroPoints = false } = test;
  const scope = context.arena.scope("matmul test");
  const x = noiseArray(m * k, 1);
  const g = noiseArray(k, 2);
  const packed = packWeights(format, noiseArray(n * k, 3), n, k, zeroPoints);
  const normed = rmsNormReference(x, g, m, k, 1e-5);
  const step = uploadUniform(context, scope, "step", [m]);
  const fewY = scope.create("few", m * n * 4);
  const manyY = scope.create("many", m * n * 4);
  const product = await Product.create(context, scope, {
    name: "test",
    matrix: uploadMatrix(context, scope, "w", packed),
    epilogue: "store",
    bias: false,
    kv: "f32",
    aux: uploadStorage(context, scope, "aux", padRows(g, 1, k)),
    sizes: (chunk) => ({ yStride: n, yColumn: chunk.start, pair: 2, eps: 1e-5 }),
    few: { step, x: uploadStorage(context, scope, "x", padRows(x, m, k)), outputs: [fewY], norm, maxRows: 64 },
    many: { step, x: uploadStorage(context, scope, "xn", padRows(norm ? normed : x, m, k)), outputs: [manyY] },
  });
  const batch = context.commands();
  product.encodeFew(batch, m);
  product.encodeMany(batch, m);
  batch.submit();
  const few = await readF32(context, fewY, m * n);
  const many = await readF32(context, manyY, m * n);
  scope.dispose();
  return { few, many, want: matmulReference(norm ? normed : x, unpackWeights(packed), m, n, k) };
}

describe.each(DEVICE_VARIANTS)("matrix product, $name", ({ options }) => {
  describe.each(WEIGHT_FORMATS)("%s weights", (format) => {
    it.each(SHAPES)("x [%i, k] · Wᵀ, %i columns, k = %i: both shapes equal the reference", async (m, n, k) => {
      const context = await testGpu(options);
      const { few, many, want } = await multiply(context, { m, n, k, format }, false);
      expectClose(few, want, 1e-5);
      expectClose(many, want, 1e-5);
    });
  });

  it.each(["q8", "q4"] as const)("%s with zero points", async (format) => {
    const context = await testGpu(options);
    const { few, many, want } = await multiply(context, { m: 5, n: 37, k: 70, format, zeroPoints: true }, false);
    expectClose(few, want, 1e-5);
    expectClose(many, want, 1e-5);
  });

  it("RMSNorm fused into the few-rows shape", async () => {
    const context = await testGpu(options);
    for (const [m, n, k] of [
      [1, 7, 33],
      [3, 6, 130],
      [9, 10, 600],
    ] as const) {
      const { few, want } = await multiply(context, { m, n, k, format: "f32" }, true);
      expectClose(few, want, 2e-5);
    }
  });

  it("a row's result does not depend on how many rows are multiplied with it", async () => {
    const context = await testGpu(options);
    const alone = await multiply(context, { m: 1, n: 40, k: 130, format: "bf16" }, false);
    const together = await multiply(context, { m: 7, n: 40, k: 130, format: "bf16" }, false);
    expect([...alone.few]).toEqual([...together.few.subarray(0, 40)]);
  });

  it("gate and up with SiLU, split over chunks, then added to a residual", async () => {
    const context = await testGpu(options);
    const scope = context.arena.scope("silu test");
    const [m, inner, k] = [5, 21, 33];
    const x = noiseArray(m * k, 4, 3);
    const gate = noiseArray(inner * k, 5);
    const up = noiseArray(inner * k, 6);
    // A matrix whose chunks hold 8, 8 and 5 rows of each half.
    const whole = allocateMatrix(context, scope, "gu", "f32", inner, k, { stacked: 2 });
    const chunks = [0, 8, 16].map((start) => {
      const count = Math.min(8, inner - start);
      const rows = new Float32Array(2 * count * k);
      rows.set(gate.subarray(start * k, (start + count) * k));
      rows.set(up.subarray(start * k, (start + count) * k), count * k);
      const data = uploadStorage(context, scope, `chunk${start}`, packWeights("f32", rows, 2 * count, k).data);
      return { start, count, data };
    });
    const stride = roundUp(inner, ACTIVATION_PAD);
    const step = uploadUniform(context, scope, "step", [m]);
    const hFew = scope.create("few", m * stride * 4);
    const hMany = scope.create("many", m * stride * 4);
    const xBuffer = uploadStorage(context, scope, "x", padRows(x, m, k));
    const product = await Product.create(context, scope, {
      name: "gate-up",
      matrix: { ...whole, chunks },
      epilogue: "silu",
      bias: false,
      kv: "f32",
      sizes: (chunk) => ({ yStride: stride, yColumn: chunk.start, pair: 2 * chunk.count }),
      few: { step, x: xBuffer, outputs: [hFew], norm: false, maxRows: 8 },
      many: { step, x: xBuffer, outputs: [hMany] },
    });
    const down = packWeights("f16", noiseArray(k * inner, 7), k, inner);
    const residual = noiseArray(m * k, 8);
    const y = uploadStorage(context, scope, "y", residual);
    const second = await Product.create(context, scope, {
      name: "down",
      matrix: uploadMatrix(context, scope, "down", down),
      epilogue: "residual",
      bias: false,
      kv: "f32",
      sizes: () => ({ yStride: k, yColumn: 0, pair: 2 }),
      few: { step, x: hFew, outputs: [y], norm: false, maxRows: 8 },
    });
    const batch = context.commands();
    product.encodeFew(batch, m);
    product.encodeMany(batch, m);
    second.encodeFew(batch, m);
    batch.submit();
    const gu = new Float64Array(m * 2 * inner);
    const [g, u] = [matmulReference(x, gate, m, inner, k), matmulReference(x, up, m, inner, k)];
    for (let i = 0; i < m; i++) {
      gu.set(g.subarray(i * inner, (i + 1) * inner), i * 2 * inner);
      gu.set(u.subarray(i * inner, (i + 1) * inner), i * 2 * inner + inner);
    }
    const h = siluReference(gu, m, inner);
    const wantH = padRows(Float32Array.from(h), m, inner);
    expectClose(await readF32(context, hFew, m * stride), wantH, 1e-4);
    expectClose(await readF32(context, hMany, m * stride), wantH, 1e-4);
    const wantY = matmulReference(Float32Array.from(h), unpackWeights(down), m, k, inner).map(
      (v, i) => v + (residual[i] ?? 0),
    );
    expectClose(await readF32(context, y, m * k), wantY, 1e-4);
    scope.dispose();
  });
});
