import type { KernelSource } from "../../gpu/pipelines.ts";
import { layoutOf } from "../weights/format.ts";
import { loadStepWgsl, loaderEnables, stepHelpersWgsl } from "../weights/wgsl.ts";
import type { StepWgsl } from "../weights/wgsl.ts";
import { epilogueWgsl } from "./epilogue.ts";
import { headerWgsl, productBindings } from "./op.ts";
import type { ProductOptions } from "./op.ts";

/** Rows of x that one workgroup multiplies at once; decode picks the smallest that covers its batch. */
export const ROW_TILES = [1, 2, 4, 8] as const;
export type RowTile = (typeof ROW_TILES)[number];

/** Columns (weight rows) per workgroup: enough to reuse x, few enough to fill a GPU at batch 1. */
export const COLUMNS_PER_GROUP = 4;

export interface FewRowsOptions extends ProductOptions {
  readonly rowTile: RowTile;
  /** Threads that share one dot product. */
  readonly threads: number;
}

/** Smallest row tile covering `rows`, or the largest there is. */
export function rowTileFor(rows: number): RowTile {
  return ROW_TILES.find((tile) => tile >= rows) ?? 8;
}

/**
 * Threads for a dot product of `steps` loads: about four loads each, which keeps memory busy without idle lanes.
 * The same for every row tile, so that a row's sums do not depend on its neighbours. Without subgroups all partial
 * sums pass through workgroup memory, of which 16 KiB is all that WebGPU guarantees.
 */
export function threadsFor(steps: number, subgroups: boolean): number {
  const most = subgroups ? 256 : 64;
  let threads = 32;
  while (threads < most && threads * 4 < steps) threads *= 2;
  return threads;
}

/**
 * Workgroups for `columns` weight rows and `rows` rows of x. Row tiles come first, so that those that need the same
 * weights run side by side and share them in the cache.
 */
export function fewRowsGrid(columns: number, rows: number, rowTile: RowTile): readonly [number, number] {
  return [Math.ceil(rows / rowTile), Math.ceil(columns / COLUMNS_PER_GROUP)];
}

/**
 * y = x · Wᵀ for few rows (decode, batch 1 to 64): a workgroup owns four weight rows, its threads split K, and every
 * weight is loaded once per row tile. Bound by the weights' bytes on a GPU, so loads are 16 bytes wide and x stays in
 * registers across the four rows.
 */
