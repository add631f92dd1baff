import { describe, expect, it } from "vitest";
import { readF32, testGpu } from "../../gpu/node/test-device.ts";
import { uploadStorage } from "../buffers.ts";
import { expectClose, noiseArray } from "../testing.ts";
import { AdamW } from "./adamw.ts";
import type { AdamWStep } from "./adamw.ts";
import { adamwReference } from "./reference.ts";
import type { AdamWState } from "./reference.ts";

const STEP: AdamWStep = {
  learningRate: 0.1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.1,
  maxGradNorm: 1,
  count: 1,
};

interface Optimizer {
  /** Takes one step. @returns norm before clipping and factor */
  step(gradient: Float32Array<ArrayBuffer>, step: AdamWStep): Promise<Float32Array>;
  read(): Promise<{ readonly w: Float32Array; readonly first: Float32Array; readonly second: Float32Array }>;
  dispose(): void;
}

async function optimizer(w: Float32Array<ArrayBuffer>, moments?: Float32Array<ArrayBuffer>): Promise<Optimizer> {
  const context = await testGpu();
  const scope = context.arena.scope("adamw test");
  const zeros = new Float32Array(w.length);
  const buffers = {
    parameters: uploadStorage(context, scope, "w", w),
    gradients: uploadStorage(context, scope, "gradient", zeros),
    first: uploadStorage(context, scope, "first", moments ?? zeros),
    second: uploadStorage(context, scope, "second", moments?.map(Math.abs) ?? zeros),
  };
  const adamw = await AdamW.create(context, scope, buffers);
  return {
    async step(gradient, step) {
      context.write(buffers.gradients, gradient);
      const batch = context.commands();
      adamw.encode(batch, step);
      batch.submit();
      return readF32(context, adamw.norm, 2);
    },
    read: async () => ({
      w: await readF32(context, buffers.parameters, w.length),
      first: await readF32(context, buffers.first, w.length),
      second: await readF32(context, buffers.second, w.length),
    }),
    dispose: () => {
      scope.dispose();
    },
  };
}

/** Takes a step for each scale of the gradient, comparing everything after each. @returns the factors */
async function check(count: number, scales: readonly number[], change: Partial<AdamWStep> = {}): Promise<number[]> {
  const w = noiseArray(count, 1);
  const state: AdamWState = {
    w: Float64Array.from(w),
    first: new Float64Array(count),
    second: new Float64Array(count),
  };
  const adamw = await optimizer(w);
  const factors: number[] = [];
  for (const [i, scale] of scales.entries()) {
    const step = { ...STEP, ...change, count: i + 1 };
    const gradient = noiseArray(count, 2 + i, scale);
    const [norm = Number.NaN, factor = Number.NaN] = await adamw.step(gradient, step);
    const want = adamwReference(state, gradient, step);
    expect(norm / want.norm).toBeCloseTo(1, 5);
    expect(factor / want.factor).toBeCloseTo(1, 5);
    const got = await adamw.read();
    expectClose(got.w, state.w, 2e-6);
    // Moments are small numbers: seen in units of what one gradient adds to them. 1 − 0.999 in f32 is off by 1.3e-5.
    const unit = (scale * want.factor) ** 2 * (1 - step.beta2);
    const moments = (values: ArrayLike<number>, by: number): number[] => Array.from(values, (value) => value / by);
    expectClose(moments(got.first, scale * want.factor), moments(state.first, scale * want.factor), 2e-6);
    expectClose(moments(got.second, unit), moments(state.second, unit), 2e-5);
    factors.push(factor);
  }
  adamw.dispose();
  return factors;
}

describe("AdamW", () => {
  it.each([4, 28, 132, 1028])("three steps of %i parameters equal the reference", async (count) => {
    await check(count, [1, 0.5, 3]);
  });

  it("more parameters than the norm has threads", async () => {
    await check(4 * 256 * 256 + 132, [1]);
  });

  it("scales down gradients whose norm is too large, and no others", async () => {
    const factors = await check(132, [3, 0.01, 50]);
    expect(factors[0]).toBeLessThan(0.1);
    expect(factors[1]).toBe(1);
    expect(factors[2]).toBeLessThan(0.01);
  });

  it("takes gradients as they are with maxGradNorm 0", async () => {
    expect(await check(132, [3, 0.01, 50], { maxGradNorm: 0 })).toEqual([1, 1, 1]);
  });

  it.each([
    { learningRate: 0.01, beta1: 0.8, beta2: 0.95, epsilon: 1e-3 },
    { weightDecay: 0 },
    { learningRate: 0 },
    { beta1: 0, beta2: 0.5 },
  ])("with %j", async (change) => {
    await check(28, [1, 0.5, 3], change);
  });

  it("decays weights that have no gradient", async () => {
    const adamw = await optimizer(Float32Array.of(1, -2, 0, 4));
    const norm = await adamw.step(new Float32Array(4), { ...STEP, learningRate: 0.5, weightDecay: 0.5 });
    expect([...norm]).toEqual([0, 1]);
    expectClose((await adamw.read()).w, [0.75, -1.5, 0, 3], 1e-7);
    adamw.dispose();
  });

  describe.each([1, 0])("with maxGradNorm %i", (maxGradNorm) => {
    it.each([
      [Number.NaN, 0],
      [Number.NaN, 131],
      [Number.POSITIVE_INFINITY, 66],
      [Number.NEGATIVE_INFINITY, 3],
      // Finite, but its square is not.
      [1e25, 5],
    ])("a gradient with %f at %i changes nothing, and the next one does", async (value, at) => {
      const moments = noiseArray(132, 3, 0.1);
      const adamw = await optimizer(noiseArray(132, 1), moments);
      const before = await adamw.read();
      const gradient = noiseArray(132, 2);
      const step = { ...STEP, maxGradNorm, count: 2 };
      const [norm, factor] = await adamw.step(
        gradient.map((other, i) => (i === at ? value : other)),
        step,
      );
      expect(norm).not.toSatisfy(Number.isFinite);
      expect(factor).toBe(0);
      expect(await adamw.read()).toEqual(before);

      await adamw.step(gradient, step);
      const state = {
        w: Float64Array.from(before.w),
        first: Float64Array.from(before.first),
        second: Float64Array.from(before.second),
      };
      adamwReference(state, gradient, step);
      const after = await adamw.read();
      expectClose(after.w, state.w, 2e-6);
      expectClose(after.first, state.first, 1e-6);
      expectClose(after.second, state.second, 1e-6);
      adamw.dispose();
    });
  });
});

describe("reference", () => {
  it("one step by hand", () => {
    const state = { w: Float64Array.of(2), first: Float64Array.of(0), second: Float64Array.of(0) };
    // Bias-corrected moments of the first step are g and g²: the direction is g's sign.
    const result = adamwReference(state, [-4], { ...STEP, maxGradNorm: 0, epsilon: 0 });
    expect(result).toEqual({ norm: 4, factor: 1 });
    expectClose(state.w, [2 - 0.1 * 0.1 * 2 + 0.1], 1e-12);
    expectClose(state.first, [-0.4], 1e-12);
    expectClose(state.second, [0.016], 1e-12);
  });
});
