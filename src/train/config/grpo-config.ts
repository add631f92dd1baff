import * as v from "valibot";
import { MULTI_OBJECTIVE_AGGREGATIONS, SCALE_REWARDS } from "../grpo/advantages.ts";
import { KL_ESTIMATORS, LOSS_TYPES, type LossTypeName } from "../grpo/estimators.ts";
import { IMPORTANCE_SAMPLING_LEVELS } from "../grpo/loss.ts";
import { flag, namesOf, number, numberAbove, oneOf, orNull, text, whole } from "./fields.ts";
import { deepFreeze, parseFields, refuseConflicts, type Conflict } from "./parse.ts";
import {
  MAX_STEPS,
  MAX_TOKENS,
  SOURCE_CONFLICTS,
  parseLora,
  requireModel,
  RUN_ENTRIES,
  adamBeta,
  learningRate,
  lrSchedulerType,
  warmupSteps,
  WEIGHTS_CONFLICT,
  type LoraConfig,
} from "./shared.ts";

export const OVERLONG_PROMPTS = ["skip", "refuse"] as const;

// Defaults are TRL's (grpo_config.py), but for those of the example in the command line's documentation, which suit
// a model of a few million parameters: rate, schedule, betas, lengths, counts, rewards, the upper clip (DAPO's).
const schema = v.object({
  ...RUN_ENTRIES,
  learning_rate: v.optional(learningRate, 2e-4),
  lr_scheduler_type: v.optional(lrSchedulerType, "constant"),
  warmup_steps: v.optional(warmupSteps, 5),
  adam_beta2: v.optional(adamBeta, 0.99),
  max_steps: v.optional(whole(1, MAX_STEPS), 200),
  /** Prompts of one step, each of which gets `num_generations` completions. */
  per_step_prompts: v.optional(whole(1, 65_536), 12),
  num_generations: v.optional(whole(2, 1024), 8),
  max_completion_length: v.optional(whole(1, MAX_TOKENS), 120),
  /** Say in each prompt what the task asks for and how it is to be answered, for models that were not made for it. */
  task_instructions: v.optional(flag, false),
  /** Tokens of a prompt with its template. */
  max_prompt_length: v.optional(whole(1, MAX_TOKENS), 512),
  /** What becomes of a dataset's rows with longer prompts: they are left out, or the run is refused. */
  overlong_prompts: v.optional(oneOf(OVERLONG_PROMPTS), "skip"),
  temperature: v.optional(numberAbove(0, 10), 1),
  /** 1 for off. */
  top_p: v.optional(numberAbove(0, 1), 1),
  /** 0 for off. */
  top_k: v.optional(whole(0, 1 << 24), 0),
  loss_type: v.optional(oneOf(namesOf(LOSS_TYPES)), "dapo"),
  scale_rewards: v.optional(oneOf(SCALE_REWARDS), "group"),
  multi_objective_aggregation: v.optional(oneOf(MULTI_OBJECTIVE_AGGREGATIONS), "sum_then_normalize"),
  beta: v.optional(number(0, 1000), 0),
  kl_estimator: v.optional(oneOf(namesOf(KL_ESTIMATORS)), "k3"),
  epsilon: v.optional(number(0, 1), 0.2),
  epsilon_high: v.optional(number(0, 1000)),
  delta: orNull(numberAbove(1, 1000)),
  num_iterations: v.optional(whole(1, 1000), 1),
  importance_sampling_level: v.optional(oneOf(IMPORTANCE_SAMPLING_LEVELS), "token"),
  mask_truncated_completions: v.optional(flag, false),
  off_policy_mask_threshold: orNull(number(0, 1000)),
  sync_ref_model: v.optional(flag, false),
  ref_model_sync_steps: v.optional(whole(1, MAX_STEPS), 512),
  entropy_coef: v.optional(number(0, 1000), 0),
  top_entropy_quantile: v.optional(number(0, 1), 1),
  reward_funcs: v.optional(
    v.pipe(
      v.array(text("a reward function's name"), "an array of reward functions' names"),
      v.minLength(1, "at least one reward function"),
      v.maxLength(32, "at most 32 reward functions"),
      v.check((names) => new Set(names).size === names.length, "reward functions that differ"),
    ),
  ),
  reward_weights: v.optional(v.nullable(v.array(number(-1e6, 1e6), "an array of numbers"))),
  /** Tokens before the length limit over which the overlong penalty grows (DAPO's L_cache); null for none. */
  soft_punish_cache: orNull(whole(1, MAX_TOKENS)),
});

