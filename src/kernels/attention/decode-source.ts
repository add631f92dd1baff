import type { KernelSource } from "../../gpu/pipelines.ts";
import { MAX_SPLITS, splitRangeWgsl } from "./splits.ts";
import type { AttentionShape } from "./source.ts";

/** Keys whose scores are in workgroup memory at a time. */
const BLOCK = 128;
/** Threads of a workgroup, at most: 64 splits of as many keep a GPU's memory busy, and software changes between few. */
const MOST_THREADS = 64;
/** Query heads per workgroup, at most. */
const MOST_HEADS = 8;
/** vec4s of q that a thread holds, at most: with more, GPUs of 128 registers a thread spill. */
const MOST_Q = 24;
/** Threads that share the dot products of a key: from 8, which read 128 contiguous bytes of f32, to 16. */
const LEAST_LANES = 8;
const MOST_LANES = 16;
/** Floats in workgroup memory for partial dot products, at most; with the scores they stay within WebGPU's 16 KiB. */
const PART_FLOATS = 2304;

/** How a workgroup of {@link groupedDecodeSource} is divided. */
export interface GroupedTiling {
  /** Query heads per workgroup, all of one KV head. */
  readonly rows: number;
  /** Workgroups that share a KV head's query heads. */
  readonly headTiles: number;
  readonly threads: number;
  /** Threads that share the dot products of a key. */
  readonly lanes: number;
}

export function groupedTiling({ headDim, heads, kvHeads }: AttentionShape): GroupedTiling {
  const d4 = headDim / 4;
  const group = heads / kvHeads;
  // The largest power of two that divides the vectors of a head.
  const most = Math.min(MOST_LANES, d4 & -d4);
  const headTiles = Math.ceil(group / Math.max(1, Math.min(MOST_HEADS, Math.floor((MOST_Q * most) / d4))));
  const rows = Math.ceil(group / headTiles);
  let lanes = Math.min(LEAST_LANES, most);
  while (lanes < most && (rows * d4) / lanes > MOST_Q) lanes *= 2;
  return { rows, headTiles, threads: d4 * Math.floor(MOST_THREADS / d4), lanes };
}

/**
 * Decode's attention of one new row per sequence, for long contexts: a workgroup takes a split of the context for the query
 * heads of one KV head, and reads each key and value once for all of them (grouped-query attention, Ainslie et al. 2023;
 * splits as in Flash-Decoding, Dao et al. 2023). Keys and values go from the cache to registers: neighbouring threads read
 * neighbouring vectors, and only partial dot products and weights pass through workgroup memory. Softmax is online over
 * blocks of 128 keys.
 *
 * Bindings and grid are those of `attentionSource` for decode; so are the partial results.
 */
