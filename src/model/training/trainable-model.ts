import { R1Error } from "../../errors.ts";
import type { BufferScope } from "../../gpu/arena.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { Readback } from "../../gpu/readback.ts";
import { AdamW } from "../../kernels/adamw/adamw.ts";
import type { AdamWStep } from "../../kernels/adamw/adamw.ts";
import { CROSS_ENTROPY_STATE_BYTES, decodeCrossEntropy } from "../../kernels/cross-entropy/cross-entropy.ts";
import type { LanguageModelWeights } from "../load.ts";
import type { ModelAdapter } from "../session-adapter.ts";
import type { ModelSpec } from "../spec.ts";
import { uploadBatch } from "./batch.ts";
import type { PackedBatch, UploadedBatch } from "./batch.ts";
import { allocateGradients, allocateTraining } from "./buffers.ts";
import type { GradientBuffers, TrainingBuffers, TrainingSizes } from "./buffers.ts";
import { loraLayout, loraParameters } from "./lora.ts";
import type { LoraOptions } from "./lora.ts";
import { ParameterPool } from "./parameters.ts";
import { TrainingPlan } from "./plan.ts";
import { weightParameters } from "./weight-parameters.ts";

export interface TrainableOptions {
  readonly sizes: TrainingSizes;
  /** Logits are divided by it before log-probabilities and entropies are taken; 1 if left out. */
  readonly temperature?: number;
  /** Train an adapter over frozen weights; left out, all weights are trained. */
  readonly lora?: LoraOptions;
  /**
   * The reference policy: a frozen copy of its own or, with `lora`, `"adapter-off"`. Left out, there is none.
   */
  readonly reference?: LanguageModelWeights | "adapter-off";
}

/** Log-probability of each target and entropy at each scored row, in nats, in the batch's order. */
export interface Scores {
  readonly logps: Float32Array<ArrayBuffer>;
  readonly entropies: Float32Array<ArrayBuffer>;
}

export interface StepOutcome {
  /** Global norm of the gradients before clipping. */
  readonly gradNorm: number;
  /** The gradient held a NaN or an infinity: nothing was changed. */
  readonly skipped: boolean;
}

/**
 * A model with gradients: scores packed batches, takes ∂loss/∂logp back to its parameters, and updates them. The
 * updated weights are the loaded model's own, so that its sessions sample from the new policy at once; with LoRA so do
 * sessions that are given {@link TrainableModel.adapter}.
 */
export class TrainableModel {
  readonly spec: ModelSpec;
  readonly sizes: TrainingSizes;
  readonly pool: ParameterPool;
  /** With LoRA: the adapter that is trained, for sessions to sample with. */
  readonly adapter: ModelAdapter | undefined;
  /** Optimizer steps applied so far; skipped ones do not count. */
  appliedSteps = 0;
  readonly #context: GpuContext;
  readonly #scope: BufferScope;
  readonly #buffers: TrainingBuffers;
  readonly #gradients: GradientBuffers;
  readonly #policy: TrainingPlan;
  readonly #reference: TrainingPlan | undefined;
  readonly #optimizer: AdamW;
  readonly #readback: Readback;
  readonly #referencePool: ParameterPool | undefined;
  #forwarded: UploadedBatch | undefined;
  #cleared = false;

  private constructor(
    context: GpuContext,
    scope: BufferScope,
    spec: ModelSpec,
    sizes: TrainingSizes,
    parts: {
      readonly pool: ParameterPool;
      readonly buffers: TrainingBuffers;
      readonly gradients: GradientBuffers;
      readonly policy: TrainingPlan;
      readonly reference: TrainingPlan | undefined;
      readonly referencePool: ParameterPool | undefined;
      readonly lora: LoraOptions | undefined;
      readonly optimizer: AdamW;
    },
  ) {
    this.#context = context;
    this.#scope = scope;
    this.spec = spec;
    this.sizes = sizes;
    const { pool, lora } = parts;
    this.pool = pool;
    this.adapter = lora && { layout: loraLayout(spec, lora), value: (name) => pool.value(name) };
    this.#buffers = parts.buffers;
    this.#gradients = parts.gradients;
    this.#policy = parts.policy;
    this.#reference = parts.reference;
    this.#referencePool = parts.referencePool;
    this.#optimizer = parts.optimizer;
    this.#readback = new Readback(context, scope, sizes.maxTokens * CROSS_ENTROPY_STATE_BYTES, 1);
  }

  /**
   * @throws R1Error E_CONFIG for weights that cannot be trained as they are, E_OPTION for an impossible adapter,
   *   E_LIMIT, E_OUT_OF_MEMORY; nothing stays allocated then
   */
  static async create(model: LanguageModelWeights, options: TrainableOptions): Promise<TrainableModel> {
    const { context, spec, weights } = model;
    const { sizes, temperature = 1, reference } = options;
    const lora = options.lora && loraParameters(spec, options.lora);
    if (reference === "adapter-off" && !lora) {
      throw new R1Error("E_OPTION", "a reference policy by switching the adapter off needs lora");
    }
    const scope = context.arena.scope("training");
    try {
      return await context.guarded("setting up training", async () => {
        const pool = new ParameterPool(context, scope, lora ? lora.entries : weightParameters(spec, weights));
        const buffers = allocateTraining(context, scope, spec, sizes);
        const gradients = allocateGradients(context, scope, spec, sizes);
        const common = { spec, sizes, temperature };
        const [policy, frozen, optimizer] = await Promise.all([
          TrainingPlan.create(
            context,
            scope,
            { ...common, weights, pool, ...(lora ? { lora } : {}) },
            buffers,
            gradients,
          ),
          reference
            ? TrainingPlan.create(
                context,
                scope,
                {
                  ...common,
                  weights: reference === "adapter-off" ? weights : reference.weights,
                  pool: new ParameterPool(context, scope, [], "values"),
                },
                buffers,
              )
            : undefined,
          AdamW.create(context, scope, {
            parameters: pool.values,
            gradients: pool.gradients,
            first: pool.first,
            second: pool.second,
          }),
        ]);
        // The reference policy's own pool is there for reading, writing and replacing its weights.
        const referencePool =
          reference && reference !== "adapter-off"
            ? new ParameterPool(context, scope, weightParameters(spec, reference.weights), "values")
            : undefined;
        const take = context.commands();
        pool.encodeTake(take);
        referencePool?.encodeTake(take);
        take.submit();
        return new TrainableModel(context, scope, spec, sizes, {
          pool,
          buffers,
          gradients,
          policy,
          reference: frozen,
          referencePool,
          lora: options.lora,
          optimizer,
        });
      });
    } catch (error) {
      scope.dispose();
      throw error;
    }
  }

