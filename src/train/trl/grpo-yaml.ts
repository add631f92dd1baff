import { namesOf } from "../config/fields.ts";
import type { GrpoConfig } from "../config/grpo-config.ts";

/** Completions of one forward and backward pass that fit most devices. */
const MOST_PER_DEVICE = 64;

/** How TRL cuts one step's completions into passes; all generations of a prompt stay in one. */
export interface Batches {
  readonly perDevice: number;
  readonly accumulation: number;
}

export function batchesOf({ per_step_prompts, num_generations }: GrpoConfig): Batches {
  let prompts = 1;
  for (let count = 1; count <= per_step_prompts; count++) {
    if (per_step_prompts % count === 0 && count * num_generations <= MOST_PER_DEVICE) prompts = count;
  }
  return { perDevice: prompts * num_generations, accumulation: per_step_prompts / prompts };
}

type Value = string | number | boolean | null | readonly (string | number)[];

/** JSON's notation of a value is YAML's too, but for whole exponents, whose point YAML 1.1 wants. */
function yamlValue(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(yamlValue).join(", ")}]`;
  const text = JSON.stringify(value);
  return typeof value === "number" ? text.replace(/^(-?\d+)e/, "$1.0e") : text;
}

/** Values of fields that an older TRL does not know; with these they stay away, as they would say nothing. */
const DEFAULTS = {
  multi_objective_aggregation: "sum_then_normalize",
  delta: null,
  off_policy_mask_threshold: null,
  entropy_coef: 0,
  top_entropy_quantile: 1,
  mask_truncated_completions: false,
  sync_ref_model: false,
} as const satisfies Partial<GrpoConfig>;

function unusual(config: GrpoConfig): Readonly<Record<string, Value>> {
  const differing = namesOf(DEFAULTS)
    .map((name): readonly [string, Value] => [name, config[name]])
    .filter(([name, value]) => value !== Reflect.get(DEFAULTS, name));
  const synced = config.sync_ref_model
    ? { ref_model_mixup_alpha: 1, ref_model_sync_steps: config.ref_model_sync_steps }
    : {};
  return { ...Object.fromEntries(differing), ...synced };
}

function loraFields({ lora }: GrpoConfig): Readonly<Record<string, Value>> {
  if (!lora) return {};
  return {
    use_peft: true,
    lora_r: lora.r,
    lora_alpha: lora.lora_alpha,
    lora_dropout: lora.lora_dropout,
    lora_target_modules: lora.target_modules,
  };
}

/** `grpo_config.yaml`: the names are those of TRL's GRPOConfig, ModelConfig and script arguments. */
export function grpoYaml(config: GrpoConfig): string {
  const { perDevice, accumulation } = batchesOf(config);
  const fields: Readonly<Record<string, Value>> = {
    model_name_or_path: "model",
    ...loraFields(config),
    reward_funcs: config.reward_funcs.map((name) => `rewards.${name}`),
    reward_weights: config.reward_weights,
    output_dir: "output",
    seed: config.seed,
    max_steps: config.max_steps,
    per_device_train_batch_size: perDevice,
    gradient_accumulation_steps: accumulation,
    num_generations: config.num_generations,
    max_completion_length: config.max_completion_length,
    temperature: config.temperature,
    top_p: config.top_p,
    top_k: config.top_k,
    learning_rate: config.learning_rate,
    lr_scheduler_type: config.lr_scheduler_type,
    warmup_steps: config.warmup_steps,
    adam_beta1: config.adam_beta1,
    adam_beta2: config.adam_beta2,
    adam_epsilon: config.adam_epsilon,
    weight_decay: config.weight_decay,
    max_grad_norm: config.max_grad_norm,
    loss_type: config.loss_type,
    scale_rewards: config.scale_rewards,
    beta: config.beta,
    epsilon: config.epsilon,
    epsilon_high: config.epsilon_high,
    num_iterations: config.num_iterations,
    importance_sampling_level: config.importance_sampling_level,
    ...unusual(config),
    // Prompts come in the dataset's order, as in the page's run.
    shuffle_dataset: false,
    logging_steps: 1,
    log_completions: config.log_completions,
    report_to: "none",
    save_strategy: config.save_every > 0 ? "steps" : "no",
    ...(config.save_every > 0 ? { save_steps: config.save_every } : {}),
    use_vllm: false,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${yamlValue(value)}`);
  return `# trl grpo --config grpo_config.yaml
${lines.join("\n")}
datasets:
  - path: json
    data_files: train.jsonl
`;
}
