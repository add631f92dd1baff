import type { ModelSpec } from "../model/spec.ts";
import { loadTextAssets, requireTokenizer } from "../model/text-assets.ts";
import { createNodeTemplateHost } from "../text/node/node-template-host.ts";
import { createPromptWriter } from "../train/run/prompts.ts";
import { Sampler } from "../train/run/rollout.ts";
import type { SamplingSettings } from "../train/run/rollout.ts";
import type { Args } from "./args.ts";
import { loadFromArgs } from "./engine.ts";

const MAX_PROMPT_TOKENS = 512;

export interface TaskSampling {
  /** Completions that decode together. */
  readonly sequences: number;
  readonly generations: number;
  /** Longest completion, which may depend on the model. */
  readonly maxNewTokens: (spec: ModelSpec) => number;
}

/** Loads the model that `--model` names, to sample completions of a task's problems at `--temperature`. */
export async function withTaskSampler<T>(
  args: Args,
  { sequences, generations, maxNewTokens: longest }: TaskSampling,
  work: (sampler: Sampler, settings: SamplingSettings) => Promise<T>,
): Promise<T> {
  const temperature = args.number("temperature") ?? 1;
  const { folder, model } = await loadFromArgs(args);
  const assets = await loadTextAssets(folder);
  const tokenizer = requireTokenizer(assets, folder);
  const host = createNodeTemplateHost();
  try {
    const writer = await createPromptWriter(assets, tokenizer, host);
    const maxNewTokens = longest(model.spec);
    const promptTokens = Math.min(MAX_PROMPT_TOKENS, model.spec.maxPositions - maxNewTokens);
    const sampler = await Sampler.create(model, tokenizer, writer, {
      sequences,
      generations,
      promptTokens,
      maxNewTokens,
    });
    return await work(sampler, { temperature, topP: 1, topK: 0, maxNewTokens });
  } finally {
    host.dispose();
  }
}
