import type { BindingKind, KernelSource } from "../../gpu/pipelines.ts";
import { layoutOf } from "../weights/format.ts";
import { loaderEnables, loaderWgsl, scaleElement, weightElement } from "../weights/wgsl.ts";
import type { LoaderOptions } from "../weights/wgsl.ts";

/**
 * The three products of a linear layer y = x · Wᵀ with W [N, K]:
 *
 * - `nt`: y [M, N] = x [M, K] · Wᵀ, the forward pass
 * - `nn`: dx [M, K] = dy [M, N] · W, the gradient for its input
 * - `tn`: dW [N, K] = dyᵀ · x, the gradient for its weights
 */
export type GemmForm = "nt" | "nn" | "tn";

/** What happens to a result: y = v, y += v, or y = r + v with a third operand r. */
export type GemmStore = "store" | "accumulate" | "residual";

/**
 * `tiled` shares slices of both operands through workgroup memory, as GPUs want it. `direct` reads them where they lie:
 * software adapters keep workgroup memory in the same caches and lose twice by copying (llvmpipe: 3.4 against 7 GFLOP/s).
 */
export type GemmShape = "tiled" | "direct";

export interface GemmOptions {
  readonly form: GemmForm;
  readonly store: GemmStore;
  readonly shape: GemmShape;
  /** How W is stored (`nt`, `nn`); left out, the second operand is a plain f32 matrix. */
  readonly weights?: LoaderOptions;
}

/** Edge of the output tile of one workgroup, in both shapes. */
export const GEMM_TILE = 64;

const ROWS = Array.from({ length: 8 }, (_, i) => i);
const FOUR = [0, 1, 2, 3];

function bindingsOf({ store, weights }: GemmOptions): { readonly kinds: BindingKind[]; readonly wgsl: string } {
  const list: { kind: BindingKind; text: string }[] = [
    { kind: "uniform", text: "var<uniform> op: Op" },
    { kind: "uniform", text: "var<uniform> step: Step" },
    { kind: "read", text: "var<storage, read> a: array<vec4<f32>>" },
    { kind: "read", text: `var<storage, read> w: array<${weights ? weightElement(weights) : "vec4<f32>"}>` },
  ];
  if (weights && layoutOf(weights.format).quantized) {
    list.push({ kind: "read", text: `var<storage, read> w_scales: array<${scaleElement(weights)}>` });
  }
  if (store === "residual") list.push({ kind: "read", text: "var<storage, read> r: array<vec4<f32>>" });
  list.push({ kind: "write", text: "var<storage, read_write> y: array<vec4<f32>>" });
  return {
    kinds: list.map(({ kind }) => kind),
    wgsl: list.map(({ text }, i) => `@group(0) @binding(${i}) ${text};`).join("\n"),
  };
}

/**
 * Fields of `Op`. In units of vec4: `a_stride`, `a_col`, `ld` (f32: of w's rows; else of `weight4`), `b_col`, `y_stride`,
 * `y_col`, `part`. `n`: rows of W's view (columns of y for nt, depth for nn, rows of y for tn); `k4`: vec4s of W's rows.
 */
const OP = `struct Op { n: u32, k4: u32, a_stride: u32, a_col: u32, row0: u32, ld: u32, blocks: u32, zero_words: u32,
  b_col: u32, y_stride: u32, y_col: u32, y_row: u32, splits: u32, part: u32, scale: f32 }
struct Step { rows: u32 }`;

/**
 * `load_a(i, d)` and `load_b(i, d)`: the vec4s that blocks are made of. An operand lies either "along depth" (its vec4
 * runs along the summed dimension) or "across" (along the output's). Both return zeros outside.
 */
function loads({ form }: GemmOptions): { readonly a: Lie; readonly b: Lie; readonly wgsl: string } {
  const guard = (condition: string, value: string): string =>
    `if (${condition}) { return vec4<f32>(0.0); }\n  return ${value};`;
  switch (form) {
    case "nt":
      return {
        a: "along",
        b: "along",
        wgsl: `fn load_a(m: u32, d4: u32) -> vec4<f32> { ${guard("m >= step.rows || d4 >= op.k4", "a[m * op.a_stride + op.a_col + d4]")} }
fn load_b(c: u32, d4: u32) -> vec4<f32> { ${guard("c >= op.n || d4 >= op.k4", "weight4(op.row0 + c, d4)")} }`,
      };
    case "nn":
      return {
        a: "along",
        b: "across",
        wgsl: `fn load_a(m: u32, d4: u32) -> vec4<f32> { ${guard("m >= step.rows || 4u * d4 >= op.n", "a[m * op.a_stride + op.a_col + d4]")} }
fn load_b(c4: u32, d: u32) -> vec4<f32> { ${guard("c4 >= op.k4 || d >= op.n", "weight4(op.row0 + d, c4)")} }`,
      };
    case "tn":
      return {
        a: "across",
        b: "across",
        wgsl: `fn load_a(i4: u32, d: u32) -> vec4<f32> { ${guard("4u * i4 >= op.n || d >= step.rows", "a[d * op.a_stride + op.a_col + i4]")} }
fn load_b(c4: u32, d: u32) -> vec4<f32> { ${guard("c4 >= op.k4 || d >= step.rows", "weight4(d, op.b_col + c4)")} }`,
      };
  }
}

