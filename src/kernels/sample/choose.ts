import type { KernelSource } from "../../gpu/pipelines.ts";
import { GUMBEL_WGSL } from "../random/gumbel.ts";
import { THREEFRY_WGSL } from "../random/threefry.ts";
import { LOG_SUM_WGSL } from "./log-sum.ts";
import { LOGITS_WGSL } from "./logits.ts";
import { enterWgsl, entryParameters, reduceEnables, reduceWgsl, THREADS } from "./reduce.ts";
import { ResultFlag } from "./result.ts";
import { OP_WGSL, ROW_WGSL } from "./row-wgsl.ts";
import { SELECT_WGSL } from "./select.ts";

/**
 * Second pass, a workgroup per row: merges the chunks' partial results, restricts a truncated row to its allowed ids and
 * draws among them by Gumbel-max, and writes the result, the slot's last token and its bit in `seen`.
 */
export function chooseSource(subgroups: boolean): KernelSource {
  return {
    label: "sample choose",
    bindings: ["uniform", "read", "read", "write", "read", "write", "write", "write"],
    code: `${reduceEnables(subgroups)}${OP_WGSL}
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<storage, read> rows: array<Row>;
@group(0) @binding(2) var<storage, read> logits: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> seen: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read> partials: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> results: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> last_token: array<u32>;
@group(0) @binding(7) var<storage, read_write> support: array<vec2<u32>>;
${LOGITS_WGSL}
${THREEFRY_WGSL}
${GUMBEL_WGSL}
fn seen_word(at: u32) -> u32 { return atomicLoad(&seen[at]); }
${ROW_WGSL}
${LOG_SUM_WGSL}
${reduceWgsl(subgroups)}
${SELECT_WGSL}

/** ln p of an id under the raw logits, as bits: −Infinity is written, never computed. */
fn log_probability(r: u32, id: u32, top: f32, log_sum: f32) -> u32 {
  let four = load_four(r, id / 4u);
  return select(bitcast<u32>(four.raw[id % 4u] - top - log_sum), 0xff800000u, four.dead[id % 4u]);
}

@compute @workgroup_size(${THREADS})
fn main(${entryParameters(subgroups)}) {
  ${enterWgsl(subgroups)}
  let r = group.x;
  let row = rows[r];
  let first = 2u * r * op.chunks;
  var best = vec4<u32>(0u, NO_TOKEN, 0u, NO_TOKEN);
  for (var c = lane; c < op.chunks; c += THREADS) { best = better(best, partials[first + 2u * c]); }
  best = reduce_best(best);
  let top = value_of(best.x);
  let top_scaled = value_of(best.z);
  var sums = vec4<f32>(0.0);
  for (var c = lane; c < op.chunks; c += THREADS) {
    let tops = partials[first + 2u * c];
    let part = bitcast<vec4<f32>>(partials[first + 2u * c + 1u]);
    let raw = rebase(vec3<f32>(value_of(tops.x), part.xy), top);
    let scaled = rebase(vec3<f32>(value_of(tops.z), part.z, 0.0), top_scaled);
    sums += vec4<f32>(raw.yz, scaled.y, part.w);
  }
  sums = reduce_sum(sums);

  var token = best.w;
  if ((row.flags & TRUNCATED) != 0u) {
    let weights = Weights(top_scaled, ${2 ** 31}.0 / max(sums.z, 1.0));
    var cut = max(key_of(top_scaled + row.log_min_p), 1u);
    // The mass of top-p is that of the ids that top-k left; min-p compares with the top alone and may come first.
    var kept = 1u;
    // One call in a loop: drivers inline it, and a second copy doubled their time to compile the kernel.
    for (var round = 0u; round < 2u; round++) {
      let by_mass = round == 1u;
      let wanted = select(row.top_k > 0u, row.top_p < 1.0, by_mass);
      if (wanted) { kept = max(kept, select_cut(r, row, kept, by_mass, weights)); }
    }
    cut = max(cut, kept);
    var pick = vec4<u32>(0u, NO_TOKEN, 0u, NO_TOKEN);
    var count = 0.0;
    for (var v = lane; v < (op.vocab + 3u) / 4u; v += THREADS) {
      let four = load_four(r, v);
      let scaled = scale_four(row, v, four.raw);
      for (var i = 0u; i < 4u; i++) {
        if (four.dead[i] || key_of(scaled[i]) < cut) { continue; }
        let id = 4u * v + i;
        count += 1.0;
        pick = better(pick, vec4<u32>(key_of(scaled[i] + noise(row, id)), id, 0u, NO_TOKEN));
      }
    }
    token = reduce_best(pick).y;
    // Counts up to the largest vocabulary are exact in f32.
    count = reduce_sum(vec4<f32>(count, 0.0, 0.0, 0.0)).x;
    if (lane == 0u) { support[r] = vec2<u32>(bits_of(cut), u32(count)); }
  } else if (lane == 0u) {
    support[r] = vec2<u32>(0u);
  }

  if (lane != 0u) { return; }
  let none = token == NO_TOKEN;
  let chosen = select(token, 0u, none);
  let log_sum = log(max(sums.x, 1.0));
  let entropy = select(max(log_sum - sums.y / max(sums.x, 1.0), 0.0), 0.0, none);
  let subject = select(row.target_token, chosen, row.target_token == NO_TOKEN);
  let flags = select(0u, ${ResultFlag.brokenLogits}u, sums.w > 0.0) | select(0u, ${ResultFlag.nothingAllowed}u, none);
  results[r] = vec4<u32>(
    chosen,
    log_probability(r, subject, top, log_sum),
    bitcast<u32>(entropy),
    select(best.y, 0u, none) | (flags << 24u),
  );
  if ((row.flags & RECORD) != 0u) {
    last_token[row.slot] = chosen;
    atomicOr(&seen[row.slot * op.seen_words + chosen / 32u], 1u << (chosen % 32u));
  }
}`,
  };
}
