/** out [M, K] = a [M, N] · b [N, K]; f64 sums. */
export function productReference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  m: number,
  n: number,
  k: number,
): Float64Array {
  const out = new Float64Array(m * k);
  for (let i = 0; i < m; i++) {
    for (let d = 0; d < n; d++) {
      const factor = a[i * n + d] ?? 0;
      for (let j = 0; j < k; j++) out[i * k + j] = (out[i * k + j] ?? 0) + factor * (b[d * k + j] ?? 0);
    }
  }
  return out;
}

/** [rows, columns] → [columns, rows]. */
export function transposeReference(a: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = a[i * columns + j] ?? 0;
  return out;
}
