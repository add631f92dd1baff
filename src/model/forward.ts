import type { BufferScope } from "../gpu/arena.ts";
import type { CommandBatch } from "../gpu/commands.ts";
import type { GpuContext } from "../gpu/device.ts";
import { AttentionPlan } from "../kernels/attention/attention.ts";
import type { LayerAttention } from "../kernels/attention/attention.ts";
import { Embedding } from "../kernels/embedding/embedding.ts";
import { Product } from "../kernels/matmul/product.ts";
import { RmsNorm } from "../kernels/rmsnorm/rmsnorm.ts";
import { ACTIVATION_PAD, roundUp } from "../kernels/weights/format.ts";
import type { WeightMatrix } from "../kernels/weights/matrix.ts";
import type { ProductChunk } from "../kernels/matmul/op.ts";
import type { AdapterProducts, SessionAdapter } from "./session-adapter.ts";
import { logitStride } from "./session-buffers.ts";
import type { SessionBuffers, SessionSizes } from "./session-buffers.ts";
import type { ModelSpec } from "./spec.ts";
import type { Projection } from "./training/layer.ts";
import type { LayerWeights, ModelWeights } from "./weights.ts";

/** Batches above this size decode with the many-rows product, where weights are no longer the bound. */
export const FEW_ROWS = 64;

interface Layer {
  readonly inputNorm: RmsNorm;
  readonly qkv: Product;
  readonly attention: LayerAttention;
  readonly output: Product;
  readonly mlpNorm: RmsNorm;
  readonly gateUp: Product;
  readonly down: Product;
  readonly adapter: Readonly<Partial<Record<Projection, AdapterProducts>>>;
}

const PRODUCT_OF = { qkv: "qkv", output: "output", gate_up: "gateUp", down: "down" } as const;

/**
 * The transformer as a fixed list of dispatches over a session's buffers. Decode takes six per layer: q, k, v with norm,
 * bias, RoPE and cache write; attention over splits; their merge; output with residual; gate and up with norm and
 * SiLU; down with residual.
 */
export class Forward {
  readonly attention: AttentionPlan;
  readonly #embedding: Embedding;
  readonly #layers: readonly Layer[];
  readonly #finalNorm: RmsNorm;
  readonly #head: Product;

  private constructor(
    attention: AttentionPlan,
    embedding: Embedding,
    layers: readonly Layer[],
    finalNorm: RmsNorm,
    head: Product,
  ) {
    this.attention = attention;
    this.#embedding = embedding;
    this.#layers = layers;
    this.#finalNorm = finalNorm;
    this.#head = head;
  }

  /** @param adapter runs beside the frozen products where there is one */
  static async create(
    context: GpuContext,
    scope: BufferScope,
    spec: ModelSpec,
    weights: ModelWeights,
    buffers: SessionBuffers,
    sizes: SessionSizes,
    adapter?: SessionAdapter,
  ): Promise<Forward> {
    const { headDim, heads, kvHeads, hiddenSize, rmsNormEps: eps } = spec;
    const shape = { headDim, heads, kvHeads, kv: sizes.kv };
    const attention = await AttentionPlan.create(context, scope, shape, sizes.maxSequences);
    const { hidden, normed, step, rows, lastToken } = buffers;
    const { few, many } = shapes(buffers, sizes, hidden, normed, [buffers.logits], true);
    // All at once, because drivers compile kernels side by side.
    const [embedding, layers, finalNorm, head] = await Promise.all([
      Embedding.create(context, scope, weights.embedding, { step, rows, lastToken, x: hidden }),
      Promise.all(
        weights.layers.map((layer, i) => makeLayer(context, scope, spec, layer, buffers, sizes, attention, i, adapter)),
      ),
      RmsNorm.create(context, scope, hiddenSize, eps, hidden, weights.finalNorm, normed),
      Product.create(context, scope, {
        name: "head",
        matrix: weights.head,
        epilogue: "store",
        bias: false,
        kv: sizes.kv,
        aux: weights.finalNorm,
        sizes: (chunk) => ({ yStride: logitStride(spec), yColumn: chunk.start, pair: 2, eps }),
        few,
        // Prefill needs no logits, so that only large batches come to the head in this shape.
        ...(sizes.maxSequences > FEW_ROWS ? { many } : {}),
      }),
    ]);
    return new Forward(attention, embedding, layers, finalNorm, head);
  }

  /** Prompt rows through all layers: fills the cache, leaves the last layer's output in `hidden`. */
  encodePrefill(batch: CommandBatch, rows: number, tiles: number): void {
    this.#embedding.encode(batch, rows);
    for (const layer of this.#layers) {
      layer.inputNorm.encode(batch, rows);
      encode(layer, "qkv", batch, rows, false);
      layer.attention.encodePrefill(batch, tiles);
      encode(layer, "output", batch, rows, false);
      layer.mlpNorm.encode(batch, rows);
      encode(layer, "gate_up", batch, rows, false);
      encode(layer, "down", batch, rows, false);
    }
  }

  /** One token of each sequence through all layers; row i of the step is sequence i. */
  encodeDecode(batch: CommandBatch, rows: number, longest: number): void {
    this.#embedding.encode(batch, rows);
    const few = rows <= FEW_ROWS;
    for (const layer of this.#layers) {
      if (!few) layer.inputNorm.encode(batch, rows);
      encode(layer, "qkv", batch, rows, few);
      layer.attention.encodeDecode(batch, rows, longest);
      encode(layer, "output", batch, rows, few);
      if (!few) layer.mlpNorm.encode(batch, rows);
      encode(layer, "gate_up", batch, rows, few);
      encode(layer, "down", batch, rows, few);
    }
  }

