import { R1Error } from "../errors.ts";
import { isFloatDtype } from "./floats.ts";
import type { FloatDtype } from "./floats.ts";
import { dequantize } from "./gguf/dequantize/dequantize.ts";
import type { ReadableDtype } from "./gguf/dequantize/dequantize.ts";
import { GGML_TYPES } from "./gguf/ggml-type.ts";
import { quote } from "./quote.ts";

/** The exponent's bits in a word of one f32 or two halves; one of its lowest carries out of it where all of them are set. */
const EXPONENTS = {
  F32: { mask: 0x7f80_0000, carry: 0x0080_0000, out: 0x8000_0000 },
  F16: { mask: 0x7c00_7c00, carry: 0x0400_0400, out: 0x8000_8000 },
  BF16: { mask: 0x7f80_7f80, carry: 0x0080_0080, out: 0x8000_8000 },
} as const satisfies Record<FloatDtype, object>;

/** Where a block's f16 scales lie (and minima, which are scaled alike). Levels are whole numbers, so nothing else can be wrong. */
const F16_SCALES: Readonly<Record<Exclude<ReadableDtype, FloatDtype | "MXFP4">, readonly [number, ...number[]]>> = {
  Q8_0: [0],
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
  IQ4_NL: [0],
  IQ4_XS: [0],
};
/** From this exponent on MXFP4's largest level is beyond f32. */
const MXFP4_BEYOND = 253;

/**
 * The first element that is NaN or infinite, of whole blocks as a file has them. Floats are looked at word by word and
 * quantized blocks by their scales, at some gigabytes a second.
 */
export function firstNotFinite(
  dtype: ReadableDtype,
  bytes: Uint8Array<ArrayBuffer>,
): { readonly index: number; readonly value: number } | undefined {
  const suspicious = isFloatDtype(dtype) ? suspiciousFloats(dtype, bytes) : suspiciousBlocks(dtype, bytes);
  if (!suspicious) return undefined;
  const { block, bytes: size } = GGML_TYPES[dtype];
  const first = (suspicious.begin / size) * block;
  const values = dequantize(dtype, bytes.slice(suspicious.begin, suspicious.end));
  const at = values.findIndex((value) => !Number.isFinite(value));
  return at === -1 ? undefined : { index: first + at, value: values[at] ?? Number.NaN };
}

interface Range {
  readonly begin: number;
  readonly end: number;
}

/** Words looked at between two tests, so that the loop has no branch; a multiple of the four that it takes at once. */
const WORDS_AT_ONCE = 4096;

function suspiciousFloats(dtype: FloatDtype, bytes: Uint8Array<ArrayBuffer>): Range | undefined {
  // As 32-bit integers throughout: sums that become doubles take twice as long.
  const [mask, carry, out] = [EXPONENTS[dtype].mask | 0, EXPONENTS[dtype].carry | 0, EXPONENTS[dtype].out | 0];
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
  for (let from = 0; from < words.length; from += WORDS_AT_ONCE) {
    const to = Math.min(words.length, from + WORDS_AT_ONCE);
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = from; i < to; i += 4) {
      a |= (((words[i] ?? 0) & mask) + carry) | 0;
      b |= (((words[i + 1] ?? 0) & mask) + carry) | 0;
      c |= (((words[i + 2] ?? 0) & mask) + carry) | 0;
      d |= (((words[i + 3] ?? 0) & mask) + carry) | 0;
    }
    if (((a | b | c | d) & out) !== 0) return { begin: from * 4, end: to * 4 };
  }
  // An odd half behind the words.
  const begin = words.length * 4;
  return begin < bytes.byteLength ? { begin, end: bytes.byteLength } : undefined;
}

/** From the first block with a suspicious scale to the end. */
function suspiciousBlocks(
  dtype: Exclude<ReadableDtype, FloatDtype>,
  bytes: Uint8Array<ArrayBuffer>,
): Range | undefined {
  const { bytes: size } = GGML_TYPES[dtype];
  const firsts =
    dtype === "MXFP4"
      ? [firstByte(bytes, size, 0, 0xff, MXFP4_BEYOND)]
      : F16_SCALES[dtype].map((offset) => firstByte(bytes, size, offset + 1, 0x7c, 0x7c));
  const first = Math.min(...firsts);
  return first < bytes.length ? { begin: first * size, end: bytes.length } : undefined;
}

/** The first block whose byte at an offset, masked, is at least so much; Infinity where there is none. */
function firstByte(bytes: Uint8Array, size: number, offset: number, mask: number, least: number): number {
  for (let at = offset; at < bytes.length; at += size)
    if (((bytes[at] ?? 0) & mask) >= least) return (at - offset) / size;
  return Infinity;
}

/**
 * @param first element of the tensor that the bytes begin with
 * @throws R1Error E_NOT_FINITE naming the tensor, its element and its row
 */
export function requireFinite(
  { name, shape }: { readonly name: string; readonly shape: readonly number[] },
  dtype: ReadableDtype,
  bytes: Uint8Array<ArrayBuffer>,
  first = 0,
): void {
  const found = firstNotFinite(dtype, bytes);
  if (found) throw notFinite(name, shape, first + found.index, found.value);
}

function notFinite(name: string, shape: readonly number[], index: number, value: number): R1Error {
  // Innermost dimension last, as in the shape.
  const place: number[] = [];
  let rest = index;
  for (const size of shape.toReversed()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  const what = Number.isNaN(value) ? "NaN" : value > 0 ? "an infinity" : "minus infinity";
  return new R1Error(
    "E_NOT_FINITE",
    `tensor ${quote(name)} [${shape.join(", ")}] holds ${what} at [${place.join(", ")}]; expected finite numbers`,
    { tensor: name, row: place[0] ?? 0 },
  );
}
