/** Mean of the values that are there; null where none is. */
export function nanMean(values: readonly (number | null)[]): number | null {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (value === null) continue;
    sum += value;
    count++;
  }
  return count === 0 ? null : sum / count;
}

/**
 * Standard deviation of the values that are there, as `nanstd` in `trl/trainer/utils.py` for `ddof` 1.
 * @param ddof what is subtracted from the count: 1 for a sample, 0 for a whole population
 * @returns null where `ddof` leaves nothing to divide by
 */
export function nanStd(values: readonly (number | null)[], ddof: 0 | 1 = 1): number | null {
  const mean = nanMean(values);
  if (mean === null) return null;
  let squares = 0;
  let count = 0;
  for (const value of values) {
    if (value === null) continue;
    squares += (value - mean) ** 2;
    count++;
  }
  return count > ddof ? Math.sqrt(squares / (count - ddof)) : null;
}

/**
 * A quantile with linear interpolation between neighbours, as `torch.quantile`.
 * @param fraction in [0, 1]
 * @returns null for no values
 */
export function quantile(values: readonly number[], fraction: number): number | null {
  const sorted = Float64Array.from(values).toSorted();
  const place = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  return below === undefined || above === undefined ? null : below + (above - below) * (place % 1);
}
