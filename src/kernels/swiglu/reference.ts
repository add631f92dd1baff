/**
 * Gradient of a loss for gate and up, from that for silu(gate) ∘ up; f64. The forward pass is `siluReference`.
 * @param gateUp gate and up side by side [rows, 2 × width]
 * @param dy [rows, width]
 * @returns as `gateUp`
 */
export function swigluGradientReference(
  gateUp: ArrayLike<number>,
  dy: ArrayLike<number>,
  rows: number,
  width: number,
): Float64Array {
  const out = new Float64Array(rows * 2 * width);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < width; j++) {
      const at = i * 2 * width + j;
      const [gate, up, d] = [gateUp[at] ?? 0, gateUp[at + width] ?? 0, dy[i * width + j] ?? 0];
      const sigmoid = 1 / (1 + Math.exp(-gate));
      out[at] = d * up * (sigmoid + gate * sigmoid * (1 - sigmoid));
      out[at + width] = d * gate * sigmoid;
    }
  }
  return out;
}
