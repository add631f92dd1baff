/**
 * Exponential moving average that is not drawn towards zero at its start: divided by the weight it has seen so far
 * (Kingma and Ba 2015, section 3; what TensorBoard and Weights & Biases show).
 * @param weight of what came before, 0 (no smoothing) up to but not including 1
 * @returns as many values; where a value is not finite, the average so far, NaN before the first
 */
export function debiasedEma(values: readonly number[], weight: number): number[] {
  let average = 0;
  let seen = 0;
  return values.map((value) => {
    if (Number.isFinite(value)) {
      average = weight * average + (1 - weight) * value;
      seen = weight * seen + (1 - weight);
    }
    return seen === 0 ? NaN : average / seen;
  });
}
