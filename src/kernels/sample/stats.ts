import type { KernelSource } from "../../gpu/pipelines.ts";
import { GUMBEL_WGSL } from "../random/gumbel.ts";
import { THREEFRY_WGSL } from "../random/threefry.ts";
import { LOG_SUM_WGSL } from "./log-sum.ts";
import { LOGITS_WGSL } from "./logits.ts";
import { enterWgsl, entryParameters, reduceEnables, reduceWgsl, THREADS } from "./reduce.ts";
import { OP_WGSL, ROW_WGSL } from "./row-wgsl.ts";

/** Ids per workgroup: two loads of four per thread, enough workgroups to fill a GPU at batch 1. */
export const CHUNK_IDS = 2048;
/** Bytes of one chunk's partial results: two vec4. */
export const PARTIAL_BYTES = 32;

/**
 * First pass over the vocabulary, grid [chunks, rows]. A chunk's partial results are
 * (raw key, raw id, score key, score id) and (Σe^d, Σd·e^d, Σe^d of scaled logits, broken) with d = logit − the chunk's
 * largest. The score is what the row's choice maximises: the scaled logit, plus Gumbel noise unless the row is greedy or
 * truncated (then only the largest scaled logit is wanted of it).
 */
export function statsSource(subgroups: boolean): KernelSource {
  return {
    label: "sample stats",
    bindings: ["uniform", "read", "read", "read", "write"],
    code: `${reduceEnables(subgroups)}${OP_WGSL}
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<storage, read> rows: array<Row>;
@group(0) @binding(2) var<storage, read> logits: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> seen: array<u32>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec4<u32>>;
${LOGITS_WGSL}
${THREEFRY_WGSL}
${GUMBEL_WGSL}
fn seen_word(at: u32) -> u32 { return seen[at]; }
${ROW_WGSL}
${LOG_SUM_WGSL}
${reduceWgsl(subgroups)}
@compute @workgroup_size(${THREADS})
fn main(${entryParameters(subgroups)}) {
  ${enterWgsl(subgroups)}
  let r = group.y;
  let row = rows[r];
  let noisy = (row.flags & (GREEDY | TRUNCATED)) == 0u;
  let truncated = (row.flags & TRUNCATED) != 0u;
  let end = min((group.x + 1u) * ${CHUNK_IDS / 4}u, (op.vocab + 3u) / 4u);
  var best = vec4<u32>(0u, NO_TOKEN, 0u, NO_TOKEN);
  var raw_state = NOTHING;
  var scaled_state = NOTHING;
  var broken = 0.0;
  for (var v = group.x * ${CHUNK_IDS / 4}u + lane; v < end; v += THREADS) {
    let four = load_four(r, v);
    if (four.broken) { broken = 1.0; }
    let scaled = scale_four(row, v, four.raw);
    raw_state = accumulate(raw_state, four, four.raw);
    if (truncated) { scaled_state = accumulate(scaled_state, four, scaled); }
    for (var i = 0u; i < 4u; i++) {
      if (four.dead[i]) { continue; }
      let id = 4u * v + i;
      var score = scaled[i];
      if (noisy) { score += noise(row, id); }
      best = better(best, vec4<u32>(key_of(four.raw[i]), id, key_of(score), id));
    }
  }
  best = reduce_best(best);
  let raw = rebase(raw_state, value_of(best.x));
  // Unless the row is truncated, the best score is no scaled logit, and this sum is not used.
  let scaled = rebase(scaled_state, value_of(best.z));
  let sums = reduce_sum(vec4<f32>(raw.y, raw.z, scaled.y, broken));
  if (lane == 0u) {
    let at = 2u * (r * op.chunks + group.x);
    partials[at] = best;
    partials[at + 1u] = bitcast<vec4<u32>>(sums);
  }
}`,
  };
}
