/** x ∘ g / sqrt(mean(x²) + eps) per row of x [M, K]; f64. */
export function rmsNormReference64(
  x: ArrayLike<number>,
  g: ArrayLike<number>,
  m: number,
  k: number,
  eps: number,
): Float64Array {
  const y = new Float64Array(m * k);
  for (let i = 0; i < m; i++) {
    const scale = inverseRms(x, i, k, eps);
    for (let j = 0; j < k; j++) y[i * k + j] = (x[i * k + j] ?? 0) * scale * (g[j] ?? 0);
  }
  return y;
}

/** x ∘ g / sqrt(mean(x²) + eps) per row of x [M, K]. */
export function rmsNormReference(x: Float32Array, g: Float32Array, m: number, k: number, eps: number): Float32Array {
  return Float32Array.from(rmsNormReference64(x, g, m, k, eps));
}

/**
 * Gradients of a loss for x and g, from that for y, by the quotient rule; f64.
 * @param dy [M, K]
 * @returns dx [M, K], dg [K] and 1 / sqrt(mean(x²) + eps) of each row [M]
 */
export function rmsNormGradientReference(
  x: ArrayLike<number>,
  g: ArrayLike<number>,
  dy: ArrayLike<number>,
  m: number,
  k: number,
  eps: number,
): { readonly dx: Float64Array; readonly dg: Float64Array; readonly inverse: Float64Array } {
  const dx = new Float64Array(m * k);
  const dg = new Float64Array(k);
  const inverse = Float64Array.from({ length: m }, (_, i) => inverseRms(x, i, k, eps));
  inverse.forEach((scale, i) => {
    let pull = 0;
    for (let j = 0; j < k; j++) pull += (dy[i * k + j] ?? 0) * (g[j] ?? 0) * (x[i * k + j] ?? 0);
    for (let j = 0; j < k; j++) {
      const [value, d] = [x[i * k + j] ?? 0, dy[i * k + j] ?? 0];
      dx[i * k + j] = d * (g[j] ?? 0) * scale - (value * pull * scale ** 3) / k;
      dg[j] = (dg[j] ?? 0) + d * value * scale;
    }
  });
  return { dx, dg, inverse };
}

function inverseRms(x: ArrayLike<number>, row: number, k: number, eps: number): number {
  let square = 0;
  for (let j = 0; j < k; j++) square += (x[row * k + j] ?? 0) ** 2;
  return 1 / Math.sqrt(square / k + eps);
}
