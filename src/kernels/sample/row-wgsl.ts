import { RowFlag } from "./row.ts";

/**
 * The row struct (see `packRows`) and its scaled logits. Needs `op.seen_words` and a function
 * `seen_word(at: u32) -> u32` that reads the `seen` mask.
 */
export const ROW_WGSL = `struct Row {
  seed: u32, stream: u32, position: u32, target_token: u32,
  scale: f32, scale_seen_positive: f32, scale_seen_negative: f32, log_min_p: f32,
  top_k: u32, top_p: f32, slot: u32, flags: u32,
}
const GREEDY = ${RowFlag.greedy}u;
const TRUNCATED = ${RowFlag.truncated}u;
const PENALISED = ${RowFlag.penalised}u;
const RECORD = ${RowFlag.record}u;

/** Logits after repetition penalty and temperature. */
fn scale_four(row: Row, v: u32, raw: vec4<f32>) -> vec4<f32> {
  var factor = vec4<f32>(row.scale);
  if ((row.flags & PENALISED) != 0u) {
    let nibble = seen_word(row.slot * op.seen_words + (v >> 3u)) >> ((v & 7u) * 4u);
    let hit = (vec4<u32>(nibble) & vec4<u32>(1u, 2u, 4u, 8u)) != vec4<u32>(0u);
    let penalised = select(vec4<f32>(row.scale_seen_negative), vec4<f32>(row.scale_seen_positive), raw > vec4<f32>(0.0));
    factor = select(factor, penalised, hit);
  }
  return clamp(raw * factor, vec4<f32>(-HUGE), vec4<f32>(HUGE));
}

/** The random number of one id, the same whatever else is in the batch. */
fn noise(row: Row, id: u32) -> f32 {
  return gumbel(threefry2x32(vec2<u32>(row.seed, row.stream), vec2<u32>(row.position, id)).x);
}`;

/** Four bytes each: the sampler's constants. */
export const OP_WGSL = "struct Op { vocab: u32, stride4: u32, chunks: u32, seen_words: u32 }";
