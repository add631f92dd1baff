import type { BufferScope } from "../gpu/arena.ts";
import type { CommandBatch } from "../gpu/commands.ts";
import type { GpuContext } from "../gpu/device.ts";
import { f32View, Gemm } from "../kernels/gemm/gemm.ts";
import type { Operand, ProductGemm } from "../kernels/gemm/gemm.ts";
import type { ProductMatrix, ProductSizes } from "../kernels/matmul/op.ts";
import { Product } from "../kernels/matmul/product.ts";
import type { ProductDescription } from "../kernels/matmul/product.ts";
import { ACTIVATION_PAD, roundUp, rowBytes } from "../kernels/weights/format.ts";
import { ropeTableBytes, sessionRows } from "./session-buffers.ts";
import type { AdapterSessionBytes, SessionBuffers, SessionSizes } from "./session-buffers.ts";
import type { ModelSpec } from "./spec.ts";
import { gateUpColumns, qkvWidth } from "./training/buffers.ts";
import type { Projection } from "./training/layer.ts";
import type { AdaptedMatrix, AdapterLayout } from "./training/lora.ts";

/** A LoRA adapter on the device, under PEFT's names: W + scale · B · A over a model's frozen weights. */
export interface ModelAdapter {
  readonly layout: AdapterLayout;
  /** A [r, k] or B [rows, r], f32, rows padded to 8 floats. */
  readonly value: (name: string) => GPUBufferBinding;
}

/** What an adapter takes in a session. */
export function adapterSessionBytes(spec: ModelSpec, sizes: SessionSizes, layout: AdapterLayout): AdapterSessionBytes {
  const rows = sessionRows(sizes);
  const has = (projection: Projection): boolean => layout.flat().some((matrix) => matrix.projection === projection);
  return {
    low: ranksOf(layout).reduce((sum, rank) => sum + lowBytes(rows, rank), 0),
    qkv: has("qkv") ? rows * deltaStride(spec, "qkv") * 4 : 0,
    gateUp: has("gate_up") ? rows * deltaStride(spec, "gate_up") * 4 : 0,
  };
}

/** Each once. Every rank has a buffer of its own, so that what pads it stays zero. */
function ranksOf(layout: AdapterLayout): readonly number[] {
  return [...new Set(layout.flat().map(({ rank }) => rank))];
}

function lowBytes(rows: number, rank: number): number {
  return rows * roundUp(rank, ACTIVATION_PAD) * 4;
}

function deltaStride(spec: ModelSpec, projection: "qkv" | "gate_up"): number {
  return roundUp(projection === "qkv" ? qkvWidth(spec) : 2 * gateUpColumns(spec), ACTIVATION_PAD);
}

/** What a projection of the session reads: both shapes of its product, as the frozen product has them. */
export type ProjectionInput = Pick<ProductDescription, "few" | "many"> & {
  /** Norm weights, where the few-rows shape norms x itself. */
  readonly aux?: GPUBuffer;
};

/**
 * An adapter beside a session's frozen products: two small products per adapted matrix, whatever the frozen weights are
 * stored as. Where the frozen product ends in something that is not linear (SiLU) or not at its own place (rotation, the
 * cache) the adapter's part is computed before, and added in there; else it is added to the result.
 */
export class SessionAdapter {
  readonly #context: GpuContext;
  readonly #scope: BufferScope;
  readonly #spec: ModelSpec;
  readonly #adapter: ModelAdapter;
  readonly #buffers: SessionBuffers;
  readonly #eps: number;
  /** x · Aᵀ, by rank. */
  readonly #low: ReadonlyMap<number, GPUBuffer>;
  readonly #gateUp: GPUBuffer | undefined;
  /** Where q, k and v's part begins behind the rotary table. */
  readonly #qkvAt: number;

