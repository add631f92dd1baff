import { expect } from "vitest";

/**
 * Fails unless `gradient` is the derivative of `f` at `at`, by central differences in f64: each entry within 1e-5 of
 * itself, or of a thousandth of the largest where it is smaller than that.
 * @param f a scalar of as many variables as `at` has
 * @param step of the differences, relative to 1 + |x|; the best for smooth functions of order 1 if left out
 */
export function expectDerivative(
  f: (x: Float64Array) => number,
  at: ArrayLike<number>,
  gradient: ArrayLike<number>,
  step = 1e-5,
): void {
  const x = Float64Array.from(at);
  expect(gradient.length).toBe(x.length);
  const differences = x.map((value, i) => {
    const h = step * (1 + Math.abs(value));
    x[i] = value + h;
    const above = f(x);
    x[i] = value - h;
    const below = f(x);
    x[i] = value;
    return (above - below) / (2 * h);
  });
  const largest = differences.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  expect(largest, "a derivative that is zero everywhere shows nothing").toBeGreaterThan(0);
  differences.forEach((want, i) => {
    const error = Math.abs((gradient[i] ?? Number.NaN) - want) / Math.max(Math.abs(want), 1e-3 * largest);
    if (!(error < 1e-5)) expect(gradient[i], `derivative for variable ${i}`).toBe(want);
  });
}

/** ⟨a, b⟩: a scalar whose derivative for a is b. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
