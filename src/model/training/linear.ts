import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { f32View, Gemm, gemmShape, splitsFor } from "../../kernels/gemm/gemm.ts";
import type { Operand, WeightView } from "../../kernels/gemm/gemm.ts";
import { ACTIVATION_PAD, paddedK, roundUp } from "../../kernels/weights/format.ts";
import type { WeightMatrix } from "../../kernels/weights/matrix.ts";
import type { ParameterPool } from "./parameters.ts";
import { chunkName } from "./weight-parameters.ts";

/** A LoRA adapter on some of a projection's output columns: y += scale · (x · Aᵀ) · Bᵀ. */
export interface LinearAdapter {
  /** Pool entries: A [rank, K] and B [rows, rank]. */
  readonly a: string;
  readonly b: string;
  readonly rank: number;
  /** alpha / rank. */
  readonly scale: number;
  /** First output column and how many. */
  readonly column: number;
  readonly rows: number;
  /** x · Aᵀ [rows, rank padded to 32], kept for the backward pass. */
  readonly down: GPUBuffer;
}

export interface LinearDescription {
  readonly name: string;
  readonly matrix: WeightMatrix;
  /** Two matrices stacked in each chunk, gate and up; their outputs begin `stackedColumns` apart. */
  readonly stackedColumns?: number;
  readonly x: GPUBuffer;
  readonly y: GPUBuffer;
  readonly yWidth: number;
  /** y = residual + …; left out, y is set. */
  readonly residual?: GPUBuffer;
  readonly adapters: readonly LinearAdapter[];
}

/** What the backward pass adds to a projection. */
export interface LinearGradient {
  readonly dY: GPUBuffer;
  /** Set, not added to. */
  readonly dX: GPUBuffer;
  /** Scratch for the adapters' low-rank gradient, as `down`. */
  readonly dDown: GPUBuffer;
  /** Scratch for split sums. */
  readonly partial: GPUBuffer;
  readonly maxRows: number;
}

interface Part {
  readonly view: WeightView;
  readonly chunk: string;
  /** First output column, in floats. */
  readonly column: number;
}

/** A projection y = x · Wᵀ with its adapters: forward, and the gradients for x, W and the adapters. */
export class Linear {
  readonly #forward: readonly Gemm[];
  readonly #backward: readonly Gemm[];

  private constructor(forward: readonly Gemm[], backward: readonly Gemm[]) {
    this.#forward = forward;
    this.#backward = backward;
  }

  /**
   * @param pool trainable parameters; a matrix that is not in it is frozen
   * @param gradient left out for a model that is only run forward (the reference policy)
   */
  static async create(
    context: GpuContext,
    scope: BufferScope,
    step: GPUBuffer,
    of: LinearDescription,
    pool: ParameterPool,
    gradient?: LinearGradient,
  ): Promise<Linear> {
    const make = new LinearMaker(context, scope, step, of, pool);
    const [forward, backward] = await Promise.all([
      Promise.all(make.forward()),
      Promise.all(gradient ? make.backward(gradient) : []),
    ]);
    return new Linear(forward, backward);
  }

