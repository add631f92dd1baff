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

/**
 * Query heads that a thread takes together: they share a KV head, whose keys and values are then read once for all of
 * them. As many as keep its accumulators in registers.
 */
export function headsPerThread({ headDim, heads, kvHeads }: VarlenShape): number {
  const group = heads / kvHeads;
  const most = Math.max(1, Math.floor(64 / headDim));
  return Array.from({ length: group }, (_, i) => group - i).find((n) => n <= most && group % n === 0) ?? 1;
}

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
 * Causal attention of packed sequences (Dao et al. 2022, without materialised scores): a thread per query row and KV head
 * walks the keys of its own sequence with a running maximum. Keeps the log-sum-exp of each row for the backward pass.
 */
export function varlenForwardSource(shape: VarlenShape): KernelSource {
  const { heads, kvHeads } = shape;
  const n = names(shape);
  const together = Array.from({ length: headsPerThread(shape) }, (_, h) => h);
  return {
    label: `varlen attention d${shape.headDim}`,
    bindings: ["uniform", "read", "read", "write", "write"],
    code: `${HEAD}
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@compute @workgroup_size(${ATTENTION_TILE})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tile = tiles[group.x];
  let first_head = group.y * ${together.length}u;
  let kv_head = first_head / ${heads / kvHeads}u;
  let i = tile.x + min(lane, tile.y - 1u);
  let q_at = i * op.qkv_stride + ${n.q("first_head")};
  ${together
    .map(
      (h) => `${n.each((d) => `let q${h}_${d} = qkv[q_at + ${h * n.vectors.length + d}u] * op.scale;`)}
  ${n.each((d) => `var o${h}_${d} = vec4<f32>(0.0);`)}
  var top${h} = -3.0e38;
  var total${h} = 0.0;`,
    )
    .join("\n  ")}
  let end = tile.x + tile.y;
  for (var j = tile.z; j < end; j += ${BLOCK}u) {
    ${BLOCKS.map(
      (b) => `let at_${b} = min(j + ${b}u, end - 1u) * op.qkv_stride;
    let k_${b} = at_${b} + ${n.k("kv_head")};
    let v_${b} = at_${b} + ${n.v("kv_head")};
    let seen_${b} = j + ${b}u <= i;
    ${n.each((d) => `let key_${b}_${d} = qkv[k_${b} + ${d}u];`)}
    ${together.map((h) => `let s${h}_${b} = select(-3.0e38, ${n.dot(`q${h}`, (d) => `key_${b}_${d}`)}, seen_${b});`).join("\n    ")}`,
    ).join("\n    ")}
    ${together
      .map(
        (h) => `let next${h} = max(max(max(s${h}_0, s${h}_1), max(s${h}_2, s${h}_3)), top${h});
    let fade${h} = exp(top${h} - next${h});
    top${h} = next${h};
    ${BLOCKS.map((b) => `let p${h}_${b} = select(0.0, exp(s${h}_${b} - top${h}), seen_${b});`).join("\n    ")}
    total${h} = total${h} * fade${h} + ((p${h}_0 + p${h}_1) + (p${h}_2 + p${h}_3));`,
      )
      .join("\n    ")}
    ${n.each(
      (d) => `{
      ${BLOCKS.map((b) => `let value_${b} = qkv[v_${b} + ${d}u];`).join(" ")}
      ${together.map((h) => `o${h}_${d} = o${h}_${d} * fade${h} + ((p${h}_0 * value_0 + p${h}_1 * value_1) + (p${h}_2 * value_2 + p${h}_3 * value_3));`).join("\n      ")}
    }`,
      "\n    ",
    )}
  }
  if (lane >= tile.y) { return; }
  let to = i * op.out_stride + ${n.q("first_head")};
  ${together
    .map(
      (h) => `let inverse${h} = 1.0 / total${h};
  ${n.each((d) => `out[to + ${h * n.vectors.length + d}u] = o${h}_${d} * inverse${h};`)}
  lse[i * ${heads}u + first_head + ${h}u] = top${h} + log(total${h});`,
    )
    .join("\n  ")}
}`,
  };
}

/**
 * Gradient for q: a thread per query row and KV head recomputes its probabilities from the kept log-sum-exp.
 * Also leaves delta = ⟨do, o⟩ of each row for the keys' pass (FlashAttention-2, Dao 2023).
 */
export function varlenQueryGradientSource(shape: VarlenShape): KernelSource {
  const { heads, kvHeads } = shape;
  const n = names(shape);
  const together = Array.from({ length: headsPerThread(shape) }, (_, h) => h);
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
  let first_head = group.y * ${together.length}u;
  let kv_head = first_head / ${heads / kvHeads}u;
  let i = tile.x + min(lane, tile.y - 1u);
  let q_at = i * op.qkv_stride + ${n.q("first_head")};
  let o_at = i * op.out_stride + ${n.q("first_head")};
  ${together
    .map(
      (h) => `${n.each((d) => `let q${h}_${d} = qkv[q_at + ${h * n.vectors.length + d}u] * op.scale;`)}
  ${n.each((d) => `let g${h}_${d} = d_o[o_at + ${h * n.vectors.length + d}u];`)}
  ${n.each((d) => `var t${h}_${d} = vec4<f32>(0.0);`)}
  let sum${h} = lse[i * ${heads}u + first_head + ${h}u];
  let dot_o${h} = ${n.dot(`g${h}`, (d) => `o[o_at + ${h * n.vectors.length + d}u]`)};`,
    )
    .join("\n  ")}
  let end = tile.x + tile.y;
  for (var j = tile.z; j < end; j += ${BLOCK}u) {
    ${BLOCKS.map(
      (b) => `let at_${b} = min(j + ${b}u, end - 1u) * op.qkv_stride;
    let k_${b} = at_${b} + ${n.k("kv_head")};
    let v_${b} = at_${b} + ${n.v("kv_head")};
    ${n.each((d) => `let key_${b}_${d} = qkv[k_${b} + ${d}u];`)}
    ${together.map((h) => `let p${h}_${b} = select(0.0, exp(${n.dot(`q${h}`, (d) => `key_${b}_${d}`)} - sum${h}), j + ${b}u <= i);`).join("\n    ")}
    ${n.each((d) => `let value_${b}_${d} = qkv[v_${b} + ${d}u];`)}
    ${together.map((h) => `let s${h}_${b} = p${h}_${b} * (${n.dot(`g${h}`, (d) => `value_${b}_${d}`)} - dot_o${h});`).join("\n    ")}`,
    ).join("\n    ")}
    ${together.map((h) => n.each((d) => `t${h}_${d} += (s${h}_0 * key_0_${d} + s${h}_1 * key_1_${d}) + (s${h}_2 * key_2_${d} + s${h}_3 * key_3_${d});`, "\n    ")).join("\n    ")}
  }
  if (lane >= tile.y) { return; }
  ${together
    .map(
      (h) => `${n.each((d) => `d_qkv[q_at + ${h * n.vectors.length + d}u] = t${h}_${d} * op.scale;`)}
  delta[i * ${heads}u + first_head + ${h}u] = dot_o${h};`,
    )
    .join("\n  ")}
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
