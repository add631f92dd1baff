import { R1Error } from "../../errors.ts";
import type { BufferScope } from "../../gpu/arena.ts";
import type { Bindable, GpuContext } from "../../gpu/device.ts";
import type { KernelSource } from "../../gpu/pipelines.ts";
import { uploadUniform } from "../buffers.ts";
import { ACTIVATION_PAD, layoutOf, roundUp, rowLayout } from "../weights/format.ts";
import type { WeightChunk, WeightMatrix } from "../weights/matrix.ts";
import { scaleElement, weightElement } from "../weights/wgsl.ts";
import type { LoaderOptions } from "../weights/wgsl.ts";
import { epilogueBindings } from "./epilogue.ts";
import type { EpilogueOptions } from "./epilogue.ts";

/** What decides a product's code, apart from its shape (few or many rows). */
export interface ProductOptions extends EpilogueOptions, LoaderOptions {
  /** RMSNorm of x fused in: y = W · (x ∘ g) / rms(x). Only the few-rows shape has it. */
  readonly norm: boolean;
  readonly subgroups: boolean;
}

/** Sizes of one product over one chunk of weights. */
export interface ProductSizes {
  /** Floats between rows of the output; for `qkv` of q. */
  readonly yStride: number;
  /** Output column of the chunk's first result. */
  readonly yColumn: number;
  /** Columns that are paired: head_dim for `qkv`, 2 × the chunk's rows for `silu`, 2 otherwise. */
  readonly pair: number;
  /** RMSNorm's epsilon. */
  readonly eps?: number;
  /** Float index in `aux` at which the bias begins. */
  readonly biasAt?: number;
  /** Columns of q. */
  readonly qColumns?: number;
  /** Columns of k (and of v). */
  readonly kvColumns?: number;
  /** Where an adapter's part lies; see `EpilogueOptions.adapted`. */
  readonly delta?: {
    /** Float at which it begins in its buffer. */
    readonly at: number;
    /** Floats between its rows. */
    readonly stride: number;
    /** `silu` only: columns from gate to up. */
    readonly up?: number;
  };
}

/** What a product's shape depends on of its matrix; the bytes may be a part of a larger buffer. */
export interface ProductMatrix extends Omit<WeightMatrix, "chunks" | "rows"> {
  readonly chunks: readonly ProductChunk[];
}

export interface ProductChunk extends Omit<WeightChunk, "data"> {
  readonly data: Bindable;
}

/** Bytes of the `Op` uniform. */
export const PRODUCT_OP_BYTES = 64;
/** The same with the place of an adapter's part. */
export const ADAPTED_OP_BYTES = 80;

/** WGSL declarations shared by both shapes. */
export function headerWgsl(options: ProductOptions): string {
  const { declarations } = productBindings(options);
  return `struct Op {
  n: u32, k: u32, steps: u32, k4: u32,
  ld: u32, blocks: u32, zero_words: u32, pair: u32,
  x_stride: u32, y_stride: u32, y_col: u32, eps: f32,
  bias_at: u32, q_cols: u32, rotated: u32, kv_stride: u32,
  ${options.adapted === true ? "delta_at: u32, delta_stride: u32, delta_up: u32," : ""}
}
struct Step { rows: u32 }
${declarations}
// Virtual column c stands for this weight row: within a block of \`pair\` rows, row i and row i + pair / 2 alternate.
fn row_of(c: u32) -> u32 {
  let r = c % op.pair;
  return c - r + (r & 1u) * (op.pair >> 1u) + (r >> 1u);
}`;
}

/** The bindings of group 0, in order, and their WGSL declarations. */
export function productBindings(options: ProductOptions): {
  readonly bindings: KernelSource["bindings"];
  readonly declarations: string;
} {
  const list: { kind: KernelSource["bindings"][number]; text: string }[] = [
    { kind: "uniform", text: "var<uniform> op: Op" },
    { kind: "uniform", text: "var<uniform> step: Step" },
    { kind: "read", text: "var<storage, read> x: array<vec4<f32>>" },
    { kind: "read", text: `var<storage, read> w: array<${weightElement(options)}>` },
  ];
  if (layoutOf(options.format).quantized) {
    list.push({ kind: "read", text: `var<storage, read> w_scales: array<${scaleElement(options)}>` });
  }
  if (usesAux(options)) list.push({ kind: "read", text: "var<storage, read> aux: array<vec4<f32>>" });
  for (const { kind, name, type } of epilogueBindings(options)) {
    list.push({ kind, text: `var<storage, ${kind === "write" ? "read_write" : "read"}> ${name}: ${type}` });
  }
  return {
    bindings: list.map(({ kind }) => kind),
    declarations: list.map(({ text }, i) => `@group(0) @binding(${i}) ${text};`).join("\n"),
  };
}

/** `aux` holds the norm's weights (padded as activations are), then the bias. */
export function usesAux({ norm, bias, epilogue }: ProductOptions): boolean {
  return norm || (bias && epilogue === "qkv");
}

/** Rows of a chunk as the kernel counts columns: stacked matrices count all of theirs. */
export function productColumns(chunk: ProductChunk, epilogue: EpilogueOptions["epilogue"]): number {
  return epilogue === "silu" ? chunk.count * 2 : chunk.count;
}

/** Makes the `Op` uniform of a product over one chunk. */
export function productUniform(
  context: GpuContext,
  scope: BufferScope,
  name: string,
  matrix: ProductMatrix,
  chunk: ProductChunk,
  epilogue: EpilogueOptions["epilogue"],
  sizes: ProductSizes,
): GPUBuffer {
  const n = productColumns(chunk, epilogue);
  const { pair, yStride, yColumn, eps = 0, biasAt = 0, qColumns = 0, kvColumns = 0, delta } = sizes;
  if (pair % 2 !== 0 || (pair > 2 && n % pair !== 0)) {
    throw new R1Error("E_INTERNAL", `${name}: ${n} columns cannot be paired in blocks of ${pair}`);
  }
  const { padded, steps, ld, blocks, secondWords } = rowLayout(chunk.format, n, matrix.k);
  return uploadUniform(context, scope, `${name}.op`, [
    n,
    matrix.k,
    steps,
    padded / 4,
    ld,
    blocks,
    secondWords,
    pair,
    roundUp(matrix.k, ACTIVATION_PAD) / 4,
    yStride,
    yColumn,
    { f32: eps },
    biasAt,
    qColumns,
    qColumns + kvColumns,
    2 * kvColumns,
    ...(delta ? [delta.at, delta.stride, delta.up ?? 0] : []),
  ]);
}
