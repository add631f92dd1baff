import * as v from "valibot";
import { flag, numberAbove, oneOf, orNull, whole } from "./fields.ts";
import { deepFreeze, optionError, parseFields, refuseConflicts, type Conflict } from "./parse.ts";
import {
  MAX_STEPS,
  MAX_TOKENS,
  SOURCE_CONFLICTS,
  parseLora,
  RUN_ENTRIES,
  adamBeta,
  learningRate,
  lrSchedulerType,
  warmupSteps,
  WEIGHTS_CONFLICT,
  type LoraConfig,
} from "./shared.ts";

const MAX_EXAMPLES = 10_000_000;
const MAX_WIDTH = 1 << 16;

export const SFT_KINDS = ["trace", "pretrain"] as const;
/** What of a task is learnt: demonstrations of its solution, or plain text about it. */
export type SftKind = (typeof SFT_KINDS)[number];

const initSchema = v.object({
  model_type: v.optional(oneOf(["qwen2", "llama"]), "qwen2"),
  hidden_size: whole(2, MAX_WIDTH),
  intermediate_size: whole(1, MAX_WIDTH),
  num_hidden_layers: whole(1, 512),
  num_attention_heads: whole(1, 1024),
  num_key_value_heads: v.optional(whole(1, 1024)),
  head_dim: v.optional(whole(2, 1024)),
  tie_word_embeddings: v.optional(flag, true),
  rope_theta: v.optional(numberAbove(0, 1e12), 10_000),
  rms_norm_eps: v.optional(numberAbove(0, 1), 1e-6),
  max_position_embeddings: v.optional(whole(1, 1 << 24), 2048),
  /** Standard deviation of fresh weights; small models learn sooner from more than Qwen2's and Llama's 0.02. */
  initializer_range: v.optional(numberAbove(0, 1), 0.02),
});

type InitFields = v.InferOutput<typeof initSchema>;

/** A fresh model, by the names of Hugging Face's `config.json`; its vocabulary is the tokenizer's. */
export type InitSpec = Readonly<
  Omit<InitFields, "num_key_value_heads" | "head_dim"> & { num_key_value_heads: number; head_dim: number }
>;

// Defaults are TRL's (sft_config.py) and transformers', but `packing`, which nothing here is without, and the seed.
const schema = v.object({
  ...RUN_ENTRIES,
  learning_rate: v.optional(learningRate, 2e-5),
  lr_scheduler_type: v.optional(lrSchedulerType, "linear"),
  warmup_steps: v.optional(warmupSteps, 0),
  adam_beta2: v.optional(adamBeta, 0.999),
  /** A fresh model's shape; the alternative to `model`. */
  init: v.optional(v.unknown()),
  kind: orNull(oneOf(SFT_KINDS)),
  /** Examples drawn from the task; a dataset has as many as it has lines. */
  num_examples: orNull(whole(1, MAX_EXAMPLES)),
  /** Sequences of one step. */
  per_device_train_batch_size: v.optional(whole(1, 65_536), 8),
  packing: v.optional(flag),
  padding_free: v.optional(flag, false),
  padding: v.optional(flag, false),
  completion_only_loss: v.optional(flag),
  max_length: v.optional(whole(2, MAX_TOKENS), 1024),
  /** Null for as many as `num_train_epochs` makes; otherwise it overrides them, as in transformers. */
  max_steps: orNull(whole(1, MAX_STEPS)),
  num_train_epochs: v.optional(numberAbove(0, 1_000_000), 3),
});

type Fields = v.InferOutput<typeof schema>;

/** A complete run of supervised fine-tuning or pretraining; every field has a value. */
export type SftConfig = Readonly<
  Omit<Fields, "init" | "kind" | "num_examples" | "packing" | "completion_only_loss" | "lora"> & {
    init: InitSpec | null;
    /** Null for a dataset. */
    kind: SftKind | null;
    /** Null for a dataset. */
    num_examples: number | null;
    packing: boolean;
    completion_only_loss: boolean;
    lora: LoraConfig | null;
  }
