import { describe, expect, it } from "vitest";
import type { BufferScope } from "../../gpu/arena.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { DEVICE_VARIANTS, readF32 } from "../../gpu/node/test-device.ts";
import { uploadStorage, uploadUniform } from "../buffers.ts";
import { rmsNormReference } from "../rmsnorm/reference.ts";
import { expectClose, noiseArray, padRows, shapedGpu } from "../testing.ts";
import { K_QUANT_FORMATS, WEIGHT_FORMATS } from "../weights/format.ts";
import type { MatrixFormat } from "../weights/format.ts";
import { uploadMatrix } from "../weights/matrix.ts";
import { unpackWeights } from "../weights/pack.ts";
import { randomWeights, uploadRuns } from "../weights/testing.ts";
import { Product } from "./product.ts";
import { matmulReference } from "./reference.ts";

interface Case {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Of all rows, or of the first, the next, … of as equal a number. */
  readonly format: MatrixFormat | readonly MatrixFormat[];
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

/** K-quants have whole blocks of 256. */
const BLOCK_SHAPES: typeof SHAPES = [
  [1, 1, 256],
  [2, 33, 512],
  [3, 130, 256],
  [7, 5, 1280],
  [33, 66, 768],
];

function weightsOf(context: GpuContext, scope: BufferScope, { n, k, format, zeroPoints }: Case) {
  if (typeof format !== "string") {
    const each = Math.floor(n / format.length);
    const runs = format.map((of, i) => ({ format: of, rows: i === 0 ? n - each * (format.length - 1) : each }));
    return uploadRuns(context, scope, runs, k);
  }
  const packed = randomWeights(format, n, k, 3, zeroPoints);
  return { matrix: uploadMatrix(context, scope, "w", packed), stored: unpackWeights(packed) };
}

async function multiply(
  context: GpuContext,
  test: Case,
  norm: boolean,
): Promise<{ few: Float32Array; many: Float32Array; want: Float64Array }> {
  const { m, n, k } = test;
  const scope = context.arena.scope("matmul test");
  const x = noiseArray(m * k, 1);
  const g = noiseArray(k, 2);
  const { matrix, stored } = weightsOf(context, scope, test);
  const normed = rmsNormReference(x, g, m, k, 1e-5);
  const step = uploadUniform(context, scope, "step", [m]);
  const fewY = scope.create("few", m * n * 4);
  const manyY = scope.create("many", m * n * 4);
  const product = await Product.create(context, scope, {
    name: "test",
    matrix,
    epilogue: "store",
    bias: false,
    kv: "f32",
    aux: uploadStorage(context, scope, "aux", padRows(g, 1, k)),
    sizes: (chunk) => ({ yStride: n, yColumn: chunk.start, pair: 2, eps: 1e-5 }),
    few: { step, x: uploadStorage(context, scope, "x", padRows(x, m, k)), outputs: [fewY], norm, maxRows: m },
    many: { step, x: uploadStorage(context, scope, "xn", padRows(norm ? normed : x, m, k)), outputs: [manyY] },
  });
  const batch = context.commands();
  product.encodeFew(batch, m);
  product.encodeMany(batch, m);
  batch.submit();
  const few = await readF32(context, fewY, m * n);
  const many = await readF32(context, manyY, m * n);
  scope.dispose();
  return { few, many, want: matmulReference(norm ? normed : x, stored, m, n, k) };
}

describe.each(DEVICE_VARIANTS)("matrix product, $name", ({ options }) => {
  describe.each(WEIGHT_FORMATS)("%s weights", (format) => {
    it.each(SHAPES)("x [%i, k] · Wᵀ, %i columns, k = %i: both shapes equal the reference", async (m, n, k) => {
      const context = await shapedGpu(options);
      const { few, many, want } = await multiply(context, { m, n, k, format }, false);
      expectClose(few, want, 1e-5);
      expectClose(many, want, 1e-5);
    });
  });

  describe.each(K_QUANT_FORMATS)("%s weights", (format) => {
    it.each(BLOCK_SHAPES)("x [%i, k] · Wᵀ, %i columns, k = %i: both shapes equal the reference", async (m, n, k) => {
      const context = await shapedGpu(options);
      const { few, many, want } = await multiply(context, { m, n, k, format }, false);
      expectClose(few, want, 1e-5);
      expectClose(many, want, 1e-5);
    });
  });

  it("rows of several formats one below the other", async () => {
    const context = await shapedGpu(options);
    const formats = ["q4_k", "q6_k", "f16", "q8"] as const;
    const { few, many, want } = await multiply(context, { m: 3, n: 37, k: 512, format: formats }, false);
    expectClose(few, want, 1e-5);
    expectClose(many, want, 1e-5);
  });

  it.each([
    ["f32", 1100],
    ["f32", 2100],
    ["f32", 4200],
    ["q4", 4200],
    ["q4_k", 5120],
    ["q6_k", 5120],
  ] as const)("%s dot products of %i, shared by more threads", async (format, k) => {
    const context = await shapedGpu(options);
    const { few, many, want } = await multiply(context, { m: 1, n: 6, k, format }, false);
    expectClose(few, want, 2e-5);
    expectClose(many, want, 2e-5);
  });

  it.each(["q8", "q4"] as const)("%s with zero points", async (format) => {
    const context = await shapedGpu(options);
    const { few, many, want } = await multiply(context, { m: 5, n: 37, k: 70, format, zeroPoints: true }, false);
    expectClose(few, want, 1e-5);
    expectClose(many, want, 1e-5);
  });

  it("RMSNorm fused into the few-rows shape", async () => {
    const context = await shapedGpu(options);
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
    const context = await shapedGpu(options);
    const alone = await multiply(context, { m: 1, n: 40, k: 130, format: "bf16" }, false);
    const together = await multiply(context, { m: 7, n: 40, k: 130, format: "bf16" }, false);
    expect([...alone.few]).toEqual([...together.few.subarray(0, 40)]);
  });
});
