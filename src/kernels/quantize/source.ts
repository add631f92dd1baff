import type { KernelSource } from "../../gpu/pipelines.ts";
import { f16Limit } from "../weights/pack.ts";
import { QUANT_BLOCK } from "../weights/format.ts";

/** What a checkpoint's weights may be stored as, and what they are quantized to. */
export type FloatFormat = "f32" | "f16" | "bf16";
export type QuantFormat = "q8" | "q4";

/** Threads of a workgroup; each quantizes one block of 32. */
export const THREADS = 64;

/**
 * Quantizes rows of stored floats in blocks of 32 along K, as `packWeights` without zero points does, to the same bits on
 * every device: WGSL's division may be off by 2.5 units in the last place and denormals may be flushed, so that scales
 * are computed in integers and levels are corrected by comparisons of exact products (a level and a half has at most 9
 * bits, a scale 11).
 *
 * Bindings: 0 `Op`, 1 source [rows, k] without padding between rows, 2 levels, 3 scales (zeros before), 4 largest: per
 * matrix the bits of a magnitude that no scale reaches, else 0.
 */
export function quantizeSource(from: FloatFormat, to: QuantFormat): KernelSource {
  const bits = to === "q8" ? 8 : 4;
  const perWord = 32 / bits;
  return {
    label: `quantize ${from} to ${to}`,
    bindings: ["uniform", "read", "write", "write", "write"],
    code: `struct Op { k: u32, per_row: u32, blocks: u32, target_block: u32, slot: u32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> levels: array<u32>;
// Two blocks share a word, and need not belong to the same dispatch.
@group(0) @binding(3) var<storage, read_write> scales: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> largest: array<atomic<u32>>;

${FLOAT_BITS[from]}

// Bits of the f16 nearest to (significand + a rest below its last bit) × 2^exponent; 23 to 26 bits, below 65,520.
fn nearest_f16(significand: u32, exponent: i32, rest: bool) -> u32 {
  let top = max(31 - i32(countLeadingZeros(significand)) + exponent, -14);
  let shift = top - 10 - exponent;
  if (shift > 31) { return 0u; }
  let kept = significand >> u32(shift);
  let dropped = significand & ((1u << u32(shift)) - 1u);
  let half = 1u << u32(shift - 1);
  let up = dropped > half || (dropped == half && (rest || (kept & 1u) == 1u));
  // A carry out of the significand moves into the exponent.
  return (u32(top + 14) << 10u) + kept + select(0u, 1u, up);
}

// The scale of a block whose value of largest magnitude has these bits.
fn scale_of(extreme: u32) -> u32 {
  let exponent = i32((extreme >> 23u) & 255u);
  let significand = (extreme & 0x7fffffu) | 0x800000u;
  ${SCALE[to]}
}

@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.y * groups.x * ${THREADS}u + id.x;
  if (index >= op.blocks) { return; }
  let row = index / op.per_row;
  let begin = (index % op.per_row) * ${QUANT_BLOCK}u;
  let count = min(${QUANT_BLOCK}u, op.k - begin);
  let at = row * op.k + begin;
  var extreme = 0u;
  for (var i = 0u; i < count; i++) {
    let value = float_bits(at + i);
    if ((value & 0x7fffffffu) > (extreme & 0x7fffffffu)) { extreme = value; }
  }
  if ((extreme & 0x7fffffffu) > ${floatBits(f16Limit(to))}u) {
    atomicMax(&largest[op.slot], extreme & 0x7fffffffu);
    return;
  }
  let scale_bits = scale_of(extreme);
  let block = op.target_block + index;
  atomicOr(&scales[block >> 1u], scale_bits << ((block & 1u) * 16u));
  let negative = (scale_bits & 0x8000u) != 0u;
  let scale_exponent = (scale_bits >> 10u) & 31u;
  var scale = f32(scale_bits & 0x3ffu) * ${2 ** -24};
  if (scale_exponent > 0u) {
    scale = bitcast<f32>(((scale_exponent + 112u) << 23u) | ((scale_bits & 0x3ffu) << 13u));
  }
  for (var w = 0u; w < ${QUANT_BLOCK / perWord}u; w++) {
    var word = 0u;
    for (var j = 0u; j < ${perWord}u; j++) {
      let i = w * ${perWord}u + j;
      var level = 0.0;
      if (i < count && scale > 0.0) {
        let value = bitcast<f32>(float_bits(at + i));
        let x = select(value, -value, negative);
        level = floor(x / scale + 0.5);
        // Halves are rounded up.
        if (x < (level - 0.5) * scale) { level -= 1.0; } else if (x >= (level + 0.5) * scale) { level += 1.0; }
      }
      word |= ${LEVEL[to]} << (j * ${bits}u);
    }
    levels[block * ${QUANT_BLOCK / perWord}u + w] = word;
  }
}`,
  };
}

/** `float_bits(i)`: element i of the source as the bits of a f32. */
const FLOAT_BITS: Record<FloatFormat, string> = {
  f32: `fn float_bits(i: u32) -> u32 { return source[i]; }`,
  bf16: `fn float_bits(i: u32) -> u32 { return (source[i >> 1u] >> ((i & 1u) * 16u)) << 16u; }`,
  f16: `fn float_bits(i: u32) -> u32 {
  let half = (source[i >> 1u] >> ((i & 1u) * 16u)) & 0xffffu;
  let sign = (half & 0x8000u) << 16u;
  let exponent = (half >> 10u) & 31u;
  let mantissa = half & 0x3ffu;
  if (exponent == 31u) { return sign | 0x7f800000u | (mantissa << 13u); }
  if (exponent > 0u) { return sign | ((exponent + 112u) << 23u) | (mantissa << 13u); }
  if (mantissa == 0u) { return sign; }
  let shift = countLeadingZeros(mantissa) - 21u;
  return sign | ((113u - shift) << 23u) | (((mantissa << shift) & 0x3ffu) << 13u);
}`,
};

const SCALE: Record<QuantFormat, string> = {
  // |extreme| / 127, with eight bits more than a f32 has.
  q8: `if (exponent == 0) { return 0u; }
  let numerator = significand << 8u;
  return nearest_f16(numerator / 127u, exponent - 158, numerator % 127u != 0u);`,
  // extreme / −8.
  q4: `let sign = (~extreme >> 16u) & 0x8000u;
  if (exponent == 0) { return sign; }
  return sign | nearest_f16(significand, exponent - 153, false);`,
};

const LEVEL: Record<QuantFormat, string> = {
  q8: `(bitcast<u32>(i32(clamp(level, -127.0, 127.0))) & 255u)`,
  q4: `u32(clamp(level + 8.0, 0.0, 15.0))`,
};

function floatBits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
}