type Lie = "along" | "across";

/** Statements after which `v` [row `m` or `i`, vec4 column `c4`] is stored. */
function storeWgsl({ form, store }: GemmOptions): string {
  const rows = form === "tn" ? "op.n" : "step.rows";
  const columns = form === "nt" ? "(op.n + 3u) / 4u" : "op.k4";
  const at =
    form === "tn"
      ? "split * op.part + (op.y_row + i) * op.y_stride + op.y_col + c4"
      : "(op.y_row + i) * op.y_stride + op.y_col + c4";
  // Columns of nt between N and the next whole vector are padding, and stay zero.
  const v =
    form === "nt" ? "select(vec4<f32>(0.0), v, vec4<u32>(4u * c4) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(op.n))" : "v";
  const value = { store: v, accumulate: `y[at] + ${v}`, residual: `r[at] + ${v}` }[store];
  return `fn put(i: u32, c4: u32, v: vec4<f32>, split: u32) {
  if (i >= ${rows} || c4 >= ${columns}) { return; }
  let at = ${at};
  y[at] = ${value};
}`;
}

/** WGSL of one product; see {@link GemmForm}. Accumulators are f32. */
export function gemmSource(options: GemmOptions): KernelSource {
  const { form, shape, weights } = options;
  const { kinds, wgsl } = bindingsOf(options);
  const load = loads(options);
  const straight = direct(options);
  const loader = weights
    ? loaderWgsl(weights)
    : "fn weight4(row: u32, k4: u32) -> vec4<f32> { return w[row * op.ld + k4]; }";
  const depth = { nt: "4u * op.k4", nn: "op.n", tn: "last" }[form];
  const first = form === "tn" ? "split * per" : "0u";
  const code = `${weights ? loaderEnables(weights) : ""}${OP}
${wgsl}
${loader}
${shape === "tiled" ? load.wgsl : ""}
${storeWgsl(options)}
${shape === "tiled" ? tileMemory : ""}
@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let split = group.z;
  // tn only: this workgroup's share of the depth, whole steps of sixteen.
  let per = ((step.rows + op.splits - 1u) / op.splits + 15u) & 0xfffffff0u;
  let last = min(step.rows, (split + 1u) * per);
  // 16 threads across columns (4 each), 8 down rows (8 each).
  let column4 = group.y * 16u + (lane & 15u);
  let row8 = group.x * 8u + (lane >> 4u);
  ${ROWS.map((i) => `var acc_${i} = vec4<f32>(0.0);`).join(" ")}
  ${shape === "direct" ? straight.before : ""}
  for (var d = ${first}; d < ${depth}; d += ${shape === "tiled" ? 16 : 4}u) {
    ${shape === "tiled" ? tiledStep(load.a, load.b) : straight.step}
  }
  ${ROWS.map((i) => `put(row8 * 8u + ${i}u, column4, acc_${i} * op.scale, split);`).join("\n  ")}
}`;
  return { label: `gemm ${form} ${shape} ${weights?.format ?? "f32"} ${options.store}`, code, bindings: kinds };
}

// [depth][row or column / 4], depth-major.
const tileMemory = `var<workgroup> a_tile: array<vec4<f32>, 256>;
var<workgroup> b_tile: array<vec4<f32>, 256>;`;

