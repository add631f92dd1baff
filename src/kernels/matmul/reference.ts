/** y [M, N] = x [M, K] · Wᵀ, W [N, K]; f64 accumulation. */
export function matmulReference(x: Float32Array, w: Float32Array, m: number, n: number, k: number): Float64Array {
  const y = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += (x[i * k + l] ?? 0) * (w[j * k + l] ?? 0);
      y[i * n + j] = sum;
    }
  }
  return y;
}

/** silu(gate) · up for gate and up stacked as [2, I]: gu [M, 2I] → [M, I]. */
export function siluReference(gu: Float64Array, m: number, inner: number): Float64Array {
  const out = new Float64Array(m * inner);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < inner; j++) {
      const gate = gu[i * 2 * inner + j] ?? 0;
      out[i * inner + j] = (gate / (1 + Math.exp(-gate))) * (gu[i * 2 * inner + inner + j] ?? 0);
    }
  }
  return out;
}

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
