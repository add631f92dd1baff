import type { TrainableModel } from "../../model/training/trainable-model.ts";
import type { GrpoConfig } from "../config/grpo-config.ts";
import { grpoLoss } from "../grpo/loss.ts";
import type { GrpoLossResult } from "../grpo/loss.ts";
import { maskTruncated } from "../grpo/masks.ts";
import { inPackOrder, inSequenceOrder, packScored } from "./packs.ts";
import type { ScoredPacks } from "./packs.ts";
import type { Rollout } from "./rollout.ts";
import { optimizerStep } from "./setup.ts";

interface StepScores {
  readonly logps: Float32Array<ArrayBuffer>;
  readonly entropies: Float32Array<ArrayBuffer>;
}

/** What one step's updates amounted to; values per token are in the completions' order, one after another. */
export interface GrpoUpdateResult {
  /** The last iteration's. */
  readonly loss: GrpoLossResult;
  /** Under the policy that sampled, by the training kernels, and their entropies. */
  readonly old: StepScores;
  /** Under the policy as it was before the last update. */
  readonly logps: Float32Array<ArrayBuffer>;
  readonly refLogps: Float32Array<ArrayBuffer> | undefined;
  readonly mask: Uint8Array;
  readonly gradNorm: number;
  readonly learningRate: number;
  /** Updates left out because a gradient was not finite. */
  readonly skipped: number;
  readonly packing_efficiency: number;
}

/** The update half of a GRPO step: `num_iterations` times forward, loss, backward and AdamW on one batch of rollouts. */
export class GrpoUpdate {
  readonly #trainable: TrainableModel;
  readonly #config: GrpoConfig;
  readonly #rollouts: readonly Rollout[];
  readonly #packed: ScoredPacks;

  private constructor(trainable: TrainableModel, config: GrpoConfig, rollouts: readonly Rollout[]) {
    this.#trainable = trainable;
    this.#config = config;
    this.#rollouts = rollouts;
    const sequences = rollouts.map(({ promptIds, ids }) => ({
      ids: [...promptIds, ...ids],
      promptLength: promptIds.length,
    }));
    this.#packed = packScored(sequences, config.max_tokens_per_pack);
  }

  /**
   * @param advantages one per rollout
   * @param step steps done before this one
   */
  static async run(
    trainable: TrainableModel,
    config: GrpoConfig,
    rollouts: readonly Rollout[],
    advantages: readonly number[],
    step: number,
  ): Promise<GrpoUpdateResult> {
    const update = new GrpoUpdate(trainable, config, rollouts);
    const refLogps = config.beta === 0 ? undefined : (await update.#scores(true)).logps;
    const lengths = rollouts.map(({ ids }) => ids.length);
    const mask = update.#mask(lengths);
    const optimizer = optimizerStep(config, step);
    let skipped = 0;
    let old: StepScores | undefined;
    for (let iteration = 1; ; iteration++) {
      const scores = await update.#scores(false);
      old ??= scores;
      const loss = grpoLoss(
        {
          lengths,
          logps: scores.logps,
          entropies: scores.entropies,
          mask,
          advantages,
          samplingLogps: samplingLogps(rollouts),
          // The first iteration's ratio is 1 by definition, not by rounding.
          ...(iteration > 1 ? { oldLogps: old.logps } : {}),
          ...(refLogps ? { refLogps } : {}),
        },
        config,
      );
      await update.#backward(loss);
      const outcome = await trainable.step(optimizer);
      if (outcome.skipped) skipped++;
      if (iteration < config.num_iterations) continue;
      return {
        loss,
        old,
        logps: scores.logps,
        refLogps,
        mask,
        gradNorm: outcome.gradNorm,
        learningRate: optimizer.learningRate,
        skipped,
        packing_efficiency: update.#packed.packing_efficiency,
      };
    }
  }

  #mask(lengths: readonly number[]): Uint8Array {
    const mask = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0)).fill(1);
    if (!this.#config.mask_truncated_completions) return mask;
    return maskTruncated(
      mask,
      lengths,
      this.#rollouts.map(({ finished }) => !finished),
    );
  }

  async #scores(reference: boolean): Promise<StepScores> {
    const logps: Float32Array[] = [];
    const entropies: Float32Array[] = [];
    for (const { batch } of this.#packed.packs) {
      const scores = await (reference ? this.#trainable.referenceForward(batch) : this.#trainable.forward(batch));
      logps.push(scores.logps);
      entropies.push(scores.entropies);
    }
    const count = this.#rollouts.length;
    return {
      logps: inSequenceOrder(this.#packed, logps, count).values,
      entropies: inSequenceOrder(this.#packed, entropies, count).values,
    };
  }

  /** The loss needs every token's probability first, so that all packs but the last one go forward twice. */
  async #backward({ gradLogps, gradEntropies }: GrpoLossResult): Promise<void> {
    const { packs } = this.#packed;
    const { offsets } = inSequenceOrder(this.#packed, [], this.#rollouts.length);
    for (const [i, pack] of [...packs.entries()].toReversed()) {
      if (i < packs.length - 1) await this.#trainable.forward(pack.batch);
      this.#trainable.backward(
        inPackOrder(pack, gradLogps, offsets),
        gradEntropies && inPackOrder(pack, gradEntropies, offsets),
      );
    }
  }
}

/** The sampler's own log-probabilities, in the completions' order. */
export function samplingLogps(rollouts: readonly Rollout[]): Float32Array<ArrayBuffer> {
  return Float32Array.from(rollouts.flatMap((rollout) => rollout.samplingLogps));
}