>;

const DEFAULT_EXAMPLES = 10_000;

const GIVEN_CONFLICTS: readonly Conflict<Fields>[] = [
  {
    field: "model",
    when: ({ model, init }) => model !== null && !absent(init),
    found: () => "both model and init",
    expected: "one of them",
  },
  {
    field: "model",
    when: ({ model, init }) => model === null && absent(init),
    found: () => "neither model nor init",
    expected: "one of them",
  },
  {
    field: "kind",
    when: ({ kind, dataset }) => kind !== null && dataset !== null,
    found: ({ kind }) => `${kind} with a dataset`,
    expected: "a task, whose text it chooses",
  },
  {
    field: "num_examples",
    when: ({ num_examples, dataset }) => num_examples !== null && dataset !== null,
    found: ({ num_examples }) => `${num_examples} with a dataset`,
    expected: "a task, from which they are drawn",
  },
];

const CONFLICTS: readonly Conflict<SftConfig>[] = [
  WEIGHTS_CONFLICT,
  {
    field: "padding",
    when: ({ padding, packing }) => padding && packing,
    found: () => "true with packing true",
    expected: "one of them",
  },
  {
    field: "padding",
    when: ({ padding, padding_free }) => padding && padding_free,
    found: () => "true with padding_free true",
    expected: "one of them",
  },
  {
    field: "packing",
    when: ({ packing, padding, padding_free }) => !packing && !padding && !padding_free,
    found: () => "false with padding and padding_free false",
    expected: "one of the three to be true",
  },
  {
    field: "max_tokens_per_pack",
    when: ({ max_tokens_per_pack, max_length }) => max_tokens_per_pack < max_length,
    found: ({ max_tokens_per_pack }) => String(max_tokens_per_pack),
    expected: "at least max_length",
  },
  {
    field: "lora",
    when: ({ lora, init }) => lora !== null && init !== null,
    found: () => "an adapter with init",
    expected: "a model, whose weights it adapts",
  },
];

/**
 * Reads the `run.json` of a run of supervised fine-tuning.
 * @returns frozen and complete
 * @throws R1Error E_OPTION naming the field, what was found and what was expected
 */
export function parseSftConfig(json: unknown): SftConfig {
  const fields = parseFields(schema, json);
  refuseConflicts(fields, SOURCE_CONFLICTS);
  refuseConflicts(fields, GIVEN_CONFLICTS);
  const fromTask = fields.task !== null;
  const kind = fromTask ? (fields.kind ?? "trace") : null;
  const config: SftConfig = {
    ...fields,
    init: absent(fields.init) ? null : parseInit(fields.init),
    kind,
    num_examples: fromTask ? (fields.num_examples ?? DEFAULT_EXAMPLES) : null,
    packing: fields.packing ?? !(fields.padding || fields.padding_free),
    // Text for pretraining has no prompt; everything else is a prompt and its completion (TRL's rule for null).
    completion_only_loss: fields.completion_only_loss ?? kind !== "pretrain",
    lora: parseLora(fields.lora),
  };
  refuseConflicts(config, CONFLICTS);
  return deepFreeze(config);
}

function parseInit(json: unknown): InitSpec {
  const fields = parseFields(initSchema, json, "init.");
  const { hidden_size, num_attention_heads: heads } = fields;
  const spec: InitSpec = {
    ...fields,
    num_key_value_heads: fields.num_key_value_heads ?? heads,
    head_dim: fields.head_dim ?? hidden_size / heads,
  };
  if (heads % spec.num_key_value_heads !== 0) {
    const found = String(spec.num_key_value_heads);
    throw optionError("init.num_key_value_heads", found, `a divisor of num_attention_heads, ${heads}`);
  }
  // Rotary position embeddings turn pairs.
  if (spec.head_dim % 2 !== 0) {
    throw optionError(
      "init.head_dim",
      String(spec.head_dim),
      "an even whole number (hidden_size / num_attention_heads)",
    );
  }
  return spec;
}

function absent(value: unknown): boolean {
  return value === null || value === undefined;
}
