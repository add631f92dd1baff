import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { EmbeddingGradient } from "../../kernels/embedding/gradient.ts";
import { Embedding } from "../../kernels/embedding/embedding.ts";
import type { ModelSpec } from "../spec.ts";
import type { ModelWeights } from "../weights.ts";
import type { UploadedBatch } from "./batch.ts";
import type { GradientBuffers, TrainingBuffers, TrainingSizes } from "./buffers.ts";
import { TrainingHead } from "./head.ts";
import { TrainingLayer } from "./layer.ts";
import type { LoraParameters } from "./lora.ts";
import type { ParameterPool } from "./parameters.ts";
import { chunkName } from "./weight-parameters.ts";

export interface PlanDescription {
  readonly spec: ModelSpec;
  readonly weights: ModelWeights;
  /** Parameters with a gradient; an empty pool for a model that is only run forward. */
  readonly pool: ParameterPool;
  readonly lora?: LoraParameters;
  readonly sizes: TrainingSizes;
  readonly temperature: number;
}

/**
 * The whole model as a fixed list of dispatches over packed rows: forward to log-probabilities and entropies, and
 * backward from their gradients to those of all parameters in the pool. A mirrored, hand-written backward pass: the
 * model has one shape, so that a tape would only hide the order of the steps.
 */
export class TrainingPlan {
  readonly #embedding: Embedding;
  readonly #layers: readonly TrainingLayer[];
  readonly #head: TrainingHead;
  readonly #embeddingGradient: EmbeddingGradient | undefined;
  readonly #recompute: boolean;

  private constructor(
    embedding: Embedding,
    layers: readonly TrainingLayer[],
    head: TrainingHead,
    embeddingGradient: EmbeddingGradient | undefined,
    recompute: boolean,
  ) {
    this.#embedding = embedding;
    this.#layers = layers;
    this.#head = head;
    this.#embeddingGradient = embeddingGradient;
    this.#recompute = recompute;
  }

  static async create(
    context: GpuContext,
    scope: BufferScope,
    of: PlanDescription,
    buffers: TrainingBuffers,
    gradients?: GradientBuffers,
  ): Promise<TrainingPlan> {
    const { spec, weights, pool, lora, sizes, temperature } = of;
    const { maxTokens } = sizes;
    const [hidden] = buffers.hidden;
    if (!hidden) throw new RangeError("no hidden state");
    const shared = sizes.keepActivations ? undefined : lora?.adapters(scope, 0, maxTokens);
    const adapters = weights.layers.map((_, i) => {
      const own = lora?.adapters(scope, i, shared ? 0 : maxTokens) ?? {};
      return shared ? withDown(own, shared) : own;
    });
    const table = chunkName("embedding", 0);
    const [embedding, layers, head, embeddingGradient] = await Promise.all([
      Embedding.create(context, scope, weights.embedding, {
        step: buffers.step,
        rows: buffers.rows,
        lastToken: buffers.lastToken,
        x: hidden,
      }),
      Promise.all(
        weights.layers.map((layer, index) =>
          TrainingLayer.create(
            context,
            scope,
            { index, spec, weights: layer, pool, adapters: adapters[index] ?? {}, maxTokens },
            buffers,
            gradients,
          ),
        ),
      ),
      TrainingHead.create(context, scope, { spec, weights, pool, maxTokens, temperature }, buffers, gradients),
      gradients && pool.has(table)
        ? EmbeddingGradient.create(context, scope, spec.hiddenSize, {
            tokens: buffers.tokens,
            places: buffers.places,
            dX: gradients.dHidden,
            dTable: pool.gradient(table),
          })
        : undefined,
    ]);
    return new TrainingPlan(embedding, layers, head, embeddingGradient, !sizes.keepActivations);
  }

  encodeForward(batch: CommandBatch, { rows, tiles, lossRows }: UploadedBatch): void {
    this.#embedding.encode(batch, rows);
    for (const layer of this.#layers) layer.encodeForward(batch, rows, tiles);
    this.#head.encodeForward(batch, lossRows);
  }

  /** Adds to the pool's gradients. The batch must be the one of the last forward pass. */
  encodeBackward(batch: CommandBatch, { rows, tiles, lossRows, distinctTokens }: UploadedBatch): void {
    this.#head.encodeBackward(batch, lossRows);
    const last = this.#layers.length - 1;
    for (const [i, layer] of [...this.#layers.entries()].toReversed()) {
      // The last layer's activations are still those of the forward pass.
      if (this.#recompute && i < last) layer.encodeForward(batch, rows, tiles);
      layer.encodeBackward(batch, rows, tiles);
    }
    this.#embeddingGradient?.encode(batch, distinctTokens);
  }
}

type Adapters = ReturnType<LoraParameters["adapters"]>;

/** A layer's adapters with another's scratch: where activations are recomputed, all layers share it. */
function withDown(own: Adapters, shared: Adapters): Adapters {
  const out: Adapters = {};
  for (const projection of ["qkv", "output", "gate_up", "down"] as const) {
    const list = own[projection];
    if (list) {
      out[projection] = list.map((adapter, i) => ({
        ...adapter,
        down: shared[projection]?.[i]?.down ?? adapter.down,
      }));
    }
  }
  return out;
}
