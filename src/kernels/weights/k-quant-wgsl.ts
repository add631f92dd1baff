import type { KQuantFormat } from "./format.ts";
import type { StepWgsl } from "./wgsl.ts";

/**
 * GGML's K-quants on the GPU, in an order of their own so that a thread loads 16 bytes of levels of one block at a time.
 *
 * A block of 256 weights is eight groups of 32. A group's low (for q4_k all) four bits take 16 bytes: the weight 4·v + b of
 * a group, v and b counted from 0, is in word v / 2, byte b, the low half where v is even. So one mask takes four weights
 * out of a word, each in a byte of its own.
 *
 * - `q4_k`, 128 bytes: the eight groups. In the scales: GGML's first 16 bytes of the block, which are the f16 scales of
 *   scales and minima, then eight scales and eight minima of 6 bits. x = d · sc · q − dmin · m.
 * - `q6_k`, 192 bytes: the eight groups, then eight bytes more for each with the high pairs of bits: weight 4·v + b in
 *   word v / 4, byte b, pair v mod 4. In the scales: 16 signed bytes, for 16 weights each, and in a second region the f16
 *   scales of these. x = d · sc · (q − 32).
 *
 * d · sc · q and dmin · m have at most 24 bits, so they are exact in f32, and x is what the reference rounds it to.
 */
export function kQuantWgsl(format: KQuantFormat): string {
  return format === "q4_k" ? Q4_K : Q6_K;
}

const BYTES = `// Four levels in the bytes of a word.
fn k_levels(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u));
}`;

/** GGML's `get_scale_min_k4`, with the f16 factors: a group's scale and minimum. */
const Q4_K = `${BYTES}
fn k_scale(block: u32, group: u32) -> vec2<f32> {
  let s = w_scales[block];
  let three = s.yzw >> vec3<u32>((group & 3u) * 8u);
  let low = vec2<u32>(three.x & 63u, three.y & 63u);
  let high = (vec2<u32>(three.z, three.z >> 4u) & vec2<u32>(15u)) | ((three.xy >> vec2<u32>(2u)) & vec2<u32>(48u));
  return unpack2x16float(s.x) * vec2<f32>(select(high, low, group < 4u));
}`;

const Q6_K = `${BYTES}
// The scales of a group's two halves.
fn k_scale(block: u32, group: u32) -> vec2<f32> {
  let pair = w_scales[block * 4u + (group >> 1u)] >> ((group & 1u) * 16u);
  let d = unpack2x16float(w_scales[op.zero_words + (block >> 1u)]);
  let signed = bitcast<vec2<i32>>(vec2<u32>(pair << 24u, pair << 16u)) >> vec2<u32>(24u);
  return select(d.x, d.y, (block & 1u) == 1u) * vec2<f32>(signed);
}
fn k_high(pairs: u32, v: u32) -> u32 { return ((pairs >> (2u * v)) & 0x03030303u) << 4u; }`;

/** `weight4` as `loaderWgsl` says it. */
export function kQuantWeight4(format: KQuantFormat): string {
  const find = `let group = (k4 >> 3u) & 7u;
  let scale = k_scale(row * op.blocks + (k4 >> 6u), group);`;
  if (format === "q4_k") {
    return `fn weight4(row: u32, k4: u32) -> vec4<f32> {
  ${find}
  let word = w[row * op.ld + (k4 >> 3u)][(k4 >> 1u) & 3u] >> ((k4 & 1u) * 4u);
  return k_levels(word & 0x0f0f0f0fu) * scale.x - scale.y;
}`;
  }
  return `fn weight4(row: u32, k4: u32) -> vec4<f32> {
  ${find}
  let at = row * op.ld + (k4 >> 6u) * 12u;
  let word = w[at + group][(k4 >> 1u) & 3u] >> ((k4 & 1u) * 4u);
  let pairs = w[at + 8u + (group >> 1u)][(group & 1u) * 2u + ((k4 >> 2u) & 1u)];
  let levels = k_levels((word & 0x0f0f0f0fu) | k_high(pairs, k4 & 3u));
  return (levels - 32.0) * select(scale.x, scale.y, (k4 & 4u) != 0u);
}`;
}

/** One step of the few-rows kernel: a group, in two halves. See `loadStepWgsl`. */
export function kQuantStep(format: KQuantFormat, name: string, row: string, step: string): StepWgsl {
  const low = (v: number): string => `(${name}_low.${"xy"[v >> 1]}${v % 2 === 1 ? " >> 4u" : ""}) & 0x0f0f0f0fu`;
  const scale = `let ${name}_s = k_scale(${row} * op.blocks + (${step} >> 3u), ${step} & 7u);`;
  const half = `let ${name}_low = select(${name}.xy, ${name}.zw, half == 1u);`;
  if (format === "q4_k") {
    return {
      load: `let ${name} = w[${row} * op.ld + ${step}];
      ${scale}`,
      half,
      vector: (v) => `k_levels(${low(v)}) * ${name}_s.x - ${name}_s.y`,
    };
  }
  return {
    load: `let ${name}_at = ${row} * op.ld + (${step} >> 3u) * 12u;
      let ${name} = w[${name}_at + (${step} & 7u)];
      let ${name}_four = w[${name}_at + 8u + ((${step} & 7u) >> 1u)];
      let ${name}_pairs = select(${name}_four.xy, ${name}_four.zw, (${step} & 1u) == 1u);
      ${scale}`,
    half: `${half}
      let ${name}_high = select(${name}_pairs.x, ${name}_pairs.y, half == 1u);
      let ${name}_d = select(${name}_s.x, ${name}_s.y, half == 1u);`,
    vector: (v) => `(k_levels((${low(v)}) | k_high(${name}_high, ${v}u)) - 32.0) * ${name}_d`,
  };
}
