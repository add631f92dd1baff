import { describe, expect, test } from "vitest";
import type { AdvantageOptions } from "../grpo/advantages.ts";
import type { GrpoLossOptions } from "../grpo/loss.ts";
import type { ScheduleOptions } from "../schedule.ts";
import { parseGrpoConfig, type GrpoConfig } from "./grpo-config.ts";
import { expectRefused } from "./testing.ts";

/** The `run.json` of the command line's documentation. */
const EXAMPLE = {
  model: "public/models/nano-cold",
  task: "countdown",
  seed: 0,
  max_steps: 200,
  per_step_prompts: 12,
  num_generations: 8,
  max_completion_length: 120,
  temperature: 1.0,
  learning_rate: 2e-4,
  lr_scheduler_type: "constant",
  warmup_steps: 5,
  adam_beta1: 0.9,
  adam_beta2: 0.99,
  weight_decay: 0,
  max_grad_norm: 1.0,
  loss_type: "dapo",
  scale_rewards: "group",
  beta: 0.0,
  epsilon: 0.2,
  epsilon_high: 0.28,
  num_iterations: 1,
  importance_sampling_level: "token",
  kl_estimator: "k3",
  reward_funcs: ["accuracy", "format"],
  reward_weights: [1.0, 0.1],
  lora: null,
  eval_every: 50,
  eval_prompts: 256,
  save_every: 50,
};

const least = { model: "m", task: "countdown" };
const checkRefused = (change: object, ...expected: readonly [string, string | RegExp]) =>
  expectRefused(() => parseGrpoConfig({ ...least, ...change }), ...expected);

test("the documented example says what the defaults are, and is kept as it stands", () => {
  const config = parseGrpoConfig(EXAMPLE);
  expect(config).toMatchObject(EXAMPLE);
  expect(parseGrpoConfig({ model: EXAMPLE.model, task: EXAMPLE.task })).toEqual(config);
});

test("other defaults are TRL's", () => {
  expect(parseGrpoConfig(least)).toMatchObject({
    top_p: 1,
    top_k: 0,
    adam_epsilon: 1e-8,
    delta: null,
    mask_truncated_completions: false,
    sync_ref_model: false,
    ref_model_sync_steps: 512,
    entropy_coef: 0,
    top_entropy_quantile: 1,
    dataset: null,
    level: null,
  });
});

test("a configuration is frozen through and through", () => {
  const config = parseGrpoConfig({ ...least, lora: { r: 8 } });
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.reward_weights)).toBe(true);
  expect(Object.isFrozen(config.lora?.target_modules)).toBe(true);
});

