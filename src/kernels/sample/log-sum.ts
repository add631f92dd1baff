/**
 * WGSL `accumulate(state: vec3<f32>, four: Four, values: vec4<f32>) -> vec3<f32>`: running (largest, Σe^d, Σd·e^d) with
 * d = value − largest (online softmax, Milakov & Gimelshein 2018), and `rebase` to another largest. Begin with
 * `NOTHING`; the dead values of `four` do not count. Differences end at −10000, whose exponential is 0 and whose
 * products stay finite.
 */
export const LOG_SUM_WGSL = `const FAR = -10000.0;
const NOTHING = vec3<f32>(NEVER, 0.0, 0.0);

fn rebase(state: vec3<f32>, top: f32) -> vec3<f32> {
  let shift = max(state.x - top, FAR);
  let keep = exp(shift);
  return vec3<f32>(top, keep * state.y, keep * (state.z + shift * state.y));
}

fn accumulate(state: vec3<f32>, four: Four, values: vec4<f32>) -> vec3<f32> {
  let alive = select(values, vec4<f32>(NEVER), four.dead);
  let top = max(state.x, max(max(alive.x, alive.y), max(alive.z, alive.w)));
  let d = max(alive - top, vec4<f32>(FAR));
  let e = select(exp(d), vec4<f32>(0.0), four.dead);
  return rebase(state, top) + vec3<f32>(0.0, dot(e, vec4<f32>(1.0)), dot(d, e));
}`;
