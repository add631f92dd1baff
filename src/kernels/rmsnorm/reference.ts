/** x ∘ g / sqrt(mean(x²) + eps) per row of x [M, K]. */
export function rmsNormReference(x: Float32Array, g: Float32Array, m: number, k: number, eps: number): Float32Array {
  const y = new Float32Array(m * k);
  for (let i = 0; i < m; i++) {
    let square = 0;
    for (let j = 0; j < k; j++) square += (x[i * k + j] ?? 0) ** 2;
    const scale = 1 / Math.sqrt(square / k + eps);
    for (let j = 0; j < k; j++) y[i * k + j] = (x[i * k + j] ?? 0) * scale * (g[j] ?? 0);
  }
  return y;
}