test("a configuration read again, as from a run's record, is the same", () => {
  const config = parseGrpoConfig({ ...EXAMPLE, lora: { r: 8 } });
  expect(parseGrpoConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
});

test("it can be handed to the loss, the advantages and the schedule", () => {
  const use = (config: GrpoConfig): readonly [GrpoLossOptions, AdvantageOptions, ScheduleOptions] => [
    config,
    config,
    config,
  ];
  expect(use(parseGrpoConfig(least))).toHaveLength(3);
});

describe("defaults that depend", () => {
  test("weights are 1 for reward functions that are named without weights", () => {
    expect(parseGrpoConfig({ ...least, reward_funcs: ["a", "b"] }).reward_weights).toEqual([1, 1]);
    expect(parseGrpoConfig({ ...least, reward_funcs: ["a", "b"], reward_weights: null }).reward_weights).toEqual([
      1, 1,
    ]);
  });

  test("cispo's upper bound is a cap", () => {
    expect(parseGrpoConfig({ ...least, loss_type: "cispo" }).epsilon_high).toBe(5);
    expect(parseGrpoConfig({ ...least, loss_type: "cispo", epsilon_high: 3 }).epsilon_high).toBe(3);
  });

  test("an upper clip below the lower one is allowed", () => {
    expect(parseGrpoConfig({ ...least, epsilon: 0.2, epsilon_high: 0.1 }).epsilon_high).toBe(0.1);
  });
});

describe("an adapter", () => {
  test("has TRL's defaults and all linear layers", () => {
    const { lora } = parseGrpoConfig({ ...least, lora: {} });
    expect(lora).toEqual({
      r: 16,
      lora_alpha: 32,
      target_modules: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
      lora_dropout: 0,
    });
    expect(parseGrpoConfig({ ...least, lora: { target_modules: ["q_proj"] } }).lora?.target_modules).toEqual([
      "q_proj",
    ]);
  });

  test("needs a rank, known layers and no dropout", () => {
    checkRefused({ lora: { r: 0 } }, "lora.r", "found 0; expected a whole number from 1 to 1024");
    checkRefused(
      { lora: { lora_dropout: 0.1 } },
      "lora.lora_dropout",
      "found 0.1; expected 0; dropout is not supported",
    );
    checkRefused({ lora: { rank: 8 } }, "lora.rank", /unknown key; the nearest known is r$/);
    checkRefused({ lora: true }, "lora", "found true; expected a JSON object");
    checkRefused(
      { lora: { target_modules: ["c_attn"] } },
      "lora.target_modules",
      /expected "all-linear" or an array of q_proj/,
    );
    checkRefused({ lora: { target_modules: [] } }, "lora.target_modules", /found an array of 0; expected/);
  });
});

describe("what is refused, in one sentence", () => {
  test("a key that is not known, with the nearest that is", () => {
    checkRefused(
      { num_generation: 8 },
      "num_generation",
      /found an unknown key; the nearest known is num_generations$/,
    );
    checkRefused({ lerning_rate: 1 }, "lerning_rate", /nearest known is learning_rate$/);
    checkRefused({ "\u001B[31m": 1 }, "\u001B[31m", /^"\\u001b\[31m": found an unknown key/);
    checkRefused(JSON.parse('{"__proto__": 1}'), "__proto__", /unknown key/);
  });

  test("a value of the wrong type", () => {
    checkRefused({ max_steps: "200" }, "max_steps", 'found "200"; expected a whole number from 1 to 10000000');
    checkRefused({ max_steps: 1.5 }, "max_steps", "found 1.5; expected a whole number");
    checkRefused({ sync_ref_model: 1 }, "sync_ref_model", "found 1; expected true or false");
    checkRefused({ task: 3 }, "task", "found 3; expected the name of a task");
    checkRefused({ reward_funcs: "accuracy" }, "reward_funcs", 'found "accuracy"; expected an array of reward');
    checkRefused({ reward_weights: [1, "x"] }, "reward_weights.1", 'found "x"; expected a number');
    checkRefused({ seed: null }, "seed", "found null; expected a whole number");
    for (const json of [null, 3, "x", []]) {
      expectRefused(() => parseGrpoConfig(json), "configuration", /expected a JSON object/);
    }
  });

  test.each([
    ["num_generations", 1],
    ["max_steps", 0],
    ["per_step_prompts", 0],
    ["max_completion_length", 0],
    ["temperature", 0],
    ["top_p", 0],
    ["top_p", 1.1],
    ["top_k", -1],
    ["learning_rate", -1],
    ["adam_beta1", 1],
    ["adam_beta2", -0.1],
    ["adam_epsilon", 0],
    ["weight_decay", -1],
    ["max_grad_norm", -1],
    ["beta", -0.1],
    ["epsilon", 1.5],
    ["epsilon_high", -1],
    ["delta", 1],
    ["num_iterations", 0],
    ["ref_model_sync_steps", 0],
    ["entropy_coef", -1],
    ["top_entropy_quantile", 1.01],
    ["soft_punish_cache", 0],
    ["eval_every", -1],
    ["eval_prompts", 0],
    ["eval_samples", 0],
    ["seed", -1],
    ["level", -1],
    ["lr_scheduler_type", "cosin"],
    ["loss_type", "ppo"],
    ["scale_rewards", true],
    ["importance_sampling_level", "word"],
    ["kl_estimator", "k4"],
    ["reward_funcs", []],
    ["reward_funcs", ["a", "a"]],
    ["model", ""],
  ])("%s of %s", (field, value) => {
    checkRefused({ [field]: value }, field, /: found .+; expected ./);
  });

  test("values that cannot stand together", () => {
    for (const loss_type of ["dapo", "bnpo", "dr_grpo", "cispo"]) {
      const change = { importance_sampling_level: "sequence", loss_type };
      checkRefused(
        change,
        "importance_sampling_level",
        `found sequence with loss_type ${loss_type}; expected loss_type grpo`,
      );
    }
    checkRefused({ sync_ref_model: true }, "sync_ref_model", "found true with beta 0; expected a beta above 0");
    checkRefused({ sync_ref_model: true, beta: 0.1, lora: {} }, "sync_ref_model", "found true with lora");
    checkRefused({ weights: "q4" }, "weights", "found q4 without lora; expected f32, or a LoRA adapter");
    expect(parseGrpoConfig({ ...least, weights: "q4", lora: {} }).weights).toBe("q4");
    checkRefused({ reward_weights: [1] }, "reward_weights", "found 1 for 2 reward_funcs; expected one for each");
    checkRefused({ reward_funcs: ["a"], reward_weights: [1, 2] }, "reward_weights", "found 2 for 1");
    checkRefused({ soft_punish_cache: 121 }, "soft_punish_cache", "found 121; expected at most max_completion_length");
    checkRefused(
      { max_tokens_per_pack: 64 },
      "max_tokens_per_pack",
      "found 64; expected more than max_completion_length",
    );
    checkRefused({ dataset: "d.jsonl" }, "task", "found both task and dataset; expected one of them");
    checkRefused({ task: null }, "task", "found neither task nor dataset");
    checkRefused({ task: null, dataset: "d.jsonl", level: 1 }, "level", "found 1 with a dataset");
    checkRefused({ model: null }, "model", "found nothing; expected the path of a model");
  });

  test("and what stands beside it is not", () => {
    const change = { importance_sampling_level: "sequence", loss_type: "grpo", sync_ref_model: true, beta: 0.01 };
    expect(parseGrpoConfig({ ...least, ...change })).toMatchObject(change);
    expect(parseGrpoConfig({ model: "m", dataset: "d.jsonl" })).toMatchObject({ task: null, dataset: "d.jsonl" });
  });
});
