import { describe, expect, it } from "vitest";
import type { GpuContext } from "../../gpu/device.ts";
import { DEVICE_VARIANTS, readF32, testGpu } from "../../gpu/node/test-device.ts";
import { uploadStorage } from "../buffers.ts";
import { expectClose, noiseArray, padRows } from "../testing.ts";
import { ACTIVATION_PAD, roundUp } from "../weights/format.ts";
import { rmsNormReference } from "./reference.ts";
import { RmsNorm } from "./rmsnorm.ts";

interface Case {
  readonly x: Float32Array;
  readonly g: Float32Array;
  readonly rows: number;
  readonly k: number;
  readonly eps: number;
  /** The row of x that each row of y is made of; its own if left out. */
  readonly gather?: readonly number[];
}

/** @returns y with its padding [rows, K padded to 32] */
async function normalise(context: GpuContext, { x, g, rows, k, eps, gather }: Case): Promise<Float32Array> {
  const scope = context.arena.scope("rmsnorm test");
  const stride = roundUp(k, ACTIVATION_PAD);
  // What was there before must not show through, in the padding either.
  const y = uploadStorage(context, scope, "y", noiseArray(rows * stride, 9));
  const input = uploadStorage(context, scope, "x", padRows(x, x.length / k, k));
  const weights = uploadStorage(context, scope, "g", padRows(g, 1, k));
  const places = gather && uploadStorage(context, scope, "rows", Uint32Array.from(gather));
  const norm = await RmsNorm.create(context, scope, k, eps, input, weights, y, places);
  const batch = context.commands();
  norm.encode(batch, rows);
  batch.submit();
  const got = await readF32(context, y, rows * stride);
  scope.dispose();
  return got;
}

async function check(context: GpuContext, test: Case): Promise<void> {
  const { x, g, rows, k, eps } = test;
  expectClose(await normalise(context, test), padRows(rmsNormReference(x, g, rows, k, eps), rows, k), 2e-6);
}

describe.each(DEVICE_VARIANTS)("RMSNorm, $name", ({ options }) => {
  it.each([
    [1, 1],
    [7, 7],
    [3, 33],
    [33, 130],
    [2, 257],
    [1, 1536],
  ])("%i rows of %i equal the reference", async (rows, k) => {
    const context = await testGpu(options);
    await check(context, { x: noiseArray(rows * k, 1, 3), g: noiseArray(k, 2), rows, k, eps: 1e-6 });
  });

  it.each([
    [1, 1, [0]],
    [3, 33, [4, 0, 4]],
    [7, 130, [8, 6, 5, 3, 2, 1, 0]],
  ])("%i gathered rows of %i equal the reference of the rows taken", async (rows, k, gather) => {
    const context = await testGpu(options);
    const [x, g] = [noiseArray(9 * k, 1, 3), noiseArray(k, 2)];
    const taken = Float32Array.from(gather.flatMap((row) => [...x.subarray(row * k, (row + 1) * k)]));
    const got = await normalise(context, { x, g, rows, k, eps: 1e-6, gather });
    expectClose(got, padRows(rmsNormReference(taken, g, rows, k, 1e-6), rows, k), 2e-6);
  });

  it("eps counts where values are small", async () => {
    const context = await testGpu(options);
    const [rows, k] = [3, 33];
    const [x, g] = [noiseArray(rows * k, 3, 1e-3), noiseArray(k, 4)];
    await check(context, { x, g, rows, k, eps: 1e-6 });
    await check(context, { x, g, rows, k, eps: 1e-5 });
    const small = await normalise(context, { x, g, rows, k, eps: 1e-5 });
    const smaller = await normalise(context, { x, g, rows, k, eps: 1e-6 });
    expect(Math.abs(small[0] ?? 0)).toBeLessThan(0.5 * Math.abs(smaller[0] ?? 0));
  });

  it("a row of zeros stays zero", async () => {
    const context = await testGpu(options);
    const test = { x: new Float32Array(2 * 7), g: noiseArray(7, 5), rows: 2, k: 7, eps: 1e-6 };
    expect((await normalise(context, test)).every((value) => value === 0)).toBe(true);
  });

  it("values far beyond f16, as Qwen2's residual stream has them, do not overflow", async () => {
    const context = await testGpu(options);
    const [rows, k] = [2, 130];
    await check(context, { x: noiseArray(rows * k, 6, 1e7), g: noiseArray(k, 7), rows, k, eps: 1e-6 });
  });
});
