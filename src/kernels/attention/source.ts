import type { KernelSource } from "../../gpu/pipelines.ts";
import { MAX_SPLITS, splitRangeWgsl, splitsWgsl } from "./splits.ts";

/** What decides the attention kernels' code. */
export interface AttentionShape {
  readonly headDim: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Element type of the cache; f16 is packed two to a word. */
  readonly kv: "f32" | "f16";
}

/** Keys that pass through workgroup memory at a time: as many as fit with WebGPU's 16 KiB. */
function keyTile({ headDim }: AttentionShape): number {
  return headDim > 128 ? 8 : 16;
}

/** How threads divide query rows and head dimensions. */
export interface AttentionTiling {
  /** Query rows (query position × head of the group) per workgroup. */
  readonly rows: number;
  /** Threads per query row; each holds headDim / 4 / lanes vec4s of q and of the output. */
  readonly lanes: number;
}

export function prefillTiling({ headDim }: AttentionShape): AttentionTiling {
  return { rows: 16, lanes: largestDivisor(headDim / 4, 4) };
}

export function decodeTiling({ headDim, heads, kvHeads }: AttentionShape): AttentionTiling {
  const group = heads / kvHeads;
  let rows = 1;
  while (rows < group && rows < 16) rows *= 2;
  return { rows, lanes: largestDivisor(headDim / 4, 64 / rows) };
}

/** The largest power of two that divides `value` and is at most `most`. */
function largestDivisor(value: number, most: number): number {
  let divisor = 1;
  while (divisor * 2 <= most && value % (divisor * 2) === 0) divisor *= 2;
  return divisor;
}

/**
 * Causal attention with online softmax (Dao et al. 2022) over the KV cache: a workgroup takes `rows` query rows that
 * share a KV head, streams the keys they may see in small tiles and never stores a score matrix.
 *
 * Bindings: 0 q [rows, heads × headDim], 1 cache (per row: K of all KV heads, then V), 2 `seqs`
 * (two vec4<u32> per sequence: prefix base, prefix length, own base, length; first row, new rows, 0, 0), 3 and on:
 * - prefill: `tiles` (vec2<u32>: sequence, first of its `new rows × group` query rows), output [rows, heads × headDim]
 *   padded to `out_stride`; grid [tiles, kvHeads]
 * - decode: partial outputs f32 and their (max, sum); grid [splits, kvHeads, sequences]
 *
 * The key at position t lies in cache row `prefix base + t` while t is inside the shared prefix, else in
 * `own base + t − prefix length`. Heads hold their dimensions in rotary-pair order (0, d/2, 1, d/2 + 1, …), which
 * leaves dot products unchanged; outputs are written back in the model's order.
 */
