import type { ModelFolder } from "../../checkpoint/source.ts";
import { R1Error, throwIfAborted } from "../../errors.ts";
import { loadModel } from "../../model/load.ts";
import type { WeightFormat } from "../../kernels/weights/format.ts";
import type { LanguageModelWeights } from "../../model/load.ts";
import type { ModelSpec } from "../../model/spec.ts";
import { loadTextAssets, requireTokenizer } from "../../model/text-assets.ts";
import { gateUpColumns, qkvWidth } from "../../model/training/buffers.ts";
import type { TrainingSizes } from "../../model/training/buffers.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { LoraConfig } from "../config/shared.ts";
import { Rng } from "../rng.ts";
import type { TrainableModel } from "../../model/training/trainable-model.ts";
import { learningRateAt } from "../schedule.ts";
import type { ScheduleOptions } from "../schedule.ts";
import { PURPOSE } from "./environment.ts";
import type { RunControl, RunEnvironment } from "./environment.ts";
import { keptFiles } from "./model-files.ts";
import type { FileMap } from "./model-files.ts";
import { readStartingModel } from "./starting-model.ts";
import { createPromptWriter } from "./prompts.ts";
import type { PromptWriter } from "./prompts.ts";

/** A model and its text, ready to be trained. */
export interface OpenedModel {
  readonly model: LanguageModelWeights;
  readonly tokenizer: Tokenizer;
  readonly prompts: PromptWriter;
  /** Files that a trained model takes over. */
  readonly kept: FileMap;
}

/**
 * @param weights format of the weights under an adapter; null for as they are in the file
 * @throws R1Error E_QUANTIZED for quantized weights without an adapter, and for every way a folder can be wrong; nothing
 *   stays allocated then
 */
export async function openModel(
  { context, templateHost }: RunEnvironment,
  folder: ModelFolder,
  lora: LoraConfig | null,
  weights: WeightFormat | null,
): Promise<OpenedModel> {
  const assets = await loadTextAssets(folder);
  const tokenizer = requireTokenizer(assets, folder);
  const prompts = await createPromptWriter(assets, tokenizer, templateHost);
  const kept = await keptFiles(folder);
  if (!lora && (await readStartingModel(folder)).isQuantized) {
    throw new R1Error(
      "E_QUANTIZED",
      `${folder.name}: its weights are quantized, and rounded weights cannot take small updates; train a LoRA adapter over them (lora)`,
      { folder: folder.name },
    );
  }
  // Full fine-tuning needs f32 weights.
  const format = lora ? weights : "f32";
  const model = await loadModel(context, folder, format === null ? {} : { format });
  if (tokenizer.vocabSize > model.spec.vocabSize) {
    model.dispose();
    throw new R1Error(
      "E_CONFIG",
      `the tokenizer has ${tokenizer.vocabSize} tokens, the model's embedding ${model.spec.vocabSize}`,
    );
  }
  return { model, tokenizer, prompts, kept };
}

/** Activations are kept where they take no more than this. */
const KEPT_BYTES = 1024 * 2 ** 20;

/** @param recompute layers in the backward pass; null to decide by what their activations would take */
export function trainingSizes(spec: ModelSpec, maxTokens: number, recompute: boolean | null): TrainingSizes {
  const perLayer =
    3 * spec.hiddenSize +
    qkvWidth(spec) +
    spec.heads * (spec.headDim + 1) +
    2 * gateUpColumns(spec) +
    spec.intermediateSize;
  return {
    maxTokens,
    maxLength: Math.min(spec.maxPositions, maxTokens),
    keepActivations: !(recompute ?? perLayer * spec.layers * maxTokens * 4 > KEPT_BYTES),
  };
}

interface OptimizerConfig extends ScheduleOptions {
  readonly adam_beta1: number;
  readonly adam_beta2: number;
  readonly adam_epsilon: number;
  readonly weight_decay: number;
  readonly max_grad_norm: number;
}

/** @param step updates done before this one */
export function optimizerStep(config: OptimizerConfig, step: number): Parameters<TrainableModel["step"]>[0] {
  return {
    learningRate: learningRateAt(step, config),
    beta1: config.adam_beta1,
    beta2: config.adam_beta2,
    epsilon: config.adam_epsilon,
    weightDecay: config.weight_decay,
    maxGradNorm: config.max_grad_norm,
  };
}

/** Fresh adapters, as PEFT makes them: A uniform in ±1/√K (Kaiming with a = √5), B zero, so that nothing changes yet. */
export function initialiseAdapters(trainable: TrainableModel, seed: number): void {
  const tensors = new Map<string, Float32Array>();
  let index = 0;
  for (const { tensors: own } of trainable.pool.entries) {
    for (const { name, rows, k } of own) {
      const rng = new Rng(seed, PURPOSE.adapter, index++);
      const bound = name.includes("lora_A") ? 1 / Math.sqrt(k) : 0;
      tensors.set(
        name,
        Float32Array.from({ length: rows * k }, () => (2 * rng.uniform() - 1) * bound),
      );
    }
  }
  trainable.pool.write(tensors);
}

/** Whether a run was told to stop. */
export function stopped({ signal }: RunControl): boolean {
  return signal?.aborted ?? false;
}

/** @throws R1Error E_FILE_MISSING when there is nothing to resume */
export async function checkpointToResume({ checkpoints }: RunEnvironment, control: RunControl): Promise<ModelFolder> {
  throwIfAborted(control.signal);
  const folder = await checkpoints.open();
  if (!folder) {
    throw new R1Error("E_FILE_MISSING", "there is no checkpoint to resume from; start the run without resuming", {
      file: "trainer_state.json",
    });
  }
  return folder;
}