  encodeForward(batch: CommandBatch, rows: number): void {
    for (const gemm of this.#forward) gemm.encode(batch, rows);
  }

  encodeBackward(batch: CommandBatch, rows: number): void {
    for (const gemm of this.#backward) gemm.encode(batch, rows);
  }
}

class LinearMaker {
  readonly #context: GpuContext;
  readonly #scope: BufferScope;
  readonly #step: GPUBuffer;
  readonly #of: LinearDescription;
  readonly #pool: ParameterPool;
  readonly #parts: readonly Part[];
  readonly #x: Operand;

  constructor(context: GpuContext, scope: BufferScope, step: GPUBuffer, of: LinearDescription, pool: ParameterPool) {
    this.#context = context;
    this.#scope = scope;
    this.#step = step;
    this.#of = of;
    this.#pool = pool;
    this.#parts = partsOf(of);
    this.#x = { buffer: of.x, stride4: roundUp(of.matrix.k, ACTIVATION_PAD) / 4 };
  }

  forward(): Promise<Gemm>[] {
    const { name, y, residual, adapters } = this.#of;
    return [
      ...this.#parts.map(({ view, column }) =>
        this.#gemm({
          name,
          form: "nt",
          a: this.#x,
          weights: view,
          y: this.#output(y, column),
          store: residual ? { residual } : "store",
        }),
      ),
      ...adapters.flatMap((adapter) => [
        this.#gemm({
          name: `${name}.lora_a`,
          form: "nt",
          a: this.#x,
          weights: f32View(this.#pool.value(adapter.a), adapter.rank, this.#of.matrix.k),
          y: lowRank(adapter.down, adapter),
          store: "store",
        }),
        this.#gemm({
          name: `${name}.lora_b`,
          form: "nt",
          a: lowRank(adapter.down, adapter),
          weights: f32View(this.#pool.value(adapter.b), adapter.rows, adapter.rank),
          y: this.#output(y, adapter.column),
          store: "accumulate",
          scale: adapter.scale,
        }),
      ]),
    ];
  }

  backward(gradient: LinearGradient): Promise<Gemm>[] {
    const { name, matrix, adapters } = this.#of;
    const { dY, dX, dDown } = gradient;
    const dInput: Operand = { buffer: dX, stride4: this.#x.stride4 };
    return [
      ...this.#parts.map(({ view, column }, i) =>
        this.#gemm({
          name: `${name}.dx`,
          form: "nn",
          a: this.#output(dY, column),
          weights: view,
          y: dInput,
          store: i === 0 ? "store" : "accumulate",
        }),
      ),
      ...this.#parts.flatMap(({ view, chunk, column }) =>
        this.#pool.has(chunk)
          ? [
              this.#weightGradient(gradient, {
                name: `${name}.dw`,
                a: this.#output(dY, column),
                b: this.#x,
                y: { buffer: this.#pool.gradient(chunk), stride4: paddedK("f32", matrix.k) / 4, row: view.row0 },
                rows: view.rows,
                k: matrix.k,
              }),
            ]
          : [],
      ),
      ...adapters.flatMap((adapter) => [
        this.#gemm({
          name: `${name}.lora_b.dx`,
          form: "nn",
          a: this.#output(dY, adapter.column),
          weights: f32View(this.#pool.value(adapter.b), adapter.rows, adapter.rank),
          y: lowRank(dDown, adapter),
          store: "store",
          scale: adapter.scale,
        }),
        this.#gemm({
          name: `${name}.lora_a.dx`,
          form: "nn",
          a: lowRank(dDown, adapter),
          weights: f32View(this.#pool.value(adapter.a), adapter.rank, matrix.k),
          y: dInput,
          store: "accumulate",
        }),
        this.#weightGradient(gradient, {
          name: `${name}.lora_b.dw`,
          a: this.#output(dY, adapter.column),
          b: lowRank(adapter.down, adapter),
          y: { buffer: this.#pool.gradient(adapter.b), stride4: paddedK("f32", adapter.rank) / 4 },
          rows: adapter.rows,
          k: adapter.rank,
          scale: adapter.scale,
        }),
        this.#weightGradient(gradient, {
          name: `${name}.lora_a.dw`,
          a: lowRank(dDown, adapter),
          b: this.#x,
          y: { buffer: this.#pool.gradient(adapter.a), stride4: paddedK("f32", matrix.k) / 4 },
          rows: adapter.rank,
          k: matrix.k,
        }),
      ]),
    ];
  }

  #output(buffer: GPUBuffer, column: number): Operand {
    return { buffer, stride4: roundUp(this.#of.yWidth, ACTIVATION_PAD) / 4, col4: column / 4 };
  }

  #gemm(of: Omit<Extract<Parameters<typeof Gemm.create>[2], { readonly form: "nt" | "nn" }>, "step">): Promise<Gemm> {
    return Gemm.create(this.#context, this.#scope, { ...of, step: this.#step });
  }

  #weightGradient(
    { partial, maxRows }: LinearGradient,
    of: Omit<Extract<Parameters<typeof Gemm.create>[2], { readonly form: "tn" }>, "step" | "form" | "partial">,
  ): Promise<Gemm> {
    const splits = splitsFor(gemmShape(this.#context), of.rows, of.k, maxRows);
    return Gemm.create(this.#context, this.#scope, {
      ...of,
      form: "tn",
      step: this.#step,
      ...(splits > 1 ? { partial: { buffer: partial, splits } } : {}),
    });
  }
}

function lowRank(buffer: GPUBuffer, { rank }: LinearAdapter): Operand {
  return { buffer, stride4: roundUp(rank, ACTIVATION_PAD) / 4 };
}

function partsOf({ name, matrix, stackedColumns }: LinearDescription): readonly Part[] {
  const { zeroPoints, k } = matrix;
  return matrix.chunks.flatMap(({ format, start, count, data, scales }) => {
    const stacked = stackedColumns === undefined ? 1 : 2;
    return Array.from({ length: stacked }, (_, s): Part => ({
      view: {
        format,
        zeroPoints,
        data,
        ...(scales ? { scales } : {}),
        allRows: stacked * count,
        row0: s * count,
        rows: count,
        k,
      },
      chunk: chunkName(name, start),
      column: start + s * (stackedColumns ?? 0),
    }));
  });
}
