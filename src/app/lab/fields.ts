import { KL_ESTIMATORS } from "../../train/grpo/estimators.ts";
import { SCALE_REWARDS } from "../../train/grpo/advantages.ts";
import { IMPORTANCE_SAMPLING_LEVELS } from "../../train/grpo/loss.ts";
import { LOSS_TYPE_NAMES } from "./presets.ts";

/** A field of the configuration as the form shows it; what is allowed is the configuration's own business. */
type FieldKind =
  | { readonly kind: "number"; readonly step: number | "any" }
  /** Empty for none. */
  | { readonly kind: "optional"; readonly step: number | "any" }
  | {
      readonly kind: "flag";
      /** Its value when it is off; false if left out. */
      readonly off?: null;
    }
  | { readonly kind: "choice"; readonly options: readonly string[] };

export type FieldSpec = FieldKind & {
  /** As formulas write it. */
  readonly symbol?: string;
};

const whole = { kind: "number", step: 1 } as const;
const number = { kind: "number", step: "any" } as const;

const SCHEDULES = ["constant", "constant_with_warmup", "linear", "cosine"];

export const FIELDS = {
  max_steps: whole,
  per_step_prompts: { ...whole, symbol: "B" },
  num_generations: { ...whole, symbol: "G" },
  max_completion_length: { ...whole, symbol: "L_max" },
  temperature: { ...number, symbol: "T" },
  top_p: { ...number, symbol: "p" },
  top_k: { ...whole, symbol: "k" },
  loss_type: { kind: "choice", options: LOSS_TYPE_NAMES },
  scale_rewards: { kind: "choice", options: SCALE_REWARDS },
  epsilon: { ...number, symbol: "ε" },
  epsilon_high: { ...number, symbol: "ε_high" },
  delta: { kind: "optional", step: "any", symbol: "δ" },
  num_iterations: { ...whole, symbol: "μ" },
  importance_sampling_level: { kind: "choice", options: IMPORTANCE_SAMPLING_LEVELS },
  mask_truncated_completions: { kind: "flag" },
  entropy_coef: { ...number, symbol: "α" },
  top_entropy_quantile: { ...number, symbol: "ρ" },
  soft_punish_cache: { kind: "optional", step: 1, symbol: "L_cache" },
  beta: { ...number, symbol: "β" },
  kl_estimator: { kind: "choice", options: Object.keys(KL_ESTIMATORS) },
  sync_ref_model: { kind: "flag" },
  ref_model_sync_steps: whole,
  learning_rate: { ...number, symbol: "η" },
  lr_scheduler_type: { kind: "choice", options: SCHEDULES },
  warmup_steps: whole,
  adam_beta1: { ...number, symbol: "β₁" },
  adam_beta2: { ...number, symbol: "β₂" },
  weight_decay: { ...number, symbol: "λ" },
  max_grad_norm: number,
  task_instructions: { kind: "flag" },
  max_tokens_per_pack: whole,
  max_prompt_length: { ...whole, symbol: "P_max" },
  gradient_checkpointing: { kind: "flag", off: null },
  seed: whole,
  eval_every: whole,
  eval_prompts: whole,
  save_every: whole,
} as const satisfies Readonly<Record<string, FieldSpec>>;

export type FieldName = keyof typeof FIELDS;

export const GROUPS = ["sampling", "objective", "reference", "optimizer", "memory", "schedule"] as const;
export type GroupName = (typeof GROUPS)[number];

export const GROUP_FIELDS: Readonly<Record<GroupName, readonly FieldName[]>> = {
  sampling: [
    "per_step_prompts",
    "num_generations",
    "task_instructions",
    "max_completion_length",
    "temperature",
    "top_p",
    "top_k",
  ],
  objective: [
    "loss_type",
    "scale_rewards",
    "epsilon",
    "epsilon_high",
    "delta",
    "num_iterations",
    "importance_sampling_level",
    "mask_truncated_completions",
    "soft_punish_cache",
    "entropy_coef",
    "top_entropy_quantile",
  ],
  reference: ["beta", "kl_estimator", "sync_ref_model", "ref_model_sync_steps"],
  optimizer: [
    "learning_rate",
    "lr_scheduler_type",
    "warmup_steps",
    "adam_beta1",
    "adam_beta2",
    "weight_decay",
    "max_grad_norm",
  ],
  memory: ["max_tokens_per_pack", "max_prompt_length", "gradient_checkpointing"],
  schedule: ["max_steps", "eval_every", "eval_prompts", "save_every", "seed"],
};

/** Rewards that make sense for the page's tasks, by the trainer's names. */
export const REWARD_NAMES = [
  "accuracy",
  "format",
  "language_consistency",
  "soft_overlong",
  "cosine",
  "length",
  "repetition",
  "reasoning_accuracy",
  "think_format",
  "tag_count",
] as const;
export type RewardName = (typeof REWARD_NAMES)[number];
