import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FIXTURES } from "../testing-data.ts";
import { parameterCount, parseModelSpec } from "./spec.ts";

/** `config.json` of DeepSeek-R1-Distill-Qwen-1.5B. */
const QWEN = {
  architectures: ["Qwen2ForCausalLM"],
  attention_dropout: 0,
  bos_token_id: 151643,
  eos_token_id: 151643,
  hidden_act: "silu",
  hidden_size: 1536,
  intermediate_size: 8960,
  max_position_embeddings: 131072,
  max_window_layers: 21,
  model_type: "qwen2",
  num_attention_heads: 12,
  num_hidden_layers: 28,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  sliding_window: 4096,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
  use_cache: true,
  use_mrope: false,
  use_sliding_window: false,
  vocab_size: 151936,
};

/** The parts of DeepSeek-R1-Distill-Llama-8B's that matter. */
const LLAMA = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  attention_bias: false,
  mlp_bias: false,
  hidden_act: "silu",
  hidden_size: 4096,
  intermediate_size: 14336,
  max_position_embeddings: 131072,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  rope_scaling: {
    factor: 8,
    high_freq_factor: 4,
    low_freq_factor: 1,
    original_max_position_embeddings: 8192,
    rope_type: "llama3",
  },
  rope_theta: 500000,
  tie_word_embeddings: false,
  vocab_size: 128256,
};

const without = (config: object, name: string): object =>
  Object.fromEntries(Object.entries(config).filter(([key]) => key !== name));

describe("config.json", () => {
  it("of the R1 distills gives their shapes", () => {
    const qwen = parseModelSpec(QWEN);
    expect(qwen).toMatchObject({
      architecture: "Qwen2ForCausalLM",
      headDim: 128,
      kvHeads: 2,
      qkvBias: true,
      tiedEmbeddings: false,
      ropeTheta: 10000,
      ropeScaling: { type: "none" },
      maxPositions: 131072,
    });
    expect(parameterCount(qwen)).toBe(1_777_088_000);
    const llama = parseModelSpec(LLAMA);
    expect(llama).toMatchObject({
      headDim: 128,
      qkvBias: false,
      ropeScaling: {
        type: "llama3",
        factor: 8,
        lowFreqFactor: 1,
        highFreqFactor: 4,
        originalMaxPositionEmbeddings: 8192,
      },
    });
    expect(parameterCount(llama)).toBe(8_030_261_248);
    expect(Object.isFrozen(llama)).toBe(true);
  });

  it.each(["qwen2-tiny", "qwen2-tiny-f16", "llama-tiny"])("of the fixture %s is read", (name) => {
    const config: unknown = JSON.parse(readFileSync(join(FIXTURES, name, "config.json"), "utf8"));
    expect(parseModelSpec(config).layers).toBeGreaterThan(1);
  });

  it("fills in what transformers leaves out", () => {
    expect(parseModelSpec(without(QWEN, "tie_word_embeddings")).tiedEmbeddings).toBe(false);
    expect(parseModelSpec(without(QWEN, "architectures")).architecture).toBe("Qwen2ForCausalLM");
    expect(parseModelSpec(without(LLAMA, "num_key_value_heads")).kvHeads).toBe(32);
    expect(parseModelSpec({ ...QWEN, head_dim: 64 }).headDim).toBe(64);
    expect(parseModelSpec({ ...QWEN, rope_scaling: null }).ropeScaling).toEqual({ type: "none" });
    const parameters = { rope_theta: 1e6, rope_type: "linear", factor: 2 };
    expect(parseModelSpec({ ...without(QWEN, "rope_theta"), rope_parameters: parameters })).toMatchObject({
      ropeTheta: 1e6,
      ropeScaling: { type: "linear", factor: 2 },
    });
  });

  it.each([
    [
      "another architecture",
      { ...QWEN, architectures: ["MambaForCausalLM"] },
      /^E_ARCHITECTURE.*MambaForCausalLM.*Qwen2/,
    ],
    ["an inherited name", { ...QWEN, architectures: ["constructor"] }, /^E_ARCHITECTURE.*constructor/],
    ["no architecture", without(without(QWEN, "architectures"), "model_type"), /^E_ARCHITECTURE/],
    ["a list", [], /^E_CONFIG.*JSON object/],
    ["nothing", null, /^E_CONFIG/],
    ["a missing size", without(QWEN, "hidden_size"), /^E_CONFIG: config.json: hidden_size: missing/],
    ["a size that is no number", { ...QWEN, vocab_size: "many" }, /^E_CONFIG.*vocab_size.*"many"/],
    ["an absurd size", { ...QWEN, num_hidden_layers: 1e9 }, /^E_CONFIG.*num_hidden_layers.*1000000000/],
    ["heads that do not divide", { ...QWEN, num_key_value_heads: 5 }, /^E_CONFIG.*num_key_value_heads/],
    ["a fractional head size", { ...QWEN, num_attention_heads: 11, num_key_value_heads: 1 }, /^E_CONFIG.*head_dim/],
    ["another activation", { ...QWEN, hidden_act: "gelu" }, /^E_CONFIG.*hidden_act.*gelu.*silu/],
    ["sliding windows", { ...QWEN, use_sliding_window: true }, /^E_CONFIG.*use_sliding_window/],
    [
      "layers with windows",
      { ...QWEN, layer_types: ["full_attention", "sliding_attention"] },
      /^E_CONFIG.*layer_types/,
    ],
    ["biases that are not computed", { ...LLAMA, attention_bias: true }, /^E_CONFIG.*attention_bias/],
    ["another rotary scaling", { ...LLAMA, rope_scaling: { rope_type: "yarn", factor: 4 } }, /^E_CONFIG.*yarn/],
    [
      "half a rotary scaling",
      { ...LLAMA, rope_scaling: { rope_type: "llama3", factor: 4 } },
      /^E_CONFIG.*low_freq_factor/,
    ],
    [
      "another library's quantization",
      { ...QWEN, quantization_config: { quant_method: "gptq" } },
      /^E_QUANTIZATION.*gptq/,
    ],
  ])("with %s is refused", (_, config, expected) => {
    let found = "accepted";
    try {
      parseModelSpec(config);
    } catch (error) {
      if (error instanceof Error && "code" in error) found = `${String(error.code)}: ${error.message}`;
    }
    expect(found).toMatch(expected);
  });
});