export function fewRowsSource(options: FewRowsOptions): KernelSource {
  const { rowTile, threads, norm, subgroups, format } = options;
  const columns = COLUMNS_PER_GROUP;
  const weights = Array.from({ length: columns }, (_, c) => loadStepWgsl(options, `w${c}`, `row_${c}`, "s"));
  const halves = weights.some(({ half }) => half !== undefined);
  const vectors = layoutOf(format).step / (halves ? 8 : 4);
  const sums = columns * rowTile + (norm ? rowTile : 0);
  const each = (count: number, line: (i: number) => string, separator = "\n"): string =>
    Array.from({ length: count }, (_, i) => line(i)).join(separator);
  const sumNames = [
    ...Array.from({ length: columns * rowTile }, (_, i) => `acc_${Math.floor(i / rowTile)}_${i % rowTile}`),
    ...(norm ? Array.from({ length: rowTile }, (_, m) => `square_${m}`) : []),
  ];
  // Weights become floats where they are used: all of a step's at once would not fit the registers.
  const inner = each(
    vectors,
    (v) => {
      const load = each(rowTile, (m) => `let x_${v}_${m} = x[base_${m} + at + ${v}u];`, "\n      ");
      const scaled = norm
        ? `let g_${v} = aux[at + ${v}u];
      ${each(rowTile, (m) => `square_${m} += dot(x_${v}_${m}, x_${v}_${m}); let xg_${v}_${m} = x_${v}_${m} * g_${v};`, "\n      ")}`
        : "";
      const products = each(
        columns,
        (c) =>
          `let w${c}_${v} = ${weights[c]?.vector(v)};
      ${each(rowTile, (m) => `acc_${c}_${m} += dot(w${c}_${v}, ${norm ? "xg" : "x"}_${v}_${m});`, " ")}`,
        "\n      ",
      );
      return `${load}\n      ${scaled}\n      ${products}`;
    },
    "\n      ",
  );
  const { bindings } = productBindings(options);
  const code = `${loaderEnables(options)}${subgroups ? "enable subgroups;\n" : ""}${headerWgsl(options)}
${stepHelpersWgsl(options)}
${epilogueWgsl(options)}
const THREADS = ${threads}u;
const SUMS = ${sums}u;
var<workgroup> partial: array<f32, ${subgroups ? (threads / 4) * sums : threads * sums}>;

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32${
    subgroups ? ", @builtin(subgroup_size) width: u32, @builtin(subgroup_invocation_id) sub_lane: u32" : ""
  }) {
  let c0 = group.y * ${columns}u;
  let m0 = group.x * ${rowTile}u;
  // Rows and columns beyond the end repeat the last one and are dropped at the end.
  ${each(columns, (c) => `let row_${c} = row_of(min(c0 + ${c}u, op.n - 1u));`, "\n  ")}
  ${each(rowTile, (m) => `let base_${m} = min(m0 + ${m}u, step.rows - 1u) * op.x_stride;`, "\n  ")}
  ${each(sumNames.length, (i) => `var ${sumNames[i]} = 0.0;`, " ")}
  for (var s = lane; s < op.steps; s += THREADS) {
      ${weights.map(({ load }) => load).join("\n      ")}
      ${halves ? inHalves(vectors, weights, inner) : `let at = ${vectors}u * s;\n      ${inner}`}
  }
  ${subgroups ? subgroupReduce(sumNames) : treeReduce(sumNames)}
  let pair = lane;
  if (pair < ${(columns / 2) * rowTile}u) {
    let m = pair % ${rowTile}u;
    let c = (pair / ${rowTile}u) * 2u;
    if (m0 + m < step.rows && c0 + c < op.n) {
      ${norm ? `let scale = inverseSqrt(partial[${columns * rowTile}u + m] / f32(op.k) + op.eps);` : "let scale = 1.0;"}
      epilogue(m0 + m, c0 + c, partial[c * ${rowTile}u + m] * scale, partial[(c + 1u) * ${rowTile}u + m] * scale);
    }
  }
}`;
  return { label: `matmul-few ${format} ${options.epilogue} x${rowTile}`, code, bindings };
}

/** A loop whose end the compiler does not know (K-quants have eight steps or more): unrolled, it takes llvmpipe ten seconds. */
function inHalves(vectors: number, weights: readonly StepWgsl[], inner: string): string {
  return `for (var half = 0u; half < min(op.steps, 2u); half++) {
      let at = ${vectors}u * (2u * s + half);
      ${weights.map(({ half }) => half ?? "").join("\n      ")}
      ${inner}
      }`;
}

/** Sums over the workgroup by subgroup, then over subgroups; results in partial[0 .. SUMS). */
function subgroupReduce(names: readonly string[]): string {
  return `let subgroup = lane / width;
  ${names.map((name, i) => `let sum_${i} = subgroupAdd(${name});`).join("\n  ")}
  if (sub_lane == 0u) {
    ${names.map((_, i) => `partial[subgroup * SUMS + ${i}u] = sum_${i};`).join("\n    ")}
  }
  workgroupBarrier();
  // A sum needs one thread; with more sums than threads each takes several.
  let subgroups = (THREADS + width - 1u) / width;
  for (var i = lane; i < SUMS; i += THREADS) {
    var total = partial[i];
    for (var s = 1u; s < subgroups; s++) { total += partial[s * SUMS + i]; }
    partial[i] = total;
  }
  workgroupBarrier();`;
}

/** Sums over the workgroup by halving, all sums at once; results in partial[0 .. SUMS). */
function treeReduce(names: readonly string[]): string {
  return `${names.map((name, i) => `partial[lane * SUMS + ${i}u] = ${name};`).join("\n  ")}
  workgroupBarrier();
  for (var half = THREADS >> 1u; half > 0u; half >>= 1u) {
    for (var i = lane; i < half * SUMS; i += THREADS) { partial[i] += partial[i + half * SUMS]; }
    workgroupBarrier();
  }`;
}
