import { describe, expect, test } from "vitest";
import { expectRefused } from "./testing.ts";
import { parseSftConfig } from "./sft-config.ts";

const init = {
  hidden_size: 128,
  intermediate_size: 344,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};
const least = { model: "m", task: "countdown" };
const checkRefused = (change: object, ...expected: readonly [string, string | RegExp]) =>
  expectRefused(() => parseSftConfig({ ...least, ...change }), ...expected);

test("defaults", () => {
  expect(parseSftConfig(least)).toEqual({
    model: "m",
    init: null,
    task: "countdown",
    kind: "trace",
    level: null,
    dataset: null,
    num_examples: 10_000,
    seed: 0,
    per_device_train_batch_size: 8,
    packing: true,
    padding_free: false,
    padding: false,
    completion_only_loss: true,
    weights: null,
    gradient_checkpointing: null,
    max_length: 1024,
    max_tokens_per_pack: 4096,
    max_steps: null,
    num_train_epochs: 3,
    learning_rate: 2e-5,
    lr_scheduler_type: "linear",
    warmup_steps: 0,
    adam_beta1: 0.9,
    adam_beta2: 0.999,
    adam_epsilon: 1e-8,
    weight_decay: 0,
    max_grad_norm: 1,
    lora: null,
    eval_every: 50,
    eval_prompts: 256,
    eval_samples: 1,
    save_every: 50,
    log_completions: true,
    log_tokens: false,
  });
});

test("a configuration is frozen, and the same when read again", () => {
  for (const given of [least, { init, task: "countdown", kind: "pretrain" }, { model: "m", dataset: "d.jsonl" }]) {
    const config = parseSftConfig(given);
    expect(Object.isFrozen(config)).toBe(true);
    expect(parseSftConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  }
});

describe("a fresh model", () => {
  const fresh = (change: object) => ({ model: null, init: { ...init, ...change } });

  test("has the shape it says, tied embeddings and heads that fill the width", () => {
    expect(parseSftConfig({ init, task: "countdown" }).init).toEqual({
      ...init,
      model_type: "qwen2",
      head_dim: 32,
      tie_word_embeddings: true,
      rope_theta: 10_000,
      rms_norm_eps: 1e-6,
      max_position_embeddings: 2048,
      initializer_range: 0.02,
    });
    const { num_key_value_heads: _, ...without } = init;
    expect(parseSftConfig({ init: without, task: "countdown" }).init?.num_key_value_heads).toBe(4);
  });

  test("that cannot be built is refused", () => {
    checkRefused(fresh({ num_key_value_heads: 3 }), "init.num_key_value_heads", "found 3; expected a divisor of");
    checkRefused(
      fresh({ num_attention_heads: 3, num_key_value_heads: 1 }),
      "init.head_dim",
      "expected an even whole number",
    );
    checkRefused(fresh({ head_dim: 7 }), "init.head_dim", "found 7; expected an even whole number");
    checkRefused(fresh({ hidden_size: undefined }), "init.hidden_size", "found nothing; expected a whole number");
    checkRefused(fresh({ num_hidden_layers: 0 }), "init.num_hidden_layers", "found 0");
    checkRefused(fresh({ vocab_size: 100 }), "init.vocab_size", /unknown key/);
    checkRefused({ model: null, init: "big" }, "init", 'found "big"; expected a JSON object');
    checkRefused({ ...fresh({}), lora: {} }, "lora", "found an adapter with init");
  });

  test("a missing size is nothing, not a fault of the object", () => {
    const { hidden_size: _, ...without } = init;
    checkRefused({ model: null, init: without }, "init.hidden_size", "found nothing; expected a whole number from 2");
  });
});

describe("the source", () => {
  test("is a task's traces, a task's text or a dataset", () => {
    expect(parseSftConfig({ ...least, kind: "pretrain" })).toMatchObject({
      kind: "pretrain",
      completion_only_loss: false,
    });
    expect(parseSftConfig({ model: "m", dataset: "d" })).toMatchObject({
      kind: null,
      num_examples: null,
      completion_only_loss: true,
    });
  });

  test("is exactly one", () => {
    checkRefused({ dataset: "d" }, "task", "found both task and dataset");
    checkRefused({ task: null }, "task", "found neither task nor dataset");
    checkRefused({ task: null, dataset: "d", kind: "trace" }, "kind", "found trace with a dataset");
    checkRefused({ task: null, dataset: "d", num_examples: 3 }, "num_examples", "found 3 with a dataset");
    checkRefused({ init }, "model", "found both model and init");
    checkRefused({ model: null }, "model", "found neither model nor init");
  });
});

describe("laying sequences out", () => {
  test("packs, unless another way is asked for", () => {
    expect(parseSftConfig({ ...least, padding: true })).toMatchObject({ packing: false, padding: true });
    expect(parseSftConfig({ ...least, padding_free: true })).toMatchObject({ packing: false, padding_free: true });
    expect(parseSftConfig({ ...least, packing: true, padding_free: true })).toMatchObject({ packing: true });
  });

  test("can be done in one way at a time", () => {
    checkRefused({ packing: true, padding: true }, "padding", "found true with packing true");
    checkRefused({ padding_free: true, padding: true }, "padding", "found true with padding_free true");
    checkRefused({ packing: false }, "packing", "found false with padding and padding_free false");
    checkRefused({ max_length: 5000 }, "max_tokens_per_pack", "found 4096; expected at least max_length");
  });
});

test.each([
  ["per_device_train_batch_size", 0],
  ["num_train_epochs", 0],
  ["max_steps", 0],
  ["max_length", 1],
  ["kind", "dpo"],
  ["num_examples", 0],
  ["packing", "yes"],
  ["learning_rate", "fast"],
])("%s of %s is refused", (field, value) => {
  checkRefused({ [field]: value }, field, /: found .+; expected ./);
});

test("a GRPO field is not known here", () => {
  checkRefused({ num_generations: 8 }, "num_generations", /unknown key/);
});
