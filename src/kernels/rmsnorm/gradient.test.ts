import { describe, expect, it } from "vitest";
import { readF32, testGpu } from "../../gpu/node/test-device.ts";
import { uploadStorage, uploadUniform } from "../buffers.ts";
import { columnSumBytes } from "../column-sum/column-sum.ts";
import { dot, expectDerivative } from "../testing-derivative.ts";
import { expectClose, noiseArray, padRows } from "../testing.ts";
import { ACTIVATION_PAD, roundUp } from "../weights/format.ts";
import { RmsNormGradient } from "./gradient.ts";
import { rmsNormGradientReference, rmsNormReference64 } from "./reference.ts";

const EPS = 1e-5;

interface Case {
  readonly rows: number;
  readonly k: number;
  /** The row of x that each row of y was made of; x has `xRows` then. */
  readonly gather?: { readonly rows: readonly number[]; readonly xRows: number };
  /** Whether the weights are trained. */
  readonly weights?: boolean;
  readonly scale?: number;
}

/** Checks every result: dx with its padding and the rows that are not written, dg and the floats around it. */
async function check({ rows, k, gather, weights = true, scale = 1 }: Case): Promise<void> {
  const context = await testGpu();
  const scope = context.arena.scope("rmsnorm gradient test");
  const stride = roundUp(k, ACTIVATION_PAD);
  const xRows = gather?.xRows ?? rows;
  const places = gather?.rows ?? Array.from({ length: rows }, (_, i) => i);
  const x = noiseArray(xRows * k, 1, scale);
  const [g, dy] = [noiseArray(k, 2), noiseArray(rows * k, 3)];
  const dxBefore = padRows(noiseArray(xRows * k, 4), xRows, k);
  const to = 5;
  const dgBefore = noiseArray(to + k + 3, 5);

  const dX = uploadStorage(context, scope, "dx", dxBefore);
  const dG = uploadStorage(context, scope, "dg", dgBefore);
  const inverse = uploadStorage(context, scope, "inverse", noiseArray(rows, 6));
  const gradient = await RmsNormGradient.create(context, scope, k, EPS, {
    step: uploadUniform(context, scope, "step", [rows]),
    x: uploadStorage(context, scope, "x", padRows(x, xRows, k)),
    weights: uploadStorage(context, scope, "g", padRows(g, 1, k)),
    dY: uploadStorage(context, scope, "dy", padRows(dy, rows, k)),
    dX,
    inverse,
    ...(weights ? { dWeights: { buffer: dG, to } } : {}),
    partial: uploadStorage(context, scope, "partial", noiseArray(columnSumBytes(rows, k) / 4, 7)),
    ...(gather
      ? {
          gather: {
            rows: uploadStorage(context, scope, "rows", Uint32Array.from(gather.rows)),
            gathered: uploadStorage(context, scope, "gathered", noiseArray(rows * stride, 8)),
          },
        }
      : {}),
  });
  const batch = context.commands();
  gradient.encode(batch, rows);
  batch.submit();
  const got = {
    dx: await readF32(context, dX, dxBefore.length),
    dg: await readF32(context, dG, dgBefore.length),
    inverse: await readF32(context, inverse, rows),
  };
  scope.dispose();

  const taken = Float32Array.from(places.flatMap((row) => [...x.subarray(row * k, (row + 1) * k)]));
  const want = rmsNormGradientReference(taken, g, dy, rows, k, EPS);
  const dx = Float64Array.from(dxBefore);
  places.forEach((row, i) => {
    for (let j = 0; j < k; j++) {
      const at = row * stride + j;
      dx[at] = (gather ? 0 : (dx[at] ?? 0)) + (want.dx[i * k + j] ?? 0);
    }
  });
  const added = dgBefore.map((value, i) => (weights ? value + (want.dg[i - to] ?? 0) : value));
  expectClose(got.dx, dx, 5e-6);
  expectClose(got.dg, added, 5e-6);
  expectClose(got.inverse, want.inverse, 5e-6);
}

describe("RMSNorm gradient", () => {
  it.each([
    [1, 1],
    [7, 7],
    [3, 33],
    [33, 130],
    [65, 5],
    [130, 34],
    [2, 257],
  ])("%i rows of %i are added to what is there", async (rows, k) => {
    await check({ rows, k });
  });

  it("frozen weights have none", async () => {
    await check({ rows: 7, k: 33, weights: false });
    await check({ rows: 2, k: 33, weights: false, gather: { rows: [3, 0], xRows: 4 } });
  });

  it.each([
    [1, 1, [0], 1],
    [3, 33, [6, 0, 2], 7],
    [7, 130, [0, 1, 2, 3, 4, 5, 6], 7],
    [66, 7, Array.from({ length: 66 }, (_, i) => 130 - 2 * i), 131],
  ])("%i gathered rows of %i are set, and no others", async (rows, k, taken, xRows) => {
    await check({ rows, k, gather: { rows: taken, xRows } });
  });

  it("eps counts where values are small", async () => {
    await check({ rows: 3, k: 33, scale: 3e-3 });
  });
});

describe("reference", () => {
  it.each([
    [1, 1],
    [3, 7],
    [2, 33],
  ])("its gradients are its derivatives: %i rows of %i", (rows, k) => {
    const [x, g, dy] = [noiseArray(rows * k, 1), noiseArray(k, 2), noiseArray(rows * k, 3)];
    // A large eps, so that the derivative of a single value's norm is not lost in the differences' rounding.
    const eps = 0.1;
    const { dx, dg } = rmsNormGradientReference(x, g, dy, rows, k, eps);
    expect(dx).toHaveLength(rows * k);
    expectDerivative((input) => dot(rmsNormReference64(input, g, rows, k, eps), dy), x, dx);
    expectDerivative((weights) => dot(rmsNormReference64(x, weights, rows, k, eps), dy), g, dg);
  });
});