export function groupedDecodeSource(shape: AttentionShape): KernelSource {
  const { headDim, heads, kvHeads, kv } = shape;
  const { rows, headTiles, threads, lanes } = groupedTiling(shape);
  const d4 = headDim / 4;
  const each = d4 / lanes;
  const slices = threads / d4;
  // One float more than lanes between keys, so that neither writing nor adding up meets one bank twice.
  const pitch = lanes + 1;
  let sub = BLOCK;
  while (rows * sub * pitch > PART_FLOATS) sub /= 2;
  let chunks = 1;
  while (chunks * 2 * rows <= threads && chunks < 8) chunks *= 2;
  const perRow = (line: (r: number) => string, indent: string): string =>
    Array.from({ length: rows }, (_, r) => line(r)).join(`\n${indent}`);
  const perEach = (line: (i: number) => string, separator: string): string =>
    Array.from({ length: each }, (_, i) => line(i)).join(separator);
  const code = `@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> kv: array<${kv === "f16" ? "vec2<u32>" : "vec4<f32>"}>;
@group(0) @binding(2) var<storage, read> seqs: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> part_o: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> part_ml: array<vec2<f32>>;
const GROUP = ${heads / kvHeads}u;
const D4 = ${d4}u;
const LANES = ${lanes}u;
const THREADS = ${threads}u;
const BLOCK4 = ${BLOCK / 4}u;
const SUB = ${sub}u;
const PITCH = ${pitch}u;
// A score that no key can have and that still subtracts without NaN.
const NEVER = -3.0e38;
// Partial dot products [row, key, lane]; at the end the slices' outputs [component, row, thread].
var<workgroup> part: array<f32, ${Math.max(rows * sub * pitch, 4 * rows * threads)}>;
// Scores, then weights, of four keys at a time [row, key / 4].
var<workgroup> weight: array<vec4<f32>, ${(rows * BLOCK) / 4}>;
var<workgroup> chunk_top: array<f32, ${rows * chunks}>;
var<workgroup> top: array<f32, ${rows}>;
var<workgroup> keep: array<f32, ${rows}>;
var<workgroup> slice_sum: array<f32, ${rows * slices}>;

fn cell(info: vec4<u32>, position: u32, head4: u32, d: u32) -> vec4<f32> {
  let row = select(info.z + position - info.y, info.x + position, position < info.y);
  let at = row * ${(2 * kvHeads * headDim) / 4}u + head4 + d;
  return ${kv === "f16" ? "vec4<f32>(unpack2x16float(kv[at].x), unpack2x16float(kv[at].y))" : "kv[at]"};
}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let seq = wg.z;
  let kv_head = wg.y / ${headTiles}u;
  let first = (wg.y % ${headTiles}u) * ${rows}u;
  let info = seqs[2u * seq];
  let q_row = seqs[2u * seq + 1u].x;
  ${splitRangeWgsl()}
  let lane = thread % LANES;
  // Rows beyond the group's end repeat its last and are not written.
  ${perRow((r) => `let head_${r} = (q_row * ${heads}u + kv_head * GROUP + min(first + ${r}u, GROUP - 1u)) * D4 + lane;`, "  ")}
  let slice = thread / D4;
  let d = thread % D4;
  ${perRow((r) => `var acc_${r} = vec4<f32>(0.0); var sum_${r} = 0.0;`, "  ")}
  if (thread < ${rows}u) { top[thread] = NEVER; }
  for (var block = key_begin; block < key_end; block += ${BLOCK}u) {
    let count = min(${BLOCK}u, key_end - block);
    // Read again for each block, so that their registers are free for the values' sums.
    ${perRow((r) => perEach((i) => `let q_${r}_${i} = q[head_${r} + ${i * lanes}u];`, " "), "    ")}
    for (var base = 0u; base < count; base += SUB) {
      for (var j = thread / LANES; j < min(SUB, count - base); j += THREADS / LANES) {
        ${perEach((i) => `let k_${i} = cell(info, block + base + j, kv_head * D4, lane + ${i * lanes}u);`, "\n        ")}
        let at = j * PITCH + lane;
        ${perRow((r) => `part[at + ${r * sub * pitch}u] = ${perEach((i) => `dot(q_${r}_${i}, k_${i})`, " + ")};`, "        ")}
      }
      workgroupBarrier();
      for (var e = thread; e < ${(rows * sub) / 4}u; e += THREADS) {
        var s = vec4<f32>(0.0);
        for (var l = 0u; l < LANES; l++) {
          let at = e * 4u * PITCH + l;
          s += vec4<f32>(part[at], part[at + PITCH], part[at + 2u * PITCH], part[at + 3u * PITCH]);
        }
        let j = base + e % ${sub / 4}u * 4u;
        let known = vec4<u32>(j, j + 1u, j + 2u, j + 3u) < vec4<u32>(count);
        weight[e / ${sub / 4}u * BLOCK4 + j / 4u] = select(vec4<f32>(NEVER), s * ${1 / Math.sqrt(headDim)}, known);
      }
      workgroupBarrier();
    }
    let fours = (count + 3u) / 4u;
    if (thread < ${rows * chunks}u) {
      var m = vec4<f32>(NEVER);
      for (var g = thread % ${chunks}u; g < fours; g += ${chunks}u) { m = max(m, weight[thread / ${chunks}u * BLOCK4 + g]); }
      chunk_top[thread] = max(max(m.x, m.y), max(m.z, m.w));
    }
    workgroupBarrier();
    if (thread < ${rows}u) {
      var m = top[thread];
      for (var c = 0u; c < ${chunks}u; c++) { m = max(m, chunk_top[thread * ${chunks}u + c]); }
      keep[thread] = exp(top[thread] - m);
      top[thread] = m;
    }
    workgroupBarrier();
    for (var e = thread; e < ${rows}u * BLOCK4; e += THREADS) {
      if (e % BLOCK4 < fours) { weight[e] = exp(weight[e] - top[e / BLOCK4]); }
    }
    ${perRow((r) => `acc_${r} *= keep[${r}]; sum_${r} *= keep[${r}];`, "    ")}
    workgroupBarrier();
    for (var g = slice; g < fours; g += ${slices}u) {
      let t = block + 4u * g;
      // Keys beyond the end weigh nothing.
      let last = key_end - 1u;
      ${Array.from({ length: 4 }, (_, i) => `let v_${i} = cell(info, min(t + ${i}u, last), ${kvHeads}u * D4 + kv_head * D4, d);`).join("\n      ")}
      ${perRow((r) => `{ let p = weight[${r}u * BLOCK4 + g]; acc_${r} += p.x * v_0 + p.y * v_1 + p.z * v_2 + p.w * v_3; sum_${r} += p.x + p.y + p.z + p.w; }`, "      ")}
    }
    workgroupBarrier();
  }
  ${perRow((r) => Array.from("xyzw", (c, i) => `part[thread + ${(i * rows + r) * threads}u] = acc_${r}.${c};`).join(" "), "  ")}
  if (d == 0u) {
    ${perRow((r) => `slice_sum[slice + ${r * slices}u] = sum_${r};`, "    ")}
  }
  workgroupBarrier();
  for (var e = thread; e < ${rows}u * D4; e += THREADS) {
    let r = first + e / D4;
    if (r >= GROUP) { break; }
    var o = vec4<f32>(0.0);
    for (var s = 0u; s < ${slices}u; s++) {
      let at = e / D4 * THREADS + s * D4 + e % D4;
      o += vec4<f32>(${[0, 1, 2, 3].map((c) => `part[at + ${c * rows * threads}u]`).join(", ")});
    }
    part_o[((seq * ${heads}u + kv_head * GROUP + r) * ${MAX_SPLITS}u + wg.x) * D4 + e % D4] = o;
  }
  if (thread < ${rows}u && first + thread < GROUP) {
    var sum = 0.0;
    for (var s = 0u; s < ${slices}u; s++) { sum += slice_sum[thread * ${slices}u + s]; }
    part_ml[(seq * ${heads}u + kv_head * GROUP + first + thread) * ${MAX_SPLITS}u + wg.x] = vec2<f32>(top[thread], sum);
  }
}`;
  return {
    label: `attention decode grouped d${headDim} ${heads}/${kvHeads} ${kv}`,
    code,
    bindings: ["read", "read", "read", "write", "write"],
  };
}
