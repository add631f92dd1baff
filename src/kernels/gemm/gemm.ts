import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { Bindable, GpuContext } from "../../gpu/device.ts";
import type { Kernel } from "../../gpu/pipelines.ts";
import { uploadUniform } from "../buffers.ts";
import { paddedK, rowLayout } from "../weights/format.ts";
import type { MatrixFormat } from "../weights/format.ts";
import { GEMM_TILE, gemmSource, SUM_SPLITS } from "./source.ts";
import type { GemmForm, GemmShape, GemmStore } from "./source.ts";

/** An f32 matrix in a buffer; strides and columns in units of four floats. */
export interface Operand {
  readonly buffer: Bindable;
  readonly stride4: number;
  /** First column; 0 if left out. */
  readonly col4?: number;
  /** First row (of results only); 0 if left out. */
  readonly row?: number;
}

/** Rows [row0, row0 + rows) of weights in one buffer, [all rows, k] in a weight format. */
export interface WeightView {
  readonly format: MatrixFormat;
  readonly zeroPoints: boolean;
  readonly data: Bindable;
  readonly scales?: GPUBuffer;
  /** Rows in the buffer, of which the view is a part. */
  readonly allRows: number;
  readonly row0: number;
  readonly rows: number;
  readonly k: number;
}

/** A view of all of a plain f32 matrix [rows, k] whose rows are padded to 8 floats, as trainable parameters are. */
export function f32View(data: Bindable, rows: number, k: number): WeightView {
  return { format: "f32", zeroPoints: false, data, allRows: rows, row0: 0, rows, k };
}

/** Bytes of a product's `Op` uniform. */
export const GEMM_OP_BYTES = 64;

interface Common {
  readonly name: string;
  /** Uniform: rows of the step (M, or the depth of `tn`). */
  readonly step: GPUBuffer;
  readonly a: Operand;
  readonly y: Operand;
  /** Factor on the product; 1 if left out. */
  readonly scale?: number;
}

export interface ProductGemm extends Common {
  readonly form: "nt" | "nn";
  readonly weights: WeightView;
  readonly store: "store" | "accumulate" | { readonly residual: GPUBuffer };
}

/** dW += scale · aᵀ · b over the step's rows. */
export interface WeightGradientGemm extends Common {
  readonly form: "tn";
  readonly b: Operand;
  /** Rows of dW (columns of a) and columns of dW (of b). */
  readonly rows: number;
  readonly k: number;
  /** Scratch for partial sums, from {@link partialBytes}; left out, one workgroup sums over all rows. */
  readonly partial?: { readonly buffer: GPUBuffer; readonly splits: number };
}

/** Which shape of kernel suits an adapter; see {@link GemmShape}. */
export function gemmShape(context: GpuContext): GemmShape {
  const { isFallback, description, device } = context.adapter;
  return isFallback || /llvmpipe|swiftshader/i.test(`${description} ${device}`) ? "direct" : "tiled";
}

/**
 * Workgroups that share a weight gradient's sum over `depth` rows: enough to fill a GPU (the result alone may be a
 * handful of tiles), each with at least 256 rows. Depends on sizes only, so that a run repeats bit for bit.
 */
export function splitsFor(shape: GemmShape, rows: number, k: number, depth: number): number {
  if (shape === "direct") return 1;
  const tiles = Math.ceil(rows / GEMM_TILE) * Math.ceil(k / GEMM_TILE);
  return Math.max(1, Math.min(Math.floor(256 / tiles), Math.floor(depth / 256), 64));
}

/** Bytes of scratch that `splits` partial sums of a gradient [rows, k] take. */
export function partialBytes(rows: number, k: number, splits: number): number {
  return splits === 1 ? 0 : splits * rows * paddedK("f32", k) * 4;
}

/** One product with its bind groups made in advance; see {@link GemmForm} for the forms. Operands are f32, sums f32. */
export class Gemm {
  readonly #form: GemmForm;
  readonly #kernel: Kernel;
  readonly #binding: GPUBindGroup;
  /** Rows of the result where they do not follow the step, and its columns. */
  readonly #rows: number;
  readonly #columns: number;
  readonly #sum: { readonly kernel: Kernel; readonly binding: GPUBindGroup; readonly splits: number } | undefined;

  private constructor(
    form: GemmForm,
    kernel: Kernel,
    binding: GPUBindGroup,
    rows: number,
    columns: number,
    sum?: { readonly kernel: Kernel; readonly binding: GPUBindGroup; readonly splits: number },
  ) {
    this.#form = form;
    this.#kernel = kernel;
    this.#binding = binding;
    this.#rows = rows;
    this.#columns = columns;
    this.#sum = sum;
  }

