import type { GrpoConfig } from "../config/grpo-config.ts";
import type { KlEstimator, LossTypeName } from "../grpo/estimators.ts";
import { batchesOf } from "./grpo-yaml.ts";

/** Averages of verl that come nearest to a loss of TRL. */
const VERL_AGGREGATION: Readonly<Partial<Record<LossTypeName, string>>> = {
  grpo: "seq-mean-token-mean",
  dr_grpo: "seq-mean-token-sum-norm",
};
const VERL_KL: Readonly<Record<KlEstimator, string>> = { k1: "kl", k2: "mse", k3: "low_var_kl" };

/** Room for a prompt; the page's tasks need a few dozen tokens. */
const PROMPT_TOKENS = 512;

function script(comment: string, prepare: string, command: string, options: readonly string[]): string {
  return `#!/usr/bin/env bash
# ${comment}
set -euo pipefail
cd "$(dirname "$0")/.."
${prepare}
${[command, ...options].join(" \\\n  ")} \\
  "$@"
`;
}

/** `verl/run.sh`: Hydra overrides of verl's PPO trainer. */
export function verlScript(config: GrpoConfig): string {
  const { lora } = config;
  const options = {
    "algorithm.adv_estimator": "grpo",
    "algorithm.norm_adv_by_std_in_grpo": config.scale_rewards === "none" ? "False" : "True",
    "algorithm.use_kl_in_reward": "False",
    "data.train_files": "verl/train.parquet",
    "data.val_files": "verl/heldout.parquet",
    "data.train_batch_size": config.per_step_prompts,
    "data.max_prompt_length": PROMPT_TOKENS,
    "data.max_response_length": config.max_completion_length,
    "data.shuffle": "False",
    "actor_rollout_ref.model.path": "model",
    ...(lora
      ? { "actor_rollout_ref.model.lora_rank": lora.r, "actor_rollout_ref.model.lora_alpha": lora.lora_alpha }
      : {}),
    "actor_rollout_ref.actor.optim.lr": config.learning_rate,
    "actor_rollout_ref.actor.optim.weight_decay": config.weight_decay,
    "actor_rollout_ref.actor.grad_clip": config.max_grad_norm,
    "actor_rollout_ref.actor.ppo_mini_batch_size": config.per_step_prompts,
    "actor_rollout_ref.actor.ppo_epochs": config.num_iterations,
    "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu": batchesOf(config).perDevice,
    "actor_rollout_ref.actor.clip_ratio_low": config.epsilon,
    "actor_rollout_ref.actor.clip_ratio_high": config.epsilon_high,
    "actor_rollout_ref.actor.loss_agg_mode": VERL_AGGREGATION[config.loss_type] ?? "token-mean",
    "actor_rollout_ref.actor.entropy_coeff": config.entropy_coef,
    "actor_rollout_ref.actor.use_kl_loss": config.beta > 0 ? "True" : "False",
    "actor_rollout_ref.actor.kl_loss_coef": config.beta,
    "actor_rollout_ref.actor.kl_loss_type": VERL_KL[config.kl_estimator],
    "actor_rollout_ref.rollout.name": "vllm",
    "actor_rollout_ref.rollout.n": config.num_generations,
    "actor_rollout_ref.rollout.temperature": config.temperature,
    "actor_rollout_ref.rollout.top_p": config.top_p,
    // vLLM's sign for no limit.
    "actor_rollout_ref.rollout.top_k": config.top_k === 0 ? -1 : config.top_k,
    "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu": batchesOf(config).perDevice,
    "actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu": batchesOf(config).perDevice,
    "custom_reward_function.path": "verl/reward.py",
    "custom_reward_function.name": "compute_score",
    "trainer.logger": "'[\"console\"]'",
    "trainer.n_gpus_per_node": '"${GPUS:-1}"',
    "trainer.nnodes": '"${NODES:-1}"',
    "trainer.total_training_steps": config.max_steps,
    "trainer.save_freq": config.save_every > 0 ? config.save_every : -1,
    "trainer.test_freq": config.eval_every > 0 ? config.eval_every : -1,
    "trainer.default_local_dir": "output/verl",
  };
  return script(
    "GRPO with verl on Ray and vLLM: GPUS=8 NODES=1 bash verl/run.sh",
    "python3 verl/to_parquet.py",
    "python3 -m verl.trainer.main_ppo",
    Object.entries(options).map(([name, value]) => `${name}=${value}`),
  );
}

/** `openrlhf/run.sh` */
export function openrlhfScript(config: GrpoConfig): string {
  const { lora, per_step_prompts: prompts, num_generations: generations } = config;
  const options = {
    advantage_estimator: config.scale_rewards === "none" ? "dr_grpo" : "group_norm",
    pretrain: "model",
    prompt_data: "openrlhf/train.jsonl",
    input_key: "prompt",
    label_key: "label",
    apply_chat_template: true,
    remote_rm_url: "openrlhf/reward.py",
    save_path: "output/openrlhf",
    n_samples_per_prompt: generations,
    rollout_batch_size: prompts,
    train_batch_size: prompts * generations,
    micro_train_batch_size: batchesOf(config).perDevice,
    prompt_max_len: PROMPT_TOKENS,
    generate_max_len: config.max_completion_length,
    temperature: config.temperature,
    top_p: config.top_p,
    actor_learning_rate: config.learning_rate,
    lr_scheduler: config.lr_scheduler_type,
    max_norm: config.max_grad_norm,
    max_epochs: config.num_iterations,
    init_kl_coef: config.beta,
    ...(config.beta > 0 ? { use_kl_loss: true, kl_estimator: config.kl_estimator } : {}),
    eps_clip_low_high: `${config.epsilon} ${config.epsilon_high}`,
    ...(lora ? { lora_rank: lora.r, lora_alpha: lora.lora_alpha } : {}),
    seed: config.seed,
    actor_num_nodes: '"${NODES:-1}"',
    actor_num_gpus_per_node: '"${GPUS:-1}"',
    vllm_num_engines: '"${ENGINES:-1}"',
    vllm_tensor_parallel_size: 1,
  };
  return script(
    "GRPO with OpenRLHF on Ray and vLLM: GPUS=8 ENGINES=8 bash openrlhf/run.sh",
    "python3 openrlhf/to_labels.py",
    "python3 -m openrlhf.cli.train_ppo_ray",
    Object.entries(options).map(([name, value]) => (value === true ? `--${name}` : `--${name} ${value}`)),
  );
}
