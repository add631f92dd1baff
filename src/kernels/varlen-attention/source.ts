import type { KernelSource } from "../../gpu/pipelines.ts";

/** Query or key rows of one workgroup, a thread each. */
export const ATTENTION_TILE = 32;

/** Keys (or queries) that a thread takes at a time: one rescaling of the running sums serves all of them. */
const BLOCK = 4;

/** What the kernels are compiled for. */
export interface VarlenShape {
  readonly headDim: number;
  readonly heads: number;
  readonly kvHeads: number;
}

/**
 * `qkv`: rows of q, k, v, all heads, rotated. `tiles`: first row, rows, first row of the sequence, row after its last.
 * Rows of a tile that do not exist compute on the tile's last row and store nothing.
 */
const HEAD = `struct Op { qkv_stride: u32, out_stride: u32, scale: f32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<storage, read> tiles: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> qkv: array<vec4<f32>>;`;

interface Names {
  readonly vectors: readonly number[];
  readonly each: (line: (d: number) => string, between?: string) => string;
  /** First vec4 of a head's q, k, v in a row. */
  readonly q: (head: string) => string;
  readonly k: (kvHead: string) => string;
  readonly v: (kvHead: string) => string;
  /** Sum of dot products of the named vectors with those at an expression. */
  readonly dot: (name: string, at: (d: number) => string) => string;
}

function names({ headDim, heads, kvHeads }: VarlenShape): Names {
  const width = headDim / 4;
  const vectors = Array.from({ length: width }, (_, d) => d);
  return {
    vectors,
    each: (line, between = " ") => vectors.map(line).join(between),
    q: (head) => `${head} * ${width}u`,
    k: (kvHead) => `(${heads}u + ${kvHead}) * ${width}u`,
    v: (kvHead) => `(${heads + kvHeads}u + ${kvHead}) * ${width}u`,
    dot: (name, at) => vectors.map((d) => `dot(${name}_${d}, ${at(d)})`).join(" + "),
  };
}

const BLOCKS = Array.from({ length: BLOCK }, (_, b) => b);

/**
 * Causal attention of packed sequences (Dao et al. 2022, without materialised scores): a thread per query row and head
 * walks the keys of its own sequence with a running maximum. Keeps the log-sum-exp of each row for the backward pass.
 */
export function varlenForwardSource(shape: VarlenShape): KernelSource {
  const { heads, kvHeads } = shape;
  const n = names(shape);
  return {
    label: `varlen attention d${shape.headDim}`,
    bindings: ["uniform", "read", "read", "write", "write"],
    code: `${HEAD}
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@compute @workgroup_size(${ATTENTION_TILE})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tile = tiles[group.x];
  let head = group.y;
  let kv_head = head / ${heads / kvHeads}u;
  let i = tile.x + min(lane, tile.y - 1u);
  let q_at = i * op.qkv_stride + ${n.q("head")};
  ${n.each((d) => `let q_${d} = qkv[q_at + ${d}u] * op.scale;`)}
  ${n.each((d) => `var o_${d} = vec4<f32>(0.0);`)}
  var top = -3.0e38;
  var total = 0.0;
  let end = tile.x + tile.y;
  for (var j = tile.z; j < end; j += ${BLOCK}u) {
    ${BLOCKS.map(
      (b) => `let at_${b} = min(j + ${b}u, end - 1u) * op.qkv_stride;
    let k_${b} = at_${b} + ${n.k("kv_head")};
    let s_${b} = select(-3.0e38, ${n.dot("q", (d) => `qkv[k_${b} + ${d}u]`)}, j + ${b}u <= i);`,
    ).join("\n    ")}
    let next = max(max(max(s_0, s_1), max(s_2, s_3)), top);
    let fade = exp(top - next);
    top = next;
    ${BLOCKS.map((b) => `let p_${b} = select(0.0, exp(s_${b} - top), j + ${b}u <= i); let v_${b} = at_${b} + ${n.v("kv_head")};`).join("\n    ")}
    total = total * fade + ((p_0 + p_1) + (p_2 + p_3));
    ${n.each((d) => `o_${d} = o_${d} * fade + ((p_0 * qkv[v_0 + ${d}u] + p_1 * qkv[v_1 + ${d}u]) + (p_2 * qkv[v_2 + ${d}u] + p_3 * qkv[v_3 + ${d}u]));`, "\n    ")}
  }
  if (lane >= tile.y) { return; }
  let inverse = 1.0 / total;
  let to = i * op.out_stride + ${n.q("head")};
  ${n.each((d) => `out[to + ${d}u] = o_${d} * inverse;`)}
  lse[i * ${heads}u + head] = top + log(total);
}`,
  };
}

/**
 * Gradient for q: a thread per query row and head recomputes its probabilities from the kept log-sum-exp.
 * Also leaves delta = ⟨do, o⟩ of each row for the keys' pass (FlashAttention-2, Dao 2023).
 */
