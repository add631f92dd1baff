import { formatsOf } from "../../kernels/weights/matrix.ts";
import { TrainableModel } from "../../model/training/trainable-model.ts";
import { packScored } from "../../train/run/packs.ts";
import { initialiseAdapters, trainingSizes } from "../../train/run/setup.ts";
import type { LoadedPath } from "../engine.ts";

const WARM_UP = 1;
const STEPS = 3;
/** Of the adapter that is measured where the weights themselves are not f32. */
const LORA = {
  r: 16,
  lora_alpha: 32,
  target_modules: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
};

export interface TrainBench {
  /** Tokens per second of one packed update: forward, loss, backward, AdamW. */
  readonly train_tps: number;
  readonly train_mode: "full" | "lora";
  readonly train_tokens: number;
  readonly submits_per_update: number;
  readonly dispatches_per_update: number;
}

/** Measures updates on `sequences` sequences of `prompt` + `completion` tokens, packed as GRPO packs its rollouts. */
export async function benchTrain(
  { model, context }: LoadedPath,
  sequences: number,
  prompt: number,
  completion: number,
): Promise<TrainBench> {
  const length = prompt + completion;
  const { spec, weights } = model;
  const full =
    formatsOf(weights.embedding).join() === "f32" && weights.layers.every(({ qkv }) => qkv.chunks.length === 1);
  const trainable = await TrainableModel.create(model, {
    sizes: { ...trainingSizes(spec, sequences * length, null), maxLength: length },
    ...(full ? {} : { lora: LORA }),
  });
  try {
    if (!full) initialiseAdapters(trainable, 0);
    const { packs, tokens } = packScored(
      Array.from({ length: sequences }, (_, s) => ({
        ids: Array.from({ length }, (__, i) => (i * 7919 + s * 104_729) % spec.vocabSize),
        promptLength: prompt,
      })),
      sequences * length,
    );
    const update = async (): Promise<void> => {
      for (const { batch } of packs) {
        const { logps } = await trainable.forward(batch);
        trainable.backward(new Float32Array(logps.length).fill(-1 / tokens));
      }
      // A rate of 0 leaves the model as it was.
      await trainable.step({ learningRate: 0, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, maxGradNorm: 1 });
    };
    for (let i = 0; i < WARM_UP; i++) await update();
    const before = { ...context.counters };
    const start = performance.now();
    for (let i = 0; i < STEPS; i++) await update();
    const seconds = (performance.now() - start) / 1000;
    return {
      train_tps: (STEPS * sequences * length) / seconds,
      train_mode: full ? "full" : "lora",
      train_tokens: sequences * length,
      submits_per_update: (context.counters.submits - before.submits) / STEPS,
      dispatches_per_update: (context.counters.dispatches - before.dispatches) / STEPS,
    };
  } finally {
    trainable.dispose();
  }
}
