/**
 * Rotates one head in place by a position, with Hugging Face's rotate-half convention: dimension i and i + d/2 turn
 * together (Su et al. 2021).
 * @param head [headDim], in the model's order
 * @param frequencies radians per position [headDim / 2]
 */
export function rotateReference(head: Float64Array, position: number, frequencies: Float64Array): void {
  const half = head.length / 2;
  for (let i = 0; i < half; i++) {
    const angle = position * (frequencies[i] ?? 0);
    const [a, b] = [head[i] ?? 0, head[i + half] ?? 0];
    head[i] = a * Math.cos(angle) - b * Math.sin(angle);
    head[i + half] = b * Math.cos(angle) + a * Math.sin(angle);
  }
}
