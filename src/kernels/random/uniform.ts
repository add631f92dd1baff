/**
 * A uniform number strictly inside (0, 1) from 32 random bits: (⌊bits / 2⁹⌋ + ½) · 2⁻²³. 23 bits are the most that keep
 * every value exact in f32; with 24, the largest would round to 1.
 */
export function uniform(bits: number): number {
  return ((bits >>> 9) + 0.5) * 2 ** -23;
}

/** WGSL `uniform(bits: u32) -> f32`, the same value as {@link uniform}. */
export const UNIFORM_WGSL = `fn uniform(bits: u32) -> f32 {
  return (f32(bits >> 9u) + 0.5) * ${2 ** -23};
}`;
