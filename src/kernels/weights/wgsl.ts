import type { MatrixFormat } from "./format.ts";
import { isKQuantFormat, layoutOf } from "./format.ts";
import { kQuantStep, kQuantWeight4, kQuantWgsl } from "./k-quant-wgsl.ts";

/** What decides a weight loader's code. */
export interface LoaderOptions {
  readonly format: MatrixFormat;
  /** Quantized weights carry integer zero points. */
  readonly zeroPoints: boolean;
  /** Use `shader-f16` for f16 loads. */
  readonly f16: boolean;
}

/** The WGSL element type that the weight binding `w` is declared with: `loadBytes` of the format's layout. */
export function weightElement({ format }: LoaderOptions): string {
  if (format === "f32") return "vec4<f32>";
  return layoutOf(format).loadBytes === 8 ? "vec2<u32>" : "vec4<u32>";
}

/** The WGSL element type of the binding `w_scales`: q4_k reads a block's scales in one load. */
export function scaleElement({ format }: LoaderOptions): string {
  return format === "q4_k" ? "vec4<u32>" : "u32";
}

/** Lines that must stand first in a module using the loader. */
export function loaderEnables({ format, f16 }: LoaderOptions): string {
  return format === "f16" && f16 ? "enable f16;\n" : "";
}

/**
 * WGSL of `weight4(row, k4) -> vec4<f32>`: elements 4·k4 … 4·k4+3 of a row of the bound chunk. The code expects
 * bindings `w` (and `w_scales` if quantized) and the uniform fields `op.ld`, `op.blocks` and `op.zero_words`: `ld`, `blocks`
 * and `secondWords` of the matrix's `rowLayout`.
 */
export function loaderWgsl(options: LoaderOptions): string {
  switch (options.format) {
    case "f32":
      return `fn weight4(row: u32, k4: u32) -> vec4<f32> { return w[row * op.ld + k4]; }`;
    case "f16":
    case "bf16":
      return `${unpackWgsl(options)}
fn weight4(row: u32, k4: u32) -> vec4<f32> {
  let word = w[row * op.ld + (k4 >> 1u)];
  return unpack4(select(word.xy, word.zw, (k4 & 1u) == 1u));
}`;
    case "q8":
      return `${scaleWgsl(options)}
fn weight4(row: u32, k4: u32) -> vec4<f32> {
  let word = w[row * op.ld + (k4 >> 2u)][k4 & 3u];
  let block = row * op.blocks + (k4 >> 3u);
  return unpack_q8(word, zero_of(block)) * scale_of(block);
}`;
    case "q4":
      return `${scaleWgsl(options)}
fn weight4(row: u32, k4: u32) -> vec4<f32> {
  let word = w[row * op.ld + (k4 >> 2u)][(k4 >> 1u) & 1u] >> ((k4 & 1u) * 16u);
  let block = row * op.blocks + (k4 >> 3u);
  return unpack_q4(word, zero_of(block)) * scale_of(block);
}`;
    case "q4_k":
    case "q6_k":
      return `${kQuantWgsl(options.format)}
${kQuantWeight4(options.format)}`;
  }
}

/** WGSL that, inside the few-rows kernel, reads one step (`layoutOf(format).step` elements) of a row. */
export interface StepWgsl {
  /** Statements that load it into locals. */
  readonly load: string;
  /** For steps that are computed in two halves: statements that make each half's locals from these and from `half`, 0 or 1. */
  readonly half?: string;
  /** The vec4<f32> of elements 4·v … 4·v + 3 of the step or its half, an expression over these locals. */
  readonly vector: (v: number) => string;
}

/**
 * @param name that the locals' names begin with
 * @param row expression of the row's number
 * @param step expression of the step's number in the row
 */
export function loadStepWgsl(options: LoaderOptions, name: string, row: string, step: string): StepWgsl {
  const whole = `let ${name} = w[${row} * op.ld + ${step}];`;
  const scaled = `${whole}
      let ${name}_s = scale_of(${row} * op.blocks + (${step} >> 1u));
      let ${name}_z = zero_of(${row} * op.blocks + (${step} >> 1u));`;
  switch (options.format) {
    case "f32":
      return { load: `let ${name}_at = ${row} * op.ld + 2u * ${step};`, vector: (v) => `w[${name}_at + ${v}u]` };
    case "f16":
    case "bf16":
      return { load: whole, vector: (v) => `unpack4(${name}.${v === 0 ? "xy" : "zw"})` };
    case "q8":
      return { load: scaled, vector: (v) => `unpack_q8(${name}.${"xyzw"[v]}, ${name}_z) * ${name}_s` };
    case "q4":
      return {
        load: scaled,
        vector: (v) => `unpack_q4(${name}.${v < 2 ? "x" : "y"}${v % 2 === 1 ? " >> 16u" : ""}, ${name}_z) * ${name}_s`,
      };
    case "q4_k":
    case "q6_k":
      return kQuantStep(options.format, name, row, step);
  }
}

/** The helpers of {@link loadStepWgsl} alone, where `weight4` itself is not needed. */
export function stepHelpersWgsl(options: LoaderOptions): string {
  if (options.format === "f32") return "";
  if (isKQuantFormat(options.format)) return kQuantWgsl(options.format);
  return layoutOf(options.format).quantized ? scaleWgsl(options) : unpackWgsl(options);
}

function unpackWgsl({ format, f16 }: LoaderOptions): string {
  if (format === "bf16") {
    return `fn unpack4(u: vec2<u32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4<u32>(u.x << 16u, u.x & 0xffff0000u, u.y << 16u, u.y & 0xffff0000u));
}`;
  }
  return f16
    ? `fn unpack4(u: vec2<u32>) -> vec4<f32> { return vec4<f32>(bitcast<vec4<f16>>(u)); }`
    : `fn unpack4(u: vec2<u32>) -> vec4<f32> { return vec4<f32>(unpack2x16float(u.x), unpack2x16float(u.y)); }`;
}

function scaleWgsl({ format, zeroPoints }: LoaderOptions): string {
  const symmetric = format === "q8" ? "0.0" : "8.0";
  const zero = zeroPoints
    ? `fn zero_of(block: u32) -> f32 { return f32((w_scales[op.zero_words + (block >> 2u)] >> ((block & 3u) * 8u)) & 0xffu); }`
    : `fn zero_of(block: u32) -> f32 { return ${symmetric}; }`;
  // With zero points q8 is unsigned, without them signed.
  const q8 = zeroPoints
    ? `vec4<f32>((vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu)) - zero`
    : `vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(word) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u)) - zero`;
  const unpack =
    format === "q8"
      ? `fn unpack_q8(word: u32, zero: f32) -> vec4<f32> { return ${q8}; }`
      : `fn unpack_q4(word: u32, zero: f32) -> vec4<f32> {
  return vec4<f32>((vec4<u32>(word) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u)) - zero;
}`;
  return `fn scale_of(block: u32) -> f32 {
  return select(unpack2x16float(w_scales[block >> 1u]).x, unpack2x16float(w_scales[block >> 1u]).y, (block & 1u) == 1u);
}
${zero}
${unpack}`;
}