export function varlenQueryGradientSource(shape: VarlenShape): KernelSource {
  const { heads, kvHeads } = shape;
  const n = names(shape);
  return {
    label: `varlen attention dq d${shape.headDim}`,
    bindings: ["uniform", "read", "read", "read", "read", "read", "write", "write"],
    code: `${HEAD}
@group(0) @binding(3) var<storage, read> o: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> d_o: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read_write> delta: array<f32>;
@group(0) @binding(7) var<storage, read_write> d_qkv: array<vec4<f32>>;
@compute @workgroup_size(${ATTENTION_TILE})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tile = tiles[group.x];
  let head = group.y;
  let kv_head = head / ${heads / kvHeads}u;
  let i = tile.x + min(lane, tile.y - 1u);
  let q_at = i * op.qkv_stride + ${n.q("head")};
  let o_at = i * op.out_stride + ${n.q("head")};
  ${n.each((d) => `let q_${d} = qkv[q_at + ${d}u] * op.scale;`)}
  ${n.each((d) => `let g_${d} = d_o[o_at + ${d}u];`)}
  ${n.each((d) => `var t_${d} = vec4<f32>(0.0);`)}
  let sum = lse[i * ${heads}u + head];
  let dot_o = ${n.dot("g", (d) => `o[o_at + ${d}u]`)};
  let end = tile.x + tile.y;
  for (var j = tile.z; j < end; j += ${BLOCK}u) {
    ${BLOCKS.map(
      (b) => `let at_${b} = min(j + ${b}u, end - 1u) * op.qkv_stride;
    let k_${b} = at_${b} + ${n.k("kv_head")};
    let v_${b} = at_${b} + ${n.v("kv_head")};
    let p_${b} = select(0.0, exp(${n.dot("q", (d) => `qkv[k_${b} + ${d}u]`)} - sum), j + ${b}u <= i);
    let s_${b} = p_${b} * (${n.dot("g", (d) => `qkv[v_${b} + ${d}u]`)} - dot_o);`,
    ).join("\n    ")}
    ${n.each((d) => `t_${d} += (s_0 * qkv[k_0 + ${d}u] + s_1 * qkv[k_1 + ${d}u]) + (s_2 * qkv[k_2 + ${d}u] + s_3 * qkv[k_3 + ${d}u]);`, "\n    ")}
  }
  if (lane >= tile.y) { return; }
  ${n.each((d) => `d_qkv[q_at + ${d}u] = t_${d} * op.scale;`)}
  delta[i * ${heads}u + head] = dot_o;
}`,
  };
}

/**
 * Gradients for k and v: a thread per key row and KV head walks the queries after it, all query heads of its group in
 * turn, so that nothing is added to from two sides and no atomics are needed.
 */
export function varlenKeyGradientSource(shape: VarlenShape): KernelSource {
  const { heads, kvHeads } = shape;
  const n = names(shape);
  return {
    label: `varlen attention dk, dv d${shape.headDim}`,
    bindings: ["uniform", "read", "read", "read", "read", "read", "write"],
    code: `${HEAD}
@group(0) @binding(3) var<storage, read> d_o: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_qkv: array<vec4<f32>>;
@compute @workgroup_size(${ATTENTION_TILE})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tile = tiles[group.x];
  let kv_head = group.y;
  let j = tile.x + min(lane, tile.y - 1u);
  let k_at = j * op.qkv_stride + ${n.k("kv_head")};
  let v_at = j * op.qkv_stride + ${n.v("kv_head")};
  ${n.each((d) => `let k_${d} = qkv[k_at + ${d}u] * op.scale;`)}
  ${n.each((d) => `let v_${d} = qkv[v_at + ${d}u];`)}
  ${n.each((d) => `var dk_${d} = vec4<f32>(0.0); var dv_${d} = vec4<f32>(0.0);`)}
  for (var h = 0u; h < ${heads / kvHeads}u; h++) {
    let head = kv_head * ${heads / kvHeads}u + h;
    for (var i = tile.x; i < tile.w; i++) {
      let q_at = i * op.qkv_stride + ${n.q("head")};
      let o_at = i * op.out_stride + ${n.q("head")};
      let p = select(0.0, exp(${n.dot("k", (d) => `qkv[q_at + ${d}u]`)} - lse[i * ${heads}u + head]), i >= j);
      let s = p * (${n.dot("v", (d) => `d_o[o_at + ${d}u]`)} - delta[i * ${heads}u + head]);
      ${n.each((d) => `dv_${d} += p * d_o[o_at + ${d}u]; dk_${d} += s * qkv[q_at + ${d}u];`, "\n      ")}
    }
  }
  if (lane >= tile.y) { return; }
  ${n.each((d) => `d_qkv[k_at + ${d}u] = dk_${d} * op.scale; d_qkv[v_at + ${d}u] = dv_${d};`)}
}`,
  };
}
