import { parseModelSpec } from "./spec.ts";

const MIB = 2 ** 20;

/** WebGPU's guaranteed limits. */
export const DEFAULT_LIMITS = { maxBufferSize: 256 * MIB, maxStorageBufferBindingSize: 128 * MIB };

/** R1-Distill-Qwen-1.5B's sizes. */
export const QWEN_1_5B = parseModelSpec({
  architectures: ["Qwen2ForCausalLM"],
  hidden_size: 1536,
  intermediate_size: 8960,
  max_position_embeddings: 131072,
  num_attention_heads: 12,
  num_hidden_layers: 28,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  vocab_size: 151936,
});
