/** Threads of every workgroup that reduces. */
export const THREADS = 256;
/** WebGPU promises no subgroup smaller than this. */
const LEAST_SUBGROUP = 4;

/** Directive that must come first in a module using {@link reduceWgsl}. */
export function reduceEnables(subgroups: boolean): string {
  return subgroups ? "enable subgroups;\n" : "";
}

/** Parameters of an entry point of {@link THREADS} threads; {@link enterWgsl} must be its first statement. */
export function entryParameters(subgroups: boolean): string {
  const common = "@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32";
  return subgroups
    ? `${common}, @builtin(subgroup_size) width: u32, @builtin(subgroup_invocation_id) place: u32`
    : common;
}

export function enterWgsl(subgroups: boolean): string {
  return subgroups ? "lane = index; subgroup_width = width; subgroup_lane = place;" : "lane = index;";
}

/**
 * Workgroup reductions whose result every thread gets, to be called in uniform control flow:
 * - `reduce_best(v: vec4<u32>)`: two (key, id) pairs, of each the largest key with its lowest id;
 * - `reduce_sum(v: vec4<f32>)`: four sums, added in an order that depends on the device alone.
 *
 * The module's uniform `op` has a field `vocab`. Threads are taken to fill subgroups in the order of `local_invocation_index`.
 */
export function reduceWgsl(subgroups: boolean): string {
  const shared = `const THREADS = ${THREADS}u;
var<private> lane: u32;

/** 1, which compilers cannot know, so that they unroll no loop that begins with it: unrolled, a software driver took 15 s. */
fn one() -> u32 { return min(op.vocab, 1u); }

fn better(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
  let first = b.x > a.x || (b.x == a.x && b.y < a.y);
  let second = b.z > a.z || (b.z == a.z && b.w < a.w);
  return vec4<u32>(select(a.xy, b.xy, first), select(a.zw, b.zw, second));
}`;
  if (subgroups) {
    return `${shared}
var<private> subgroup_width: u32;
var<private> subgroup_lane: u32;
var<workgroup> pool: array<vec4<u32>, ${THREADS / LEAST_SUBGROUP}>;

fn reduce_best(v: vec4<u32>) -> vec4<u32> {
  let first = subgroupMax(v.x);
  let second = subgroupMax(v.z);
  let first_id = subgroupMin(select(0xffffffffu, v.y, v.x == first));
  let second_id = subgroupMin(select(0xffffffffu, v.w, v.z == second));
  if (subgroup_lane == 0u) { pool[lane / subgroup_width] = vec4<u32>(first, first_id, second, second_id); }
  workgroupBarrier();
  var best = pool[0];
  for (var s = 1u; s < THREADS / subgroup_width; s++) { best = better(best, pool[s]); }
  workgroupBarrier();
  return best;
}

fn reduce_sum(v: vec4<f32>) -> vec4<f32> {
  let part = subgroupAdd(v);
  if (subgroup_lane == 0u) { pool[lane / subgroup_width] = bitcast<vec4<u32>>(part); }
  workgroupBarrier();
  var sum = vec4<f32>(0.0);
  for (var s = 0u; s < THREADS / subgroup_width; s++) { sum += bitcast<vec4<f32>>(pool[s]); }
  workgroupBarrier();
  return sum;
}`;
  }
  return `${shared}
var<workgroup> pool: array<vec4<u32>, ${THREADS}>;

fn reduce_best(v: vec4<u32>) -> vec4<u32> {
  pool[lane] = v;
  workgroupBarrier();
  for (var half = THREADS >> one(); half > 0u; half >>= 1u) {
    if (lane < half) { pool[lane] = better(pool[lane], pool[lane + half]); }
    workgroupBarrier();
  }
  let best = pool[0];
  workgroupBarrier();
  return best;
}

fn reduce_sum(v: vec4<f32>) -> vec4<f32> {
  pool[lane] = bitcast<vec4<u32>>(v);
  workgroupBarrier();
  for (var half = THREADS >> one(); half > 0u; half >>= 1u) {
    if (lane < half) {
      pool[lane] = bitcast<vec4<u32>>(bitcast<vec4<f32>>(pool[lane]) + bitcast<vec4<f32>>(pool[lane + half]));
    }
    workgroupBarrier();
  }
  let sum = bitcast<vec4<f32>>(pool[0]);
  workgroupBarrier();
  return sum;
}`;
}