type Fields = v.InferOutput<typeof schema>;

/** A complete GRPO run; every field has a value. */
export type GrpoConfig = Readonly<
  Omit<Fields, "model" | "epsilon_high" | "reward_funcs" | "reward_weights" | "lora"> & {
    model: string;
    epsilon_high: number;
    reward_funcs: readonly string[];
    reward_weights: readonly number[];
    lora: LoraConfig | null;
  }
>;

const DEFAULT_REWARDS = { accuracy: 1, format: 0.1 } as const;

/** DAPO's upper clip; for CISPO, whose field is an absolute cap, ScaleRL's. */
const EPSILON_HIGH: Readonly<Partial<Record<LossTypeName, number>>> = { cispo: 5 };
const DEFAULT_EPSILON_HIGH = 0.28;

const CONFLICTS: readonly Conflict<GrpoConfig>[] = [
  WEIGHTS_CONFLICT,
  {
    field: "importance_sampling_level",
    // The ratio is the completion's, so its terms must be averaged per completion (GSPO; TRL warns of the others).
    when: ({ importance_sampling_level: level, loss_type }) => level === "sequence" && loss_type !== "grpo",
    found: ({ loss_type }) => `sequence with loss_type ${loss_type}`,
    expected: "loss_type grpo",
  },
  {
    field: "sync_ref_model",
    when: ({ sync_ref_model, beta }) => sync_ref_model && beta === 0,
    found: () => "true with beta 0",
    expected: "a beta above 0, without which there is no reference model",
  },
  {
    field: "sync_ref_model",
    when: ({ sync_ref_model, lora }) => sync_ref_model && lora !== null,
    found: () => "true with lora",
    expected: "false: the reference of an adapter is the model without it",
  },
  {
    field: "reward_weights",
    when: ({ reward_weights, reward_funcs }) => reward_weights.length !== reward_funcs.length,
    found: ({ reward_weights, reward_funcs }) => `${reward_weights.length} for ${reward_funcs.length} reward_funcs`,
    expected: "one for each",
  },
  {
    field: "soft_punish_cache",
    when: ({ soft_punish_cache, max_completion_length }) => (soft_punish_cache ?? 0) > max_completion_length,
    found: ({ soft_punish_cache }) => String(soft_punish_cache),
    expected: "at most max_completion_length",
  },
  {
    field: "max_tokens_per_pack",
    when: ({ max_tokens_per_pack, max_completion_length }) => max_tokens_per_pack <= max_completion_length,
    found: ({ max_tokens_per_pack }) => String(max_tokens_per_pack),
    expected: "more than max_completion_length, for a prompt and its completion",
  },
];

/**
 * Reads the `run.json` of a GRPO run.
 * @returns frozen and complete
 * @throws R1Error E_OPTION naming the field, what was found and what was expected
 */
export function parseGrpoConfig(json: unknown): GrpoConfig {
  const fields = parseFields(schema, json);
  refuseConflicts(fields, SOURCE_CONFLICTS);
  const { reward_funcs, reward_weights } = rewardsOf(fields);
  const config: GrpoConfig = {
    ...fields,
    model: requireModel(fields.model),
    epsilon_high: fields.epsilon_high ?? EPSILON_HIGH[fields.loss_type] ?? DEFAULT_EPSILON_HIGH,
    reward_funcs,
    reward_weights,
    lora: parseLora(fields.lora),
  };
  refuseConflicts(config, CONFLICTS);
  return deepFreeze(config);
}

function rewardsOf({ reward_funcs, reward_weights }: Fields): Pick<GrpoConfig, "reward_funcs" | "reward_weights"> {
  const functions = reward_funcs ?? Object.keys(DEFAULT_REWARDS);
  const weights = reward_funcs ? functions.map(() => 1) : Object.values(DEFAULT_REWARDS);
  return { reward_funcs: functions, reward_weights: reward_weights ?? weights };
}
