import { K_QUANT_BLOCK, rowLayout } from "./format.ts";
import type { KQuantFormat } from "./format.ts";
import { f16BitsToF32 } from "./half.ts";
import type { PackedWeights } from "./pack.ts";

const GROUP = 32;
const GROUPS = K_QUANT_BLOCK / GROUP;
/** Bytes of a group's low bits, and of q6_k's pairs of high ones. */
const LOW_BYTES = 16;
const HIGH_BYTES = 8;

type PackedKQuant = PackedWeights & { readonly format: KQuantFormat };

/** The f32 values [rows, k] of a K-quant's matrix: the reference of its loaders, in the layout that `k-quant-wgsl.ts` tells. */
export function unpackKQuant(packed: PackedKQuant): Float32Array<ArrayBuffer> {
  const { rows, k, format } = packed;
  const out = new Float32Array(rows * k);
  const value = format === "q4_k" ? q4KReader(packed) : q6KReader(packed);
  for (let i = 0; i < out.length; i++) {
    const block = Math.floor(i / K_QUANT_BLOCK);
    const within = i % K_QUANT_BLOCK;
    out[i] = value(block, Math.floor(within / GROUP), within % GROUP);
  }
  return out;
}

/** @param at which of a group's weights */
type Reader = (block: number, group: number, at: number) => number;

/** The four bits of a weight, of a group whose low bits begin at byte `from`. */
function lowBits(data: Uint8Array, from: number, at: number): number {
  const [v, b] = [at >> 2, at & 3];
  return ((data[from + (v >> 1) * 4 + b] ?? 0) >> ((v & 1) * 4)) & 15;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer> = new Uint8Array()): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function q4KReader({ data, scales }: PackedKQuant): Reader {
  const view = viewOf(scales);
  return (block, group, at) => {
    const from = block * 16;
    const byte = (i: number): number => view.getUint8(from + 4 + i);
    const scale = group < 4 ? byte(group) & 63 : (byte(group + 4) & 15) | ((byte(group - 4) >> 6) << 4);
    const least = group < 4 ? byte(group + 4) & 63 : (byte(group + 4) >> 4) | ((byte(group) >> 6) << 4);
    const d = f16BitsToF32(view.getUint16(from, true));
    const dmin = f16BitsToF32(view.getUint16(from + 2, true));
    const level = lowBits(data, (block * GROUPS + group) * LOW_BYTES, at);
    return Math.fround(d * scale) * level - Math.fround(dmin * least);
  };
}

function q6KReader({ data, scales, format, rows, k }: PackedKQuant): Reader {
  const view = viewOf(scales);
  const { secondWords } = rowLayout(format, rows, k);
  const bytes = GROUPS * (LOW_BYTES + HIGH_BYTES);
  return (block, group, at) => {
    const [v, b] = [at >> 2, at & 3];
    const high = data[block * bytes + GROUPS * LOW_BYTES + group * HIGH_BYTES + (v >> 2) * 4 + b] ?? 0;
    const level = lowBits(data, block * bytes + group * LOW_BYTES, at) | (((high >> ((v & 3) * 2)) & 3) << 4);
    const scale = view.getInt8(block * 16 + group * 2 + (at >> 4));
    const d = f16BitsToF32(view.getUint16(secondWords * 4 + block * 2, true));
    return Math.fround(d * scale) * (level - 32);
  };
}
