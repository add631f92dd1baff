import * as v from "valibot";
import { LR_SCHEDULER_TYPES } from "../schedule.ts";
import { flag, number, numberAbove, numberBelow, oneOf, orNull, text, whole } from "./fields.ts";
import { optionError, parseFields, type Conflict } from "./parse.ts";

export const MAX_STEPS = 10_000_000;
export const MAX_TOKENS = 1 << 17;
const MAX_COUNT = 1_000_000;

/** The linear layers that LoRA can adapt, by PEFT's names. */
export const LORA_TARGET_MODULES = [
  "q_proj",
  "k_proj",
  "v_proj",
  "o_proj",
  "gate_proj",
  "up_proj",
  "down_proj",
] as const;

/** Formats that frozen weights can be held in, largest first. */
export const FROZEN_FORMATS = ["f32", "f16", "bf16", "q8", "q4"] as const;
export type FrozenFormat = (typeof FROZEN_FORMATS)[number];

const loraSchema = v.object({
  r: v.optional(whole(1, 1024), 16),
  lora_alpha: v.optional(numberAbove(0, 65_536), 32),
  /** PEFT's `all-linear` is all of them. */
  target_modules: v.optional(
    v.union(
      [
        v.pipe(v.array(oneOf(LORA_TARGET_MODULES)), v.minLength(1, "at least one module")),
        v.pipe(
          v.literal("all-linear"),
          v.transform(() => [...LORA_TARGET_MODULES]),
        ),
      ],
      `"all-linear" or an array of ${LORA_TARGET_MODULES.join(", ")}`,
    ),
    "all-linear",
  ),
  /** The backward pass has no dropout. */
  lora_dropout: v.optional(v.literal(0, "0; dropout is not supported"), 0),
});

/** A low-rank adapter (Hu et al. 2021): W + (lora_alpha / r) · B · A. */
export type LoraConfig = v.InferOutput<typeof loraSchema>;

/** @throws R1Error E_OPTION */
export function parseLora(json: unknown): LoraConfig | null {
  return json === null || json === undefined ? null : parseFields(loraSchema, json, "lora.");
}

export const learningRate = number(0, 10);
export const lrSchedulerType = oneOf(LR_SCHEDULER_TYPES);
export const warmupSteps = whole(0, MAX_STEPS);
export const adamBeta = numberBelow(0, 1);

/** Fields of every run whose defaults are the same; for the optimiser's there are the fields above. */
export const RUN_ENTRIES = {
  /** Folder or file of the model that is trained. */
  model: orNull(text("the path of a model")),
  /** A built-in task's name; the alternative to `dataset`. */
  task: orNull(text("the name of a task")),
  /** Difficulty of the task; null for its own default. */
  level: orNull(whole(0, 100)),
  /** Path of a JSONL file. */
  dataset: orNull(text("the path of a JSONL file")),
  seed: v.optional(whole(0, 0xffff_ffff), 0),
  adam_beta1: v.optional(adamBeta, 0.9),
  adam_epsilon: v.optional(numberAbove(0, 1), 1e-8),
  weight_decay: v.optional(number(0, 10), 0),
  /** Bound of the gradient's global norm; 0 for none, as in transformers. */
  max_grad_norm: v.optional(number(0, 1e9), 1),
  lora: v.optional(v.unknown()),
  /** What the frozen weights under an adapter are converted or quantized to while loading; null for as they are stored. */
  weights: orNull(oneOf(FROZEN_FORMATS)),
  /** Run layers again in the backward pass instead of keeping their activations; null where those would take over 1 GiB. */
  gradient_checkpointing: orNull(flag),
  /** Steps between two evaluations; 0 for none. */
  eval_every: v.optional(whole(0, MAX_STEPS), 50),
  eval_prompts: v.optional(whole(1, MAX_COUNT), 256),
  /** Completions of each held-out prompt. */
  eval_samples: v.optional(whole(1, 1024), 1),
  /** Steps between two checkpoints; 0 for only the last. */
  save_every: v.optional(whole(0, MAX_STEPS), 50),
  /** Capacity of a pack in a forward and backward pass, in tokens. */
  max_tokens_per_pack: v.optional(whole(16, MAX_TOKENS), 4096),
  log_completions: v.optional(flag, true),
  /** Log probability, ratio and entropy of each token in the completions' record. */
  log_tokens: v.optional(flag, false),
} as const;

interface Sources {
  readonly task: string | null;
  readonly level: number | null;
  readonly dataset: string | null;
}

export const SOURCE_CONFLICTS: readonly Conflict<Sources>[] = [
  {
    field: "task",
    when: ({ task, dataset }) => task !== null && dataset !== null,
    found: () => "both task and dataset",
    expected: "one of them",
  },
  {
    field: "task",
    when: ({ task, dataset }) => task === null && dataset === null,
    found: () => "neither task nor dataset",
    expected: "one of them",
  },
  {
    field: "level",
    when: ({ level, dataset }) => level !== null && dataset !== null,
    found: ({ level }) => `${level} with a dataset`,
    expected: "a task, whose level it is",
  },
];

interface Trained {
  readonly lora: LoraConfig | null;
  readonly weights: FrozenFormat | null;
}

export const WEIGHTS_CONFLICT: Conflict<Trained> = {
  field: "weights",
  when: ({ lora, weights }) => lora === null && weights !== null && weights !== "f32",
  found: ({ weights }) => `${weights} without lora`,
  expected: "f32, or a LoRA adapter: weights that are rounded cannot take small updates",
};

/** @throws R1Error E_OPTION when there is no model */
export function requireModel(model: string | null): string {
  if (model === null) throw optionError("model", "nothing", "the path of a model");
  return model;
}