  constructor(
    context: GpuContext,
    scope: BufferScope,
    spec: ModelSpec,
    sizes: SessionSizes,
    buffers: SessionBuffers,
    adapter: ModelAdapter,
  ) {
    const bytes = adapterSessionBytes(spec, sizes, adapter.layout);
    this.#context = context;
    this.#scope = scope;
    this.#spec = spec;
    this.#adapter = adapter;
    this.#buffers = buffers;
    this.#eps = spec.rmsNormEps;
    this.#qkvAt = ropeTableBytes(spec, sizes);
    // Columns of matrices that are not adapted stay zero, as new buffers are.
    const rows = sessionRows(sizes);
    this.#low = new Map(
      ranksOf(adapter.layout).map((rank) => [rank, scope.create("adapter.low", lowBytes(rows, rank))]),
    );
    this.#gateUp = bytes.gateUp > 0 ? scope.create("adapter.gate_up", bytes.gateUp) : undefined;
  }

  #matrices(layer: number, projection: Projection): readonly AdaptedMatrix[] {
    return (this.#adapter.layout[layer] ?? []).filter((matrix) => matrix.projection === projection);
  }

  /**
   * What a layer's frozen product of q, k and v, or of gate and up, needs to add the adapter's part in; empty where there
   * is none.
   */
  partOf(
    layer: number,
    projection: "qkv" | "gate_up",
  ): {
    readonly product: Pick<ProductDescription, "adapted">;
    readonly sizes: Pick<ProductSizes, "delta">;
    /** Bindings after the frozen product's own. */
    readonly outputs: readonly GPUBuffer[];
  } {
    if (this.#matrices(layer, projection).length === 0) return { product: {}, sizes: {}, outputs: [] };
    const product = { adapted: true };
    const stride = deltaStride(this.#spec, projection);
    if (projection === "qkv") return { product, sizes: { delta: { at: this.#qkvAt / 4, stride } }, outputs: [] };
    return {
      product,
      sizes: { delta: { at: 0, stride, up: gateUpColumns(this.#spec) } },
      outputs: this.#gateUp ? [this.#gateUp] : [],
    };
  }

  /** The adapter's products of one layer's projection, in the order in which they run. */
  async products(layer: number, projection: Projection, input: ProjectionInput): Promise<AdapterProducts> {
    const own = this.#matrices(layer, projection);
    const pairs = await Promise.all(own.map((matrix) => this.#pair(matrix, input)));
    const [first] = own;
    if (!first || (projection !== "qkv" && projection !== "gate_up")) return new AdapterProducts(pairs);
    // Layers share the buffer of what is added in: columns that another layer has written, and this one does not, become 0.
    const others = new Map(this.#adapter.layout.flat().map((matrix) => [matrix.path, matrix]));
    for (const { path } of own) others.delete(path);
    const stale = [...others.values()].filter((matrix) => matrix.projection === projection);
    const zeros = await Promise.all(
      stale.map(async ({ rows, column, path }) => {
        const data = this.#scope.create(`${layer}.${path}.none`, rows * rowBytes("f32", first.rank));
        return { up: await this.#up({ ...first, rows, column, b: `${layer}.${path}.none` }, { buffer: data }) };
      }),
    );
    return new AdapterProducts([...pairs, ...zeros]);
  }

  async #pair(matrix: AdaptedMatrix, input: ProjectionInput): Promise<AdapterPair> {
    const { k, rank, a, b } = matrix;
    const { few, many, aux } = input;
    const to = { outputs: [this.#lowOf(rank)] };
    const lowStride = roundUp(rank, ACTIVATION_PAD);
    const weights: ProductMatrix = {
      zeroPoints: false,
      k,
      chunks: [{ format: "f32", start: 0, count: rank, data: this.#adapter.value(a) }],
    };
    const [down, up] = await Promise.all([
      Product.create(this.#context, this.#scope, {
        name: a,
        matrix: weights,
        epilogue: "store",
        bias: false,
        kv: "f32",
        ...(aux ? { aux } : {}),
        sizes: () => ({ yStride: lowStride, yColumn: 0, pair: 2, eps: this.#eps }),
        ...(few ? { few: { ...few, ...to } } : {}),
        ...(many ? { many: { ...many, ...to } } : {}),
      }),
      this.#up(matrix, this.#adapter.value(b)),
    ]);
    return { down, up };
  }

  #up({ b, rank, rows, scale, projection, column }: AdaptedMatrix, values: GPUBufferBinding): Promise<Gemm> {
    return Gemm.create(this.#context, this.#scope, {
      name: b,
      form: "nt",
      step: this.#buffers.step,
      a: { buffer: this.#lowOf(rank), stride4: roundUp(rank, ACTIVATION_PAD) / 4 },
      weights: f32View(values, rows, rank),
      scale,
      ...this.#resultOf(projection, column),
    });
  }

  #lowOf(rank: number): GPUBuffer {
    const buffer = this.#low.get(rank);
    if (!buffer) throw new RangeError(`no buffer for rank ${rank}`);
    return buffer;
  }

  #resultOf(projection: Projection, column: number): { readonly y: Operand; readonly store: ProductGemm["store"] } {
    if (projection === "qkv" || projection === "gate_up") {
      const { rope } = this.#buffers;
      const at = projection === "qkv" ? { buffer: rope, offset: this.#qkvAt } : this.#gateUp;
      if (!at) throw new RangeError("no buffer for gate and up");
      return {
        y: { buffer: at, stride4: deltaStride(this.#spec, projection) / 4, col4: column / 4 },
        store: "store",
      };
    }
    const stride4 = roundUp(this.#spec.hiddenSize, ACTIVATION_PAD) / 4;
    return { y: { buffer: this.#buffers.hidden, stride4 }, store: "accumulate" };
  }
}

interface AdapterPair {
  /** Undefined where nothing is added but zero. */
  readonly down?: Product;
  readonly up: Gemm;
}

export class AdapterProducts {
  readonly #pairs: readonly AdapterPair[];

  constructor(pairs: readonly AdapterPair[]) {
    this.#pairs = pairs;
  }

  /** @param few in the few-rows shape */
  encode(batch: CommandBatch, rows: number, few: boolean): void {
    for (const { down, up } of this.#pairs) {
      if (few) down?.encodeFew(batch, rows);
      else down?.encodeMany(batch, rows);
      up.encode(batch, rows);
    }
  }
}
