/** Rows of `table` [V, K] by token. @returns [tokens, K] */
export function embeddingReference(
  table: Float32Array,
  k: number,
  tokens: readonly number[],
): Float32Array<ArrayBuffer> {
  return Float32Array.from(tokens.flatMap((token) => [...table.subarray(token * k, (token + 1) * k)]));
}

/**
 * Gradient of a loss for the table, from that for the rows taken from it; f64.
 * @param dx [tokens, K]
 * @returns [V, K]
 */
export function embeddingGradientReference(
  dx: ArrayLike<number>,
  k: number,
  tokens: readonly number[],
  vocabulary: number,
): Float64Array {
  const out = new Float64Array(vocabulary * k);
  tokens.forEach((token, i) => {
    for (let j = 0; j < k; j++) out[token * k + j] = (out[token * k + j] ?? 0) + (dx[i * k + j] ?? 0);
  });
  return out;
}
