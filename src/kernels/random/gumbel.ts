/**
 * A standard Gumbel number −log(−log u) from 32 random bits, with u = 1 − (bits + ½) · 2⁻³²; between −3.14 and 22.88.
 * Adding one to each logit and taking the largest draws from their softmax (Gumbel 1954; Maddison et al. 2014).
 */
export function gumbel(bits: number): number {
  return -Math.log(-Math.log1p(-(bits + 0.5) * 2 ** -32));
}

const LAST_SERIES_TERM = 13;

/** z + z³/3 + z⁵/5 + … by Horner in z², without the leading z. */
function seriesWgsl(): string {
  let series = `${1 / LAST_SERIES_TERM}`;
  for (let n = LAST_SERIES_TERM - 2; n > 0; n -= 2) series = `fma(zz, ${series}, ${n === 1 ? "1.0" : 1 / n})`;
  return series;
}

/**
 * WGSL `gumbel(bits: u32) -> f32`, within about 1e-6 of {@link gumbel}.
 *
 * The winner of a large vocabulary has u within 1/V of 1, where WGSL's `log` may be off by 2⁻²¹ in absolute terms and an
 * f32 u has no digits left. So the small side takes −log(1 − v) = 2 artanh(v / (2 − v)) as a series in v itself, whose
 * error is relative, and only the large side uses `log`.
 */
export const GUMBEL_WGSL = `fn gumbel(bits: u32) -> f32 {
  let large = (bits >> 31u) == 1u;
  // The distance to the nearer end of (0, 1).
  let v = (f32(select(bits, ~bits, large)) + 0.5) * ${2 ** -32};
  let z = v / (2.0 - v);
  let zz = z * z;
  let series = 2.0 * z * ${seriesWgsl()};
  return -log(select(series, -log(v), large));
}`;
