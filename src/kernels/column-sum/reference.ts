/** Σ over rows of a[t, c], or of a[t, c] · b[t, c] · scale[t]; a, b [rows, n], scale [rows]. @returns [n] f64 */
export function columnSumReference(
  a: ArrayLike<number>,
  rows: number,
  n: number,
  times?: { readonly b: ArrayLike<number>; readonly scale: ArrayLike<number> },
): Float64Array {
  const out = new Float64Array(n);
  for (let t = 0; t < rows; t++) {
    for (let c = 0; c < n; c++) {
      const factor = times ? (times.b[t * n + c] ?? 0) * (times.scale[t] ?? 0) : 1;
      out[c] = (out[c] ?? 0) + (a[t * n + c] ?? 0) * factor;
    }
  }
  return out;
}
