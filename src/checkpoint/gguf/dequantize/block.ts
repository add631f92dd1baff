/**
 * Writes the values of one block.
 * @param from where the block begins in `data`
 * @param to where its values begin in `out`
 */
export type BlockDecoder = (data: DataView, from: number, out: Float32Array, to: number) => void;

/** The f16 at a byte, exactly. */
export function f16At(data: DataView, at: number): number {
  const bits = data.getUint16(at, true);
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
