/** Rows of `table` [V, K] by token. @returns [tokens, K] */
export function embeddingReference(
  table: Float32Array,
  k: number,
  tokens: readonly number[],
): Float32Array<ArrayBuffer> {
  return Float32Array.from(tokens.flatMap((token) => [...table.subarray(token * k, (token + 1) * k)]));
}