  static create(context: GpuContext, scope: BufferScope, of: ProductGemm | WeightGradientGemm): Promise<Gemm> {
    return of.form === "tn" ? weightGradient(context, scope, of) : product(context, scope, of);
  }

  /** @internal */
  static make(
    form: GemmForm,
    kernel: Kernel,
    binding: GPUBindGroup,
    rows: number,
    columns: number,
    sum?: { readonly kernel: Kernel; readonly binding: GPUBindGroup; readonly splits: number },
  ): Gemm {
    return new Gemm(form, kernel, binding, rows, columns, sum);
  }

  /** Adds the product over `rows` rows, which must equal the `step` uniform's. */
  encode(batch: CommandBatch, rows: number): void {
    const height = this.#form === "tn" ? this.#rows : rows;
    const sum = this.#sum;
    const x = Math.ceil(height / GEMM_TILE);
    batch.dispatch(this.#kernel, this.#binding, [x, Math.ceil(this.#columns / GEMM_TILE), sum?.splits ?? 1]);
    if (sum) batch.dispatch(sum.kernel, sum.binding, [Math.ceil(this.#columns / 256), this.#rows]);
  }
}

async function product(context: GpuContext, scope: BufferScope, of: ProductGemm): Promise<Gemm> {
  const { form, weights, a, y, store, scale = 1 } = of;
  const { format, zeroPoints, k } = weights;
  const residual = typeof store === "object" ? store.residual : undefined;
  const storing: GemmStore = typeof store === "object" ? "residual" : store;
  const kernel = await context.pipelines.get(
    gemmSource({
      form,
      store: storing,
      shape: gemmShape(context),
      weights: { format, zeroPoints, f16: context.features.f16 },
    }),
  );
  const { padded, ld, blocks, secondWords } = rowLayout(format, weights.allRows, k);
  const op = uploadUniform(context, scope, `${of.name}.op`, [
    weights.rows,
    padded / 4,
    a.stride4,
    a.col4 ?? 0,
    weights.row0,
    ld,
    blocks,
    secondWords,
    0,
    y.stride4,
    y.col4 ?? 0,
    y.row ?? 0,
    1,
    0,
    { f32: scale },
  ]);
  const binding = context.bind(kernel, [
    op,
    of.step,
    a.buffer,
    weights.data,
    ...(weights.scales ? [weights.scales] : []),
    ...(residual ? [residual] : []),
    y.buffer,
  ]);
  return Gemm.make(form, kernel, binding, 0, form === "nt" ? weights.rows : padded);
}

async function weightGradient(context: GpuContext, scope: BufferScope, of: WeightGradientGemm): Promise<Gemm> {
  const { a, b, y, rows, k, scale = 1, partial } = of;
  const splits = partial?.splits ?? 1;
  const k4 = paddedK("f32", k) / 4;
  const kernel = await context.pipelines.get(
    gemmSource({ form: "tn", store: splits > 1 ? "store" : "accumulate", shape: gemmShape(context) }),
  );
  const target = splits > 1 && partial ? { buffer: partial.buffer, stride4: k4 } : y;
  const op = uploadUniform(context, scope, `${of.name}.op`, [
    rows,
    k4,
    a.stride4,
    a.col4 ?? 0,
    0,
    b.stride4,
    0,
    0,
    b.col4 ?? 0,
    target.stride4,
    target === y ? (y.col4 ?? 0) : 0,
    target === y ? (y.row ?? 0) : 0,
    splits,
    splits > 1 ? rows * k4 : 0,
    { f32: scale },
  ]);
  const binding = context.bind(kernel, [op, of.step, a.buffer, b.buffer, target.buffer]);
  if (target === y) return Gemm.make("tn", kernel, binding, rows, 4 * k4);
  const sumKernel = await context.pipelines.get(SUM_SPLITS);
  const sumOp = uploadUniform(context, scope, `${of.name}.sum.op`, [
    rows,
    k4,
    y.stride4,
    y.col4 ?? 0,
    y.row ?? 0,
    splits,
    rows * k4,
  ]);
  const sumBinding = context.bind(sumKernel, [sumOp, target.buffer, y.buffer]);
  return Gemm.make("tn", kernel, binding, rows, 4 * k4, { kernel: sumKernel, binding: sumBinding, splits });
}