  /** Logits of the first `rows` rows of `hidden`. */
  encodeHead(batch: CommandBatch, rows: number): void {
    const few = rows <= FEW_ROWS;
    if (!few) this.#finalNorm.encode(batch, rows);
    encodeProduct(this.#head, batch, rows, few);
  }
}

/** A projection with its adapter, whose part the frozen product adds in, or which adds it to the result. */
function encode(layer: Layer, projection: Projection, batch: CommandBatch, rows: number, few: boolean): void {
  layer.adapter[projection]?.encode(batch, rows, few);
  encodeProduct(layer[PRODUCT_OF[projection]], batch, rows, few);
}

function encodeProduct(product: Product, batch: CommandBatch, rows: number, few: boolean): void {
  if (few) product.encodeFew(batch, rows);
  else product.encodeMany(batch, rows);
}

async function makeLayer(
  context: GpuContext,
  scope: BufferScope,
  spec: ModelSpec,
  weights: LayerWeights,
  buffers: SessionBuffers,
  sizes: SessionSizes,
  attention: AttentionPlan,
  index: number,
  adapter: SessionAdapter | undefined,
): Promise<Layer> {
  const { headDim, heads, kvHeads, hiddenSize, intermediateSize, rmsNormEps: eps } = spec;
  const { hidden, normed, q, rope, rows } = buffers;
  const kv = buffers.kv[index];
  if (!kv) throw new RangeError(`no cache for layer ${index}`);
  const width = roundUp(hiddenSize, ACTIVATION_PAD);
  const common = { bias: false, kv: sizes.kv } as const;
  const residual = (name: string, matrix: WeightMatrix) => ({
    ...common,
    name: `${index}.${name}`,
    matrix,
    epilogue: "residual" as const,
    sizes: ({ start }: ProductChunk) => ({ yStride: width, yColumn: start, pair: 2 }),
  });
  const [qkvPart, gateUpPart] = [
    adapter?.partOf(index, "qkv") ?? NO_PART,
    adapter?.partOf(index, "gate_up") ?? NO_PART,
  ];
  const reads = (x: GPUBuffer) => shapes(buffers, sizes, x, x, [], false);
  const adapters = async (): Promise<Layer["adapter"]> => {
    if (!adapter) return {};
    const normedBy = (aux: GPUBuffer) => ({ ...shapes(buffers, sizes, hidden, normed, [], true), aux });
    const [forQkv, forOutput, forGateUp, forDown] = await Promise.all([
      adapter.products(index, "qkv", normedBy(weights.attentionAux)),
      adapter.products(index, "output", reads(buffers.attention)),
      adapter.products(index, "gate_up", normedBy(weights.mlpNorm)),
      adapter.products(index, "down", reads(buffers.inner)),
    ]);
    return { qkv: forQkv, output: forOutput, gate_up: forGateUp, down: forDown };
  };
  const [inputNorm, qkv, output, mlpNorm, gateUp, down, adapterProducts] = await Promise.all([
    RmsNorm.create(context, scope, hiddenSize, eps, hidden, weights.attentionAux, normed),
    Product.create(context, scope, {
      ...common,
      name: `${index}.qkv`,
      matrix: weights.qkv,
      epilogue: "qkv",
      ...qkvPart.product,
      bias: spec.qkvBias,
      aux: weights.attentionAux,
      sizes: (chunk) => ({
        yStride: heads * headDim,
        yColumn: chunk.start,
        pair: headDim,
        eps,
        biasAt: width,
        qColumns: heads * headDim,
        kvColumns: kvHeads * headDim,
        ...qkvPart.sizes,
      }),
      ...shapes(buffers, sizes, hidden, normed, [q, kv, rows, rope], true),
    }),
    Product.create(context, scope, {
      ...residual("output", weights.output),
      ...shapes(buffers, sizes, buffers.attention, buffers.attention, [hidden], false),
    }),
    RmsNorm.create(context, scope, hiddenSize, eps, hidden, weights.mlpNorm, normed),
    Product.create(context, scope, {
      ...common,
      name: `${index}.gate_up`,
      matrix: weights.gateUp,
      epilogue: "silu",
      ...gateUpPart.product,
      aux: weights.mlpNorm,
      sizes: (chunk) => ({
        yStride: roundUp(intermediateSize, ACTIVATION_PAD),
        yColumn: chunk.start,
        pair: 2 * chunk.count,
        eps,
        ...gateUpPart.sizes,
      }),
      ...shapes(buffers, sizes, hidden, normed, [buffers.inner, ...gateUpPart.outputs], true),
    }),
    Product.create(context, scope, {
      ...residual("down", weights.down),
      ...shapes(buffers, sizes, buffers.inner, buffers.inner, [hidden], false),
    }),
    adapters(),
  ]);
  const { seqs, tiles, attention: out } = buffers;
  const layerAttention = attention.layer(context, { q, kv, seqs, tiles, out });
  return { inputNorm, qkv, attention: layerAttention, output, mlpNorm, gateUp, down, adapter: adapterProducts };
}

const NO_PART: ReturnType<SessionAdapter["partOf"]> = { product: {}, sizes: {}, outputs: [] };

/** Both shapes of a product: few rows normalise x themselves, many rows read it normalised. */
function shapes(
  buffers: SessionBuffers,
  sizes: SessionSizes,
  few: GPUBuffer,
  many: GPUBuffer,
  outputs: readonly GPUBuffer[],
  norm: boolean,
) {
  return {
    few: { step: buffers.step, x: few, outputs, norm, maxRows: Math.min(sizes.maxSequences, FEW_ROWS) },
    many: { step: buffers.step, x: many, outputs },
  };
}
