import type { KernelSource } from "../../gpu/pipelines.ts";
import type { GemmShape } from "../gemm/source.ts";
import { loaderEnables, loaderWgsl } from "../weights/wgsl.ts";
import { epilogueWgsl } from "./epilogue.ts";
import { headerWgsl, productBindings } from "./op.ts";
import type { ProductOptions } from "./op.ts";

/** Edge of the output tile of one workgroup. */
export const TILE = 64;

/** Workgroups for `columns` weight rows and `rows` rows of x; row tiles first, as in the few-rows shape. */
export function manyRowsGrid(columns: number, rows: number): readonly [number, number] {
  return [Math.ceil(rows / TILE), Math.ceil(columns / TILE)];
}

/**
 * y = x · Wᵀ for many rows (prefill, training): 64×64 outputs per workgroup of 128 threads, 8×4 in each thread's
 * registers, K in slices of 16 through workgroup memory (8 KiB, so that several groups share a compute unit).
 * Software adapters get the `direct` shape instead. Tiles are transposed on the way in, so the inner loop reads whole vec4s and does eight vec4 multiply-adds per three.
 */
export function manyRowsSource(options: ProductOptions, shape: GemmShape): KernelSource {
  const { bindings } = productBindings(options);
  const rows = Array.from({ length: 8 }, (_, i) => i);
  const code = `${loaderEnables(options)}${headerWgsl(options)}
${loaderWgsl(options)}
${epilogueWgsl(options)}
${shape === "tiled" ? TILES : ""}

fn load_x(m: u32, k4: u32) -> vec4<f32> {
  if (m >= step.rows || k4 >= op.k4) { return vec4<f32>(0.0); }
  return x[m * op.x_stride + k4];
}

fn load_w(c: u32, k4: u32) -> vec4<f32> {
  if (c >= op.n || k4 >= op.k4) { return vec4<f32>(0.0); }
  return weight4(row_of(c), k4);
}

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let c0 = group.y * ${TILE}u;
  let m0 = group.x * ${TILE}u;
  // Computing: 16 threads across columns (4 each), 8 down rows (8 each).
  let column4 = lane & 15u;
  let row8 = lane >> 4u;
  ${rows.map((i) => `var acc_${i} = vec4<f32>(0.0);`).join(" ")}
  ${shape === "tiled" ? tiledLoop(rows) : directLoop(rows)}
  // A loop with one copy of the epilogue: sixteen of them took drivers seconds to compile.
  for (var i = 0u; i < 16u; i++) {
    var v = acc_0;
    switch (i >> 1u) {
      ${rows
        .slice(1)
        .map((row) => `case ${row}u: { v = acc_${row}; }`)
        .join("\n      ")}
      default: {}
    }
    let m = m0 + row8 * 8u + (i >> 1u);
    let c = c0 + column4 * 4u + (i & 1u) * 2u;
    if (m < step.rows && c < op.n) {
      let pair = select(v.xy, v.zw, (i & 1u) == 1u);
      epilogue(m, c, pair.x, pair.y);
    }
  }
}`;
  return { label: `matmul-many ${shape} ${options.format} ${options.epilogue}`, code, bindings };
}

const TILES = `// [k][column or row / 4], k-major.
var<workgroup> x_tile: array<vec4<f32>, 256>;
var<workgroup> w_tile: array<vec4<f32>, 256>;`;

function tiledLoop(rows: readonly number[]): string {
  return `// Threads 0..63 bring a 4×4 block of x each, 64..127 one of W.
  let block = lane & 63u;
  let load_k4 = block & 3u;
  let load_row = (block >> 2u) * 4u;
  for (var k4 = 0u; k4 < op.k4; k4 += 4u) {
    var b: mat4x4<f32>;
    if (lane < 64u) {
      let m = m0 + load_row;
      b = transpose(mat4x4<f32>(load_x(m, k4 + load_k4), load_x(m + 1u, k4 + load_k4), load_x(m + 2u, k4 + load_k4), load_x(m + 3u, k4 + load_k4)));
      let at = load_k4 * 64u + (load_row >> 2u);
      x_tile[at] = b[0]; x_tile[at + 16u] = b[1]; x_tile[at + 32u] = b[2]; x_tile[at + 48u] = b[3];
    } else {
      let c = c0 + load_row;
      b = transpose(mat4x4<f32>(load_w(c, k4 + load_k4), load_w(c + 1u, k4 + load_k4), load_w(c + 2u, k4 + load_k4), load_w(c + 3u, k4 + load_k4)));
      let at = load_k4 * 64u + (load_row >> 2u);
      w_tile[at] = b[0]; w_tile[at + 16u] = b[1]; w_tile[at + 32u] = b[2]; w_tile[at + 48u] = b[3];
    }
    workgroupBarrier();
    for (var k = 0u; k < 16u; k++) {
      let wv = w_tile[k * 16u + column4];
      let xa = x_tile[k * 16u + row8 * 2u];
      let xb = x_tile[k * 16u + row8 * 2u + 1u];
      ${rows.map((i) => `acc_${i} = fma(vec4<f32>(${i < 4 ? "xa" : "xb"}[${i % 4}]), wv, acc_${i});`).join("\n      ")}
    }
    workgroupBarrier();
  }`;
}

/** As the `direct` shape of `gemm`: both operands where they lie, which software adapters read twice as fast. */
function directLoop(rows: readonly number[]): string {
  return `for (var k4 = 0u; k4 < op.k4; k4++) {
    ${[0, 1, 2, 3].map((j) => `let w_${j} = load_w(c0 + column4 * 4u + ${j}u, k4);`).join("\n    ")}
    ${rows
      .map(
        (i) =>
          `{ let v = load_x(m0 + row8 * 8u + ${i}u, k4); acc_${i} += vec4<f32>(dot(v, w_0), dot(v, w_1), dot(v, w_2), dot(v, w_3)); }`,
      )
      .join("\n    ")}
  }`;
}
