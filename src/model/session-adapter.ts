import type { BufferScope } from "../gpu/arena.ts";
import type { CommandBatch } from "../gpu/commands.ts";
import type { GpuContext } from "../gpu/device.ts";
import { f32View, Gemm } from "../kernels/gemm/gemm.ts";
import type { Operand, ProductGemm } from "../kernels/gemm/gemm.ts";
import type { ProductMatrix, ProductSizes } from "../kernels/matmul/op.ts";
import { Product } from "../kernels/matmul/product.ts";
import type { ProductDescription } from "../kernels/matmul/product.ts";
import { ACTIVATION_PAD, roundUp } from "../kernels/weights/format.ts";
import { ropeTableBytes, sessionRows } from "./session-buffers.ts";
import type { AdapterSessionBytes, SessionBuffers, SessionSizes } from "./session-buffers.ts";
import type { ModelSpec } from "./spec.ts";
import { gateUpColumns, qkvWidth } from "./training/buffers.ts";
import type { Projection } from "./training/layer.ts";
import { adapterNames, adapterTargets } from "./training/lora.ts";
import type { LoraOptions, LoraTarget } from "./training/lora.ts";

/** A LoRA adapter on the device, under PEFT's names: W + (lora_alpha / r) · B · A over a model's frozen weights. */
export interface ModelAdapter {
  readonly lora: LoraOptions;
  /** A [r, k] or B [rows, r], f32, rows padded to 8 floats. */
  readonly value: (name: string) => GPUBufferBinding;
}

/** @throws R1Error E_OPTION for an adapter that the model cannot have */
export function adapterSessionBytes(spec: ModelSpec, sizes: SessionSizes, lora: LoraOptions): AdapterSessionBytes {
  const targets = adapterTargets(spec, lora);
  const rows = sessionRows(sizes);
  const has = (projection: Projection): boolean => targets.some((target) => target.projection === projection);
  return {
    low: rows * roundUp(lora.r, ACTIVATION_PAD) * 4,
    qkv: has("qkv") ? rows * deltaStride(spec, "qkv") * 4 : 0,
    gateUp: has("gate_up") ? rows * deltaStride(spec, "gate_up") * 4 : 0,
  };
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
  readonly #targets: readonly LoraTarget[];
  readonly #buffers: SessionBuffers;
  readonly #eps: number;
  readonly #low: GPUBuffer;
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
    const bytes = adapterSessionBytes(spec, sizes, adapter.lora);
    this.#context = context;
    this.#scope = scope;
    this.#spec = spec;
    this.#adapter = adapter;
    this.#targets = adapterTargets(spec, adapter.lora);
    this.#buffers = buffers;
    this.#eps = spec.rmsNormEps;
    this.#qkvAt = ropeTableBytes(spec, sizes);
    // Columns of matrices that are not adapted stay zero, as new buffers are.
    this.#low = scope.create("adapter.low", bytes.low);
    this.#gateUp = bytes.gateUp > 0 ? scope.create("adapter.gate_up", bytes.gateUp) : undefined;
  }

  has(projection: Projection): boolean {
    return this.#targets.some((target) => target.projection === projection);
  }

  /** What the frozen product of q, k and v, or of gate and up, needs to add the adapter's part in; empty where there is none. */
  partOf(projection: "qkv" | "gate_up"): {
    readonly product: Pick<ProductDescription, "adapted">;
    readonly sizes: Pick<ProductSizes, "delta">;
    /** Bindings after the frozen product's own. */
    readonly outputs: readonly GPUBuffer[];
  } {
    if (!this.has(projection)) return { product: {}, sizes: {}, outputs: [] };
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
    const targets = this.#targets.filter((target) => target.projection === projection);
    return new AdapterProducts(await Promise.all(targets.map((target) => this.#pair(layer, target, input))));
  }

  async #pair(layer: number, target: LoraTarget, input: ProjectionInput): Promise<AdapterPair> {
    const { r, lora_alpha } = this.#adapter.lora;
    const { k, rows, path, projection } = target;
    const [aName, bName] = adapterNames(layer, path);
    const lowStride = roundUp(r, ACTIVATION_PAD);
    const matrix: ProductMatrix = {
      zeroPoints: false,
      k,
      chunks: [{ format: "f32", start: 0, count: r, data: this.#adapter.value(aName) }],
    };
    const { few, many, aux } = input;
    const to = { outputs: [this.#low] };
    const [down, up] = await Promise.all([
      Product.create(this.#context, this.#scope, {
        name: aName,
        matrix,
        epilogue: "store",
        bias: false,
        kv: "f32",
        ...(aux ? { aux } : {}),
        sizes: () => ({ yStride: lowStride, yColumn: 0, pair: 2, eps: this.#eps }),
        ...(few ? { few: { ...few, ...to } } : {}),
        ...(many ? { many: { ...many, ...to } } : {}),
      }),
      Gemm.create(this.#context, this.#scope, {
        name: bName,
        form: "nt",
        step: this.#buffers.step,
        a: { buffer: this.#low, stride4: lowStride / 4 },
        weights: f32View(this.#adapter.value(bName), rows, r),
        scale: lora_alpha / r,
        ...this.#resultOf(projection, target.column),
      }),
    ]);
    return { down, up };
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
  readonly down: Product;
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
      if (few) down.encodeFew(batch, rows);
      else down.encodeMany(batch, rows);
      up.encode(batch, rows);
    }
  }
}
