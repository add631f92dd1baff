/** log softmax of row `i` of logits [rows, V]; f64. */
function logSoftmax(logits: ArrayLike<number>, i: number, vocabulary: number): Float64Array {
  const row = Float64Array.from({ length: vocabulary }, (_, j) => logits[i * vocabulary + j] ?? 0);
  const top = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const logSum = top + Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0));
  return row.map((value) => value - logSum);
}

function entropyOf(logPs: Float64Array): number {
  return -logPs.reduce((sum, logP) => sum + Math.exp(logP) * logP, 0);
}

/**
 * @param logits already divided by the temperature [rows, V]
 * @param targets a token per row
 * @returns log-probability of each row's target and entropy of each row, in nats; f64
 */
export function crossEntropyReference(
  logits: ArrayLike<number>,
  targets: readonly number[],
  vocabulary: number,
): { readonly logps: Float64Array; readonly entropies: Float64Array } {
  const rows = targets.map((_, i) => logSoftmax(logits, i, vocabulary));
  return {
    logps: Float64Array.from(rows, (logPs, i) => logPs[targets[i] ?? 0] ?? Number.NaN),
    entropies: Float64Array.from(rows, entropyOf),
  };
}

/**
 * Gradient of a loss for the logits before their division by the temperature; f64.
 * @param logits already divided by the temperature [rows, V]
 * @param factors ∂loss/∂logp and ∂loss/∂entropy of each row [rows, 2]
 * @returns [rows, V]
 */
export function crossEntropyGradientReference(
  logits: ArrayLike<number>,
  targets: readonly number[],
  vocabulary: number,
  factors: ArrayLike<number>,
  temperature: number,
): Float64Array {
  const out = new Float64Array(targets.length * vocabulary);
  targets.forEach((target, i) => {
    const logPs = logSoftmax(logits, i, vocabulary);
    const entropy = entropyOf(logPs);
    const [forLogp, forEntropy] = [factors[2 * i] ?? 0, factors[2 * i + 1] ?? 0];
    logPs.forEach((logP, j) => {
      const p = Math.exp(logP);
      const d = forLogp * ((j === target ? 1 : 0) - p) - forEntropy * p * (logP + entropy);
      out[i * vocabulary + j] = d / temperature;
    });
  });
  return out;
}
