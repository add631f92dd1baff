/**
 * Reading logits, four ids at a time, without ever computing with an infinity or NaN: WGSL lets implementations assume
 * there are none, so they are recognised by their bits and leave as `dead`.
 *
 * An id is dead when its logit is −Infinity or at most −1e38 (forbidden), or NaN, +Infinity or at least 1e38 (broken), or
 * beyond the vocabulary. Needs a binding `logits: array<vec4<u32>>`; `op.vocab` and `op.stride4` (stride in vec4).
 */
export const LOGITS_WGSL = `const HUGE = 1.0e38;
const HUGE_BITS = 0x7e967699u;
const NEVER = -1.0e38;
const NO_TOKEN = 0xffffffffu;

struct Four {
  /** Finite; 0 where dead. */
  raw: vec4<f32>,
  dead: vec4<bool>,
  broken: bool,
}

fn load_four(r: u32, v: u32) -> Four {
  let bits = logits[r * op.stride4 + v];
  let magnitude = bits & vec4<u32>(0x7fffffffu);
  let outside = (vec4<u32>(4u * v) + vec4<u32>(0u, 1u, 2u, 3u)) >= vec4<u32>(op.vocab);
  let beyond = magnitude >= vec4<u32>(HUGE_BITS);
  let forbidden = (bits != magnitude) & (magnitude <= vec4<u32>(0x7f800000u));
  let dead = outside | beyond;
  return Four(bitcast<vec4<f32>>(select(bits, vec4<u32>(0u), dead)), dead, any(beyond & !forbidden & !outside));
}

/** A larger value has a larger key; 0 and −0 share one; no finite value has the key 0. */
fn key_of(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let positive = select(bits, 0u, bits == 0x80000000u);
  return positive ^ select(0x80000000u, 0xffffffffu, (positive >> 31u) == 1u);
}

fn bits_of(key: u32) -> u32 { return key ^ select(0xffffffffu, 0x80000000u, (key >> 31u) == 1u); }

/** The value of a key, NEVER for the key 0. */
fn value_of(key: u32) -> f32 { return bitcast<f32>(select(bits_of(key), bitcast<u32>(NEVER), key == 0u)); }`;
