import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { debiasedEma } from "./smoothing.ts";

describe("debiasedEma", () => {
  it("is the weighted mean of what came so far", () => {
    const [first, second, third] = debiasedEma([4, 8, 1], 0.5);
    expect(first).toBe(4);
    expect(second).toBeCloseTo((0.5 * 4 + 8) / 1.5, 12);
    expect(third).toBeCloseTo((0.25 * 4 + 0.5 * 8 + 1) / 1.75, 12);
  });

  it("leaves values as they are without a weight, and a constant as it is with any", () => {
    expect(debiasedEma([3, -1, 2], 0)).toEqual([3, -1, 2]);
    for (const value of debiasedEma([7, 7, 7, 7], 0.97)) expect(value).toBeCloseTo(7, 12);
  });

  it("passes over what is not finite", () => {
    expect(debiasedEma([NaN, 2, NaN, Infinity], 0.9)).toEqual([NaN, 2, 2, 2]);
  });

  it("stays between the least and the greatest value", () => {
    const inputs = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(inputs, fc.double({ min: 0, max: 0.999, noNaN: true }), (values, weight) => {
        const [low, high] = [Math.min(...values), Math.max(...values)];
        for (const value of debiasedEma(values, weight)) {
          expect(value).toBeGreaterThanOrEqual(low - 1e-6);
          expect(value).toBeLessThanOrEqual(high + 1e-6);
        }
      }),
    );
  });
});
