import { LOSS_TYPES } from "../../train/grpo/estimators.ts";
import { parseGrpoConfig } from "../../train/config/grpo-config.ts";
import type { GrpoConfig } from "../../train/config/grpo-config.ts";
import { TASKS } from "../../train/tasks/tasks.ts";

export const TASK_NAMES: readonly string[] = [...TASKS.keys()];
export const LOSS_TYPE_NAMES: readonly string[] = Object.keys(LOSS_TYPES);

export const PRESET_NAMES = ["r1-zero", "r1", "dr-grpo", "dapo"] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** Reinforcement is seen best from a model that answers in form and is often wrong. */
export const BEST_START = "nano-cold";

interface Preset {
  readonly title: string;
  readonly config: Partial<GrpoConfig>;
}

/**
 * Algorithms by the fields that make them. Learning rates and lengths are not the papers' but those of `SIZES`: models of
 * a quarter of a million parameters learn with rates about a hundred times as high. `format` counts half, as in
 * the recipe of nano-r1: a group that is all wrong still says which of its completions kept the form.
 */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  // DeepSeek-R1 (arXiv 2501.12948): the mean per completion and the deviation of the group as in DeepSeekMath
  // (arXiv 2402.03300), KL 0.001, one update per batch, rule-based rewards for accuracy and format. The paper renews the
  // reference every 400 steps; here runs are shorter.
  "r1-zero": {
    title: "R1-Zero",
    config: {
      loss_type: "grpo",
      scale_rewards: "group",
      beta: 0.001,
      epsilon: 0.2,
      epsilon_high: 0.2,
      num_iterations: 1,
      sync_ref_model: true,
      ref_model_sync_steps: 50,
      mask_truncated_completions: false,
      reward_funcs: ["accuracy", "format"],
      reward_weights: [1, 0.5],
      soft_punish_cache: null,
    },
  },
  // The same paper's first reinforcement of R1: clip ratio 10 (below, that is no bound), and the share of the thought
  // that is in the question's language as a further reward.
  r1: {
    title: "R1",
    config: {
      loss_type: "grpo",
      scale_rewards: "group",
      beta: 0.001,
      epsilon: 1,
      epsilon_high: 10,
      num_iterations: 1,
      sync_ref_model: true,
      ref_model_sync_steps: 50,
      mask_truncated_completions: false,
      reward_funcs: ["accuracy", "format", "language_consistency"],
      reward_weights: [1, 0.5, 0.5],
      soft_punish_cache: null,
    },
  },
  // Liu et al. 2025 (arXiv 2503.20783): no division by the completion's length nor by the group's deviation, no KL.
  "dr-grpo": {
    title: "Dr. GRPO",
    config: {
      loss_type: "dr_grpo",
      scale_rewards: "none",
      beta: 0,
      epsilon: 0.2,
      epsilon_high: 0.2,
      num_iterations: 1,
      sync_ref_model: false,
      ref_model_sync_steps: 50,
      mask_truncated_completions: false,
      reward_funcs: ["accuracy", "format"],
      reward_weights: [1, 0.5],
      soft_punish_cache: null,
    },
  },
  // Yu et al. 2025 (arXiv 2503.14476; TRL's paper index): the mean over tokens, clip higher, no KL, truncated completions
  // masked, soft overlong punishment over the last fifth of the length. Dynamic sampling is left out: dead groups are
  // shown instead.
  dapo: {
    title: "DAPO",
    config: {
      loss_type: "dapo",
      scale_rewards: "group",
      beta: 0,
      epsilon: 0.2,
      epsilon_high: 0.28,
      num_iterations: 1,
      sync_ref_model: false,
      ref_model_sync_steps: 50,
      mask_truncated_completions: true,
      reward_funcs: ["accuracy", "format", "soft_overlong"],
      reward_weights: [1, 0.5, 1],
      soft_punish_cache: 16,
    },
  },
};

export type RunSize = "gpu" | "software";

/** How much a step does: learning to be seen within a minute on a GPU, and steps to be waited for without one. */
const SIZES: Readonly<Record<RunSize, Partial<GrpoConfig>>> = {
  gpu: { per_step_prompts: 12, num_generations: 8, max_steps: 100, eval_every: 20, eval_prompts: 64, save_every: 10 },
  software: { per_step_prompts: 4, num_generations: 6, max_steps: 40, eval_every: 10, eval_prompts: 16, save_every: 5 },
};
/** A step of a checkpoint of a billion parameters: one group of a few short thoughts, and no evaluation before it. */
export const CHECKPOINT_SIZES: Partial<GrpoConfig> = {
  per_step_prompts: 1,
  num_generations: 4,
  max_completion_length: 256,
  task_instructions: true,
  max_prompt_length: 192,
  max_tokens_per_pack: 512,
  eval_every: 0,
  // An adapter with its moments takes hundreds of megabytes.
  save_every: 5,
};
const SOFTWARE_LENGTH = 64;

/** A configuration as the form holds it: JSON that need not be right yet. */
export type DraftConfig = Readonly<Record<string, unknown>>;

/** A complete configuration to begin with. */
export function draftConfig(preset: PresetName, size: RunSize, task: string, model: string): DraftConfig {
  return {
    ...parseGrpoConfig({ model, task }),
    learning_rate: 2e-4,
    lr_scheduler_type: "constant_with_warmup",
    max_tokens_per_pack: 8192,
    log_tokens: true,
    ...SIZES[size],
    max_completion_length: lengthFor(task, size),
    ...PRESETS[preset].config,
  };
}

/** Tokens that are enough for the task's completions. */
export function lengthFor(task: string, size: RunSize): number {
  const enough = TASKS.get(task)?.maxCompletionLength ?? SOFTWARE_LENGTH;
  return size === "gpu" ? enough : Math.min(enough, SOFTWARE_LENGTH);
}

/** Whether a draft still has what makes it the preset, as far as an adapter, whose reference stays, allows it. */
export function isPreset(config: DraftConfig, preset: PresetName): boolean {
  const isAdapter = (config["lora"] ?? null) !== null;
  return Object.entries(PRESETS[preset].config).every(
    ([name, value]) =>
      (isAdapter && name === "sync_ref_model") || JSON.stringify(config[name]) === JSON.stringify(value),
  );
}