export function attentionSource(shape: AttentionShape, mode: "prefill" | "decode"): KernelSource {
  const { headDim, heads, kvHeads, kv } = shape;
  const { rows, lanes } = mode === "prefill" ? prefillTiling(shape) : decodeTiling(shape);
  const keys = keyTile(shape);
  const d4 = headDim / 4;
  const each = d4 / lanes;
  const threads = rows * lanes;
  const group = heads / kvHeads;
  const list = (line: (i: number) => string, separator = "\n  "): string =>
    Array.from({ length: each }, (_, i) => line(i)).join(separator);
  const cacheType = kv === "f16" ? "vec2<u32>" : "vec4<f32>";
  const element = kv === "f16" ? "vec4<f32>(unpack2x16float(kv[at].x), unpack2x16float(kv[at].y))" : "kv[at]";
  const flatGroups = Math.ceil(group / rows);
  const place =
    mode === "prefill"
      ? `let tile = tiles[wg.x];
  let seq = tile.x;
  let kv_head = wg.y;
  let flat0 = tile.y;`
      : `let seq = wg.z;
  let kv_head = wg.y / ${flatGroups}u;
  let flat0 = (wg.y % ${flatGroups}u) * ROWS;`;
  const range =
    mode === "prefill"
      ? `let last = min(flat0 + ROWS, extent.y * GROUP) - 1u;
  let key_begin = 0u;
  let key_end = info.w - extent.y + last / GROUP + 1u;`
      : splitRangeWgsl();
  const finish =
    mode === "prefill"
      ? `if (!live) { return; }
  let scale = 1.0 / sum;
  let at = (extent.x + flat / GROUP) * op.out_stride + head * ${headDim}u;
  ${list((i) => `store(at, lane + ${i * lanes}u, acc_${i} * scale);`)}`
      : `if (!live) { return; }
  let at = (seq * ${heads}u + head) * ${MAX_SPLITS}u + wg.x;
  if (lane == 0u) { part_ml[at] = vec2<f32>(top, sum); }
  ${list((i) => `part_o[at * ${d4}u + lane + ${i * lanes}u] = acc_${i};`)}`;
  const outputs =
    mode === "prefill"
      ? `struct Op { out_stride: u32 }
@group(0) @binding(3) var<storage, read> tiles: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<uniform> op: Op;
// Four values in pair order belong to dimensions 2p, 2p + 1 of each half.
fn store(at: u32, p: u32, v: vec4<f32>) {
  out[at + 2u * p] = v.x;
  out[at + 2u * p + 1u] = v.z;
  out[at + 2u * p + ${headDim / 2}u] = v.y;
  out[at + 2u * p + ${headDim / 2 + 1}u] = v.w;
}`
      : `@group(0) @binding(3) var<storage, read_write> part_o: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> part_ml: array<vec2<f32>>;`;
  const code = `@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> kv: array<${cacheType}>;
@group(0) @binding(2) var<storage, read> seqs: array<vec4<u32>>;
${outputs}
const ROWS = ${rows}u;
const LANES = ${lanes}u;
const GROUP = ${group}u;
const D4 = ${d4}u;
// A score that no key can have and that still subtracts without NaN.
const NEVER = -3.0e38;
var<workgroup> tile_kv: array<vec4<f32>, ${keys * d4}>;
var<workgroup> part: array<f32, ${rows * keys * lanes}>;
var<workgroup> score: array<f32, ${rows * keys}>;

fn load(info: vec4<u32>, position: u32, head4: u32, d: u32) -> vec4<f32> {
  let row = select(info.z + position - info.y, info.x + position, position < info.y);
  let at = row * ${(2 * kvHeads * headDim) / 4}u + head4 + d;
  return ${element};
}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  ${place}
  let info = seqs[2u * seq];
  let extent = seqs[2u * seq + 1u];
  ${range}
  let r = thread / LANES;
  let lane = thread % LANES;
  // Row r of the tile is one head of one new position; rows beyond the end repeat the last and are not written.
  let wanted = flat0 + r;
  let flat = min(wanted, extent.y * GROUP - 1u);
  let live = wanted == flat;
  let head = kv_head * GROUP + flat % GROUP;
  let visible = info.w - extent.y + flat / GROUP + 1u;
  let q_at = ((extent.x + flat / GROUP) * ${heads}u + head) * D4 + lane;
  ${list((i) => `let q_${i} = q[q_at + ${i * lanes}u];`)}
  ${list((i) => `var acc_${i} = vec4<f32>(0.0);`)}
  var top = NEVER;
  var sum = 0.0;
  for (var key0 = key_begin; key0 < key_end; key0 += ${keys}u) {
    for (var e = thread; e < ${keys}u * D4; e += ${threads}u) {
      let position = key0 + e / D4;
      var v = vec4<f32>(0.0);
      if (position < key_end) { v = load(info, position, kv_head * D4, e % D4); }
      tile_kv[e] = v;
    }
    workgroupBarrier();
    for (var j = 0u; j < ${keys}u; j++) {
      let k_at = j * D4 + lane;
      part[(r * ${keys}u + j) * LANES + lane] = ${list((i) => `dot(q_${i}, tile_kv[k_at + ${i * lanes}u])`, " + ")};
    }
    workgroupBarrier();
    for (var j = lane; j < ${keys}u; j += LANES) {
      var s = 0.0;
      for (var l = 0u; l < LANES; l++) { s += part[(r * ${keys}u + j) * LANES + l]; }
      score[r * ${keys}u + j] = select(NEVER, s * ${1 / Math.sqrt(headDim)}, key0 + j < min(visible, key_end));
    }
    for (var e = thread; e < ${keys}u * D4; e += ${threads}u) {
      let position = key0 + e / D4;
      var v = vec4<f32>(0.0);
      if (position < key_end) { v = load(info, position, ${kvHeads}u * D4 + kv_head * D4, e % D4); }
      tile_kv[e] = v;
    }
    workgroupBarrier();
    var tile_top = top;
    for (var j = 0u; j < ${keys}u; j++) { tile_top = max(tile_top, score[r * ${keys}u + j]); }
    let keep = exp(top - tile_top);
    top = tile_top;
    sum *= keep;
    ${list((i) => `acc_${i} *= keep;`, "\n    ")}
    for (var j = 0u; j < ${keys}u; j++) {
      let s = score[r * ${keys}u + j];
      let p = select(exp(s - top), 0.0, s == NEVER);
      sum += p;
      let v_at = j * D4 + lane;
      ${list((i) => `acc_${i} += p * tile_kv[v_at + ${i * lanes}u];`, "\n      ")}
    }
    workgroupBarrier();
  }
  ${finish}
}`;
  const bindings: KernelSource["bindings"] =
    mode === "prefill"
      ? ["read", "read", "read", "read", "write", "uniform"]
      : ["read", "read", "read", "write", "write"];
  return { label: `attention ${mode} d${headDim} ${heads}/${kvHeads} ${kv}`, code, bindings };
}

/**
 * Merges a row's splits: o = Σ e^(mᵢ − m) oᵢ / Σ e^(mᵢ − m) sᵢ. Grid [heads, sequences]; the output is in the model's
 * order of dimensions.
 */
export function mergeSource({ headDim, heads }: AttentionShape): KernelSource {
  const d4 = headDim / 4;
  const threads = Math.min(64, Math.max(8, d4));
  return {
    label: `attention merge d${headDim}`,
    bindings: ["read", "read", "read", "write", "uniform"],
    code: `struct Op { out_stride: u32 }
@group(0) @binding(0) var<storage, read> seqs: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> part_o: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> part_ml: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> op: Op;
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let length = seqs[2u * wg.y].w;
  let splits = ${splitsWgsl("length")};
  let first = (wg.y * ${heads}u + wg.x) * ${MAX_SPLITS}u;
  var top = part_ml[first].x;
  for (var s = 1u; s < splits; s++) { top = max(top, part_ml[first + s].x); }
  var sum = 0.0;
  for (var s = 0u; s < splits; s++) { sum += part_ml[first + s].y * exp(part_ml[first + s].x - top); }
  let at = seqs[2u * wg.y + 1u].x * op.out_stride + wg.x * ${headDim}u;
  for (var p = thread; p < ${d4}u; p += ${threads}u) {
    var o = vec4<f32>(0.0);
    for (var s = 0u; s < splits; s++) {
      o += part_o[(first + s) * ${d4}u + p] * exp(part_ml[first + s].x - top);
    }
    let v = o / sum;
    out[at + 2u * p] = v.x;
    out[at + 2u * p + 1u] = v.z;
    out[at + 2u * p + ${headDim / 2}u] = v.y;
    out[at + 2u * p + ${headDim / 2 + 1}u] = v.w;
  }
}`,
  };
}
