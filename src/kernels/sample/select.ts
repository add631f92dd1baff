import { THREADS } from "./reduce.ts";

/** One bin per value of a byte, one thread per bin. */
const BINS = THREADS;
/** Copies of the histogram, so that threads that hit the same bin seldom wait for each other. */
const COPIES = 8;

/**
 * WGSL `select_cut(r: u32, row: Row, lowest: u32, by_mass: bool, weights: Weights) -> u32`: the largest key such that the
 * keys from it upwards weigh at least the target; exact, by radix select over four bytes with a histogram each (top
 * byte first). Only keys of at least `lowest` count.
 *
 * By count an id weighs 1 and the target is top_k. By mass an id weighs its probability in units of 2⁻³¹, rounded, and the
 * target is top_p of the total. Integer additions may come in any order, so the cut repeats exactly. Ids below 2⁻³² weigh
 * nothing and the total is off by at most V · 2⁻³² (3.5e-5 at V = 152,064).
 */
export const SELECT_WGSL = `struct Weights {
  /** The largest scaled logit. */
  top: f32,
  /** 2³¹ / Σ e^(scaled − top): makes units of mass. */
  unit: f32,
}
var<workgroup> histogram: array<atomic<u32>, ${COPIES * (BINS + 1)}>;
// One more than the bins: nothing lies above the last.
var<workgroup> upward: array<u32, ${BINS + 1}>;
/** The bin that reaches the target, and what lies above it. */
var<workgroup> found: vec2<u32>;

fn mass_of(scaled: f32, weights: Weights) -> u32 {
  return u32(exp(max(scaled - weights.top, FAR)) * weights.unit + 0.5);
}

fn select_cut(r: u32, row: Row, lowest: u32, by_mass: bool, weights: Weights) -> u32 {
  var prefix = 0u;
  var above = 0u;
  var goal = 0u;
  for (var byte = 0u; byte < 4u; byte++) {
    let shift = 24u - 8u * byte;
    for (var i = lane; i < ${COPIES * (BINS + 1)}u; i += THREADS) { atomicStore(&histogram[i], 0u); }
    if (lane == 0u) { found = vec2<u32>(0u); upward[${BINS}] = 0u; }
    workgroupBarrier();
    for (var v = lane; v < (op.vocab + 3u) / 4u; v += THREADS) {
      let four = load_four(r, v);
      let scaled = scale_four(row, v, four.raw);
      for (var i = 0u; i < 4u; i++) {
        let key = key_of(scaled[i]);
        // Shifted twice: a shift by all 32 bits is not defined.
        if (four.dead[i] || key < lowest || ((key >> shift) >> 8u) != prefix) { continue; }
        var weight = 1u;
        if (by_mass) { weight = mass_of(scaled[i], weights); }
        if (weight == 0u) { continue; }
        atomicAdd(&histogram[(lane % ${COPIES}u) * ${BINS + 1}u + ((key >> shift) & 255u)], weight);
      }
    }
    workgroupBarrier();
    var sum = 0u;
    for (var copy = 0u; copy < ${COPIES}u; copy++) { sum += atomicLoad(&histogram[copy * ${BINS + 1}u + lane]); }
    upward[lane] = sum;
    workgroupBarrier();
    // Sums from each bin upwards (Hillis & Steele 1986).
    for (var step = one(); step < ${BINS}u; step <<= 1u) {
      if (lane + step < ${BINS}u) { sum += upward[lane + step]; }
      workgroupBarrier();
      upward[lane] = sum;
      workgroupBarrier();
    }
    if (byte == 0u) {
      let total = upward[0];
      var wanted = row.top_k;
      if (by_mass) { wanted = u32(ceil(row.top_p * f32(total))); }
      goal = clamp(wanted, 1u, max(total, 1u));
    }
    if (above + upward[lane] >= goal && above + upward[lane + 1u] < goal) {
      found = vec2<u32>(lane, above + upward[lane + 1u]);
    }
    workgroupBarrier();
    prefix = (prefix << 8u) | found.x;
    above = found.y;
    workgroupBarrier();
  }
  return prefix;
}`;