/** Sixteen steps of depth through workgroup memory: threads 0..63 bring a 4×4 block of a each, 64..127 one of b. */
function tiledStep(a: Lie, b: Lie): string {
  const bring = (name: "a" | "b", lie: Lie): string => {
    const origin = name === "a" ? "group.x * 64u" : "group.y * 64u";
    if (lie === "along") {
      return `let at = (block & 3u) * 64u + (block >> 2u);
      let i = ${origin} + (block >> 2u) * 4u;
      let d4 = (d >> 2u) + (block & 3u);
      let t = transpose(mat4x4<f32>(${FOUR.map((j) => `load_${name}(i + ${j}u, d4)`).join(", ")}));
      ${FOUR.map((j) => `${name}_tile[at + ${j * 16}u] = t[${j}];`).join(" ")}`;
    }
    return `let at = (block >> 4u) * 64u + (block & 15u);
      let i4 = ${origin} / 4u + (block & 15u);
      let d0 = d + (block >> 4u) * 4u;
      ${FOUR.map((j) => `${name}_tile[at + ${j * 16}u] = load_${name}(i4, d0 + ${j}u);`).join(" ")}`;
  };
  return `let block = lane & 63u;
    if (lane < 64u) {
      ${bring("a", a)}
    } else {
      ${bring("b", b)}
    }
    workgroupBarrier();
    for (var k = 0u; k < 16u; k++) {
      let bv = b_tile[k * 16u + (lane & 15u)];
      let lo = a_tile[k * 16u + (lane >> 4u) * 2u];
      let hi = a_tile[k * 16u + (lane >> 4u) * 2u + 1u];
      ${ROWS.map((i) => `acc_${i} = fma(vec4<f32>(${i < 4 ? "lo" : "hi"}[${i % 4}]), bv, acc_${i});`).join("\n      ")}
    }
    workgroupBarrier();`;
}

/**
 * Four steps of depth straight from the operands: twelve vec4 loads for 128 multiply-adds. Addresses are kept inside by
 * clamping before the loop instead of by branches in it: what was computed on a clamped row is not stored, and of the
 * summed dimension the second operand is zero where it has ended.
 */
function direct({ form }: GemmOptions): { readonly before: string; readonly step: string } {
  const rows = "step.rows - 1u";
  const alongRows = ROWS.map((i) => `let a_at_${i} = min(row8 * 8u + ${i}u, ${rows}) * op.a_stride + op.a_col;`);
  const fma4 = (i: number, scalar: string, j: number): string =>
    `acc_${i} = fma(vec4<f32>(${scalar}), b_${j}, acc_${i});`;
  switch (form) {
    case "nt":
      return {
        before: [...alongRows, ...FOUR.map((j) => `let c_${j} = op.row0 + min(column4 * 4u + ${j}u, op.n - 1u);`)].join(
          "\n  ",
        ),
        step: [
          ...FOUR.map((j) => `let b_${j} = weight4(c_${j}, d >> 2u);`),
          ...ROWS.map(
            (i) =>
              `{ let v = a[a_at_${i} + (d >> 2u)]; acc_${i} += vec4<f32>(${FOUR.map((j) => `dot(v, b_${j})`).join(", ")}); }`,
          ),
        ].join("\n    "),
      };
    case "nn":
      return {
        before: [...alongRows, "let c4 = min(column4, op.k4 - 1u);"].join("\n  "),
        step: [
          ...FOUR.map(
            (j) =>
              `let b_${j} = select(vec4<f32>(0.0), weight4(op.row0 + min(d + ${j}u, op.n - 1u), c4), d + ${j}u < op.n);`,
          ),
          ...ROWS.map(
            (i) =>
              `{ let v = a[a_at_${i} + (d >> 2u)]; ${["x", "y", "z", "w"].map((c, j) => fma4(i, `v.${c}`, j)).join(" ")} }`,
          ),
        ].join("\n    "),
      };
    case "tn":
      return {
        before: `let last4 = (op.n + 3u) / 4u - 1u;
  let lo_at = op.a_col + min(row8 * 2u, last4);
  let hi_at = op.a_col + min(row8 * 2u + 1u, last4);
  let b_at = op.b_col + min(column4, op.k4 - 1u);`,
        step: FOUR.map(
          (j) => `{
      let t = min(d + ${j}u, ${rows});
      let b_${j} = select(vec4<f32>(0.0), weight4(t, b_at), d + ${j}u < step.rows);
      let lo = a[t * op.a_stride + lo_at];
      let hi = a[t * op.a_stride + hi_at];
      ${ROWS.map((i) => fma4(i, `${i < 4 ? "lo" : "hi"}[${i % 4}]`, j)).join(" ")}
    }`,
        ).join("\n    "),
      };
  }
}

/** y += scale · the sum of the splits' partial results, in their order. */
export const SUM_SPLITS: KernelSource = {
  label: "gemm sum of splits",
  bindings: ["uniform", "read", "write"],
  code: `struct Op { n: u32, k4: u32, y_stride: u32, y_col: u32, y_row: u32, splits: u32, part: u32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<storage, read> partial: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let c4 = group.x * 64u + lane;
  if (c4 >= op.k4) { return; }
  var sum = vec4<f32>(0.0);
  for (var s = 0u; s < op.splits; s++) { sum += partial[s * op.part + group.y * op.k4 + c4]; }
  y[(op.y_row + group.y) * op.y_stride + op.y_col + c4] += sum;
}`,
};
