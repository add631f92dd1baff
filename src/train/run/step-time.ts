import { GEMM_TILE } from "../../kernels/gemm/source.ts";
import { roundUp } from "../../kernels/weights/format.ts";
import { parameterCount } from "../../model/spec.ts";
import type { ModelSpec } from "../../model/spec.ts";
import { vocabularyChunk } from "../../model/training/buffers.ts";
import { adapterTargets } from "../../model/training/lora.ts";
import type { DeviceSpeed } from "../../model/training/speed.ts";
import type { GrpoConfig } from "../config/grpo-config.ts";
import { Rng } from "../rng.ts";
import { promptOf } from "../tasks/task.ts";
import { parseTask } from "../tasks/tasks.ts";
import { grpoSizes } from "./grpo-plan.ts";

/** Characters that a token of a large vocabulary holds, on tasks' short words and numbers. */
const CHARACTERS_PER_TOKEN = 3;
const SMALL_VOCABULARY = 1000;

/** Of a layer in a decode step; of a layer in a pass forward or back; of embedding, head and sampler or loss. */
const DECODE_DISPATCHES = 6;
const LAYER_DISPATCHES = 10;
const HEAD_DISPATCHES = 4;

/**
 * Seconds that one step takes where every completion is as long as it may be, nothing counts but products and the cost of
 * each dispatch, and nothing else uses the device.
 * @param speed of this device, as measured
 */
export function secondsPerStep(config: GrpoConfig, spec: ModelSpec, speed: DeviceSpeed): number {
  const { training } = grpoSizes(config, spec);
  const groups = config.per_step_prompts;
  const sequences = groups * config.num_generations;
  const head = spec.vocabSize * spec.hiddenSize;
  const layers = parameterCount(spec) - head * (spec.tiedEmbeddings ? 1 : 2);
  const prompts = promptTokens(config, spec);
  const completed = sequences * config.max_completion_length;
  const tokens = sequences * prompts + completed;
  // Forward once to score and once for the gradients of activations; those of weights, unless they are frozen, and what is run again.
  const iterations = config.num_iterations;
  const reference = config.beta === 0 ? 0 : 1;
  const layerPasses = reference + iterations * (2 + (config.lora ? 0 : 1) + (training.keepActivations ? 0 : 1));
  // Logits of several chunks are not kept for the backward pass.
  const chunked = vocabularyChunk(spec, training.maxTokens) < spec.vocabSize ? 1 : 0;
  const headPasses = reference + iterations * (2 + (config.lora ? 0 : 1) + chunked);
  const packs = Math.ceil(tokens / training.maxTokens);
  const rows = (count: number): number => packs * roundUp(count / packs, GEMM_TILE);
  const flops =
    2 * (layerPasses * rows(tokens) * layers + headPasses * rows(completed) * head) +
    2 * roundUp(groups * prompts, GEMM_TILE) * layers;
  const decodeSteps = config.max_completion_length * Math.ceil(sequences / speed.rows);
  const adapted = config.lora ? adapterTargets(spec, config.lora).length : 0;
  const dispatches =
    config.max_completion_length * (spec.layers * (DECODE_DISPATCHES + 2 * adapted) + HEAD_DISPATCHES) +
    packs * layerPasses * (spec.layers * (LAYER_DISPATCHES + 2 * adapted) + HEAD_DISPATCHES);
  return flops / speed.manyRows + decodeSteps * speed.decodePerWeight * (layers + head) + dispatches * speed.dispatch;
}

/** Tokens of a prompt of the task, from its length in characters. */
function promptTokens(
  { task, level, max_prompt_length, task_instructions }: GrpoConfig,
  { vocabSize }: ModelSpec,
): number {
  if (task === null) return max_prompt_length;
  const found = parseTask(task);
  const problem = found.sample(new Rng(0), "train", level ?? found.defaultLevel);
  const tokens =
    promptOf(found, problem, task_instructions).length / (vocabSize < SMALL_VOCABULARY ? 1 : CHARACTERS_PER_TOKEN);
  return Math.min(max_prompt_length, Math.ceil(tokens) + 8);
}
