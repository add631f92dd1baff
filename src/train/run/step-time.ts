import { parameterCount } from "../../model/spec.ts";
import type { ModelSpec } from "../../model/spec.ts";
import type { DeviceSpeed } from "../../model/training/speed.ts";
import type { GrpoConfig } from "../config/grpo-config.ts";
import { Rng } from "../rng.ts";
import { parseTask } from "../tasks/tasks.ts";
import { grpoSizes } from "./grpo-plan.ts";

/** Characters that a token of a large vocabulary holds, on tasks' short words and numbers. */
const CHARACTERS_PER_TOKEN = 3;
const SMALL_VOCABULARY = 1000;

/**
 * Seconds that one step takes at most: every completion as long as it may become, and nothing but products counted.
 * @param speed of this device, as measured
 */
export function secondsPerStep(config: GrpoConfig, spec: ModelSpec, speed: DeviceSpeed): number {
  const { training } = grpoSizes(config, spec);
  const prompt = promptTokens(config, spec);
  const groups = config.per_step_prompts;
  const sequences = groups * config.num_generations;
  const layers = parameterCount(spec) - spec.vocabSize * spec.hiddenSize * (spec.tiedEmbeddings ? 1 : 2);
  const head = spec.vocabSize * spec.hiddenSize;
  const forward = (tokens: number, scored: number): number => 2 * (tokens * layers + scored * head);
  const completed = sequences * config.max_completion_length;
  const once = forward(sequences * prompt + completed, completed);
  // Scores before the loss, then the gradients of activations, those of weights unless they are frozen, and what is run again.
  const passes =
    (config.beta === 0 ? 0 : 1) +
    config.num_iterations * (2 + (config.lora ? 0 : 1) + (training.keepActivations ? 0 : 1));
  const flops = passes * once + forward(groups * prompt, 0);
  const decodeSteps = config.max_completion_length * Math.ceil(sequences / speed.rows);
  return flops / speed.manyRows + decodeSteps * speed.decodePerWeight * (layers + head);
}

/** Tokens of a prompt of the task, from its length in characters. */
function promptTokens({ task, level, max_prompt_length }: GrpoConfig, { vocabSize }: ModelSpec): number {
  if (task === null) return max_prompt_length;
  const found = parseTask(task);
  const { prompt } = found.sample(new Rng(0), "train", level ?? found.defaultLevel);
  const tokens = prompt.length / (vocabSize < SMALL_VOCABULARY ? 1 : CHARACTERS_PER_TOKEN);
  return Math.min(max_prompt_length, Math.ceil(tokens) + 8);
}