  /**
   * Scores a batch under the current policy and keeps what {@link backward} needs.
   * @throws R1Error E_LIMIT, E_PROMPT_TOO_LONG, E_TOKEN_RANGE, E_DEVICE_LOST
   */
  forward(batch: PackedBatch): Promise<Scores> {
    return this.#score(this.#policy, batch);
  }

  /** Scores a batch under the reference policy; the policy must be scored again before a backward pass. */
  async referenceForward(batch: PackedBatch): Promise<Scores> {
    if (!this.#reference) throw new R1Error("E_INTERNAL", "no reference policy was set up");
    const scores = await this.#score(this.#reference, batch);
    this.#forwarded = undefined;
    return scores;
  }

  /**
   * Adds the gradients of the last forward pass's batch.
   * @param gradLogps ∂loss/∂logp of each scored row
   * @param gradEntropies ∂loss/∂entropy of each; zeros if left out
   */
  backward(gradLogps: ArrayLike<number>, gradEntropies?: ArrayLike<number>): void {
    const uploaded = this.#forwarded;
    if (!uploaded) throw new R1Error("E_INTERNAL", "a backward pass without a forward pass");
    const factors = new Float32Array(uploaded.lossRows * 2);
    for (let i = 0; i < uploaded.lossRows; i++) {
      factors[2 * i] = gradLogps[i] ?? 0;
      factors[2 * i + 1] = gradEntropies?.[i] ?? 0;
    }
    this.#context.write(this.#gradients.factors, factors);
    const commands = this.#context.commands();
    if (!this.#cleared) commands.clear(this.pool.gradients);
    this.#cleared = true;
    this.#policy.encodeBackward(commands, uploaded);
    commands.submit();
    // One chunk of the vocabulary leaves its gradient where the logits were.
    this.#forwarded = undefined;
  }

  /** Updates the parameters with the gradients added up since the last step, and forgets them. */
  async step(step: Omit<AdamWStep, "count">): Promise<StepOutcome> {
    const commands = this.#context.commands();
    this.#optimizer.encode(commands, { ...step, count: this.appliedSteps + 1 });
    this.pool.encodeGive(commands);
    const wait = this.#readback.enqueue(commands, this.#optimizer.norm, 8);
    commands.submit();
    this.#cleared = false;
    const [gradNorm = Number.NaN, factor = 0] = new Float32Array((await wait()).buffer);
    const skipped = factor === 0;
    if (!skipped) this.appliedSteps++;
    return { gradNorm, skipped };
  }

  /** Gives the pool's values to the model's weights, after they were written from outside. */
  publish(): void {
    this.#submitGive(this.pool);
  }

  /** Writes one of the pool's buffers whole, as {@link ParameterPool.readAll} read it. */
  writePool(buffer: GPUBuffer, bytes: Uint8Array<ArrayBuffer>): void {
    this.#context.write(buffer, bytes);
  }

  /** The reference policy has weights of its own, not the policy's without its adapter. */
  get hasReferenceWeights(): boolean {
    return this.#referencePool !== undefined;
  }

  /** The reference policy's weights by name, where it has its own. */
  async readReference(): Promise<Awaited<ReturnType<ParameterPool["read"]>> | undefined> {
    return this.#referencePool?.read(this.#referencePool.values);
  }

  /** Replaces the reference policy's weights. */
  writeReference(tensors: ReadonlyMap<string, Float32Array>): void {
    if (!this.#referencePool) throw new R1Error("E_INTERNAL", "the reference policy has no weights of its own");
    this.#referencePool.write(tensors);
    this.#submitGive(this.#referencePool);
  }

  /** Makes the current policy the reference policy (the paper replaces it every 400 steps). */
  syncReference(): void {
    const target = this.#referencePool;
    if (!target) throw new R1Error("E_INTERNAL", "the reference policy has no weights of its own");
    const commands = this.#context.commands();
    commands.copy(this.pool.values, 0, target.values, 0, target.bytes);
    target.encodeGive(commands);
    commands.submit();
  }

  #submitGive(pool: ParameterPool): void {
    const commands = this.#context.commands();
    pool.encodeGive(commands);
    commands.submit();
  }

  dispose(): void {
    this.#scope.dispose();
  }

  async #score(plan: TrainingPlan, batch: PackedBatch): Promise<Scores> {
    const uploaded = uploadBatch(this.#context, this.spec, this.sizes, this.#buffers, batch);
    const commands = this.#context.commands();
    plan.encodeForward(commands, uploaded);
    const bytes = uploaded.lossRows * CROSS_ENTROPY_STATE_BYTES;
    const wait = this.#readback.enqueue(commands, this.#buffers.state, bytes);
    commands.submit();
    this.#forwarded = uploaded;
    return decodeCrossEntropy(await wait(), uploaded.lossRows);
  }
}
