import { ggufHeader, paddingAfter, tensorBytes } from "./write.ts";
import type { WrittenTensor, WrittenValue } from "./write.ts";

/** What the smallest Qwen2 model's file says, with a byte-level vocabulary of eight tokens. */
export const TINY_METADATA: ReadonlyMap<string, WrittenValue> = new Map<string, WrittenValue>([
  ["general.architecture", ["string", "qwen2"]],
  ["general.name", ["string", "tiny"]],
  ["qwen2.context_length", ["u32", 64]],
  ["qwen2.embedding_length", ["u32", 32]],
  ["qwen2.block_count", ["u32", 1]],
  ["qwen2.feed_forward_length", ["u32", 48]],
  ["qwen2.attention.head_count", ["u32", 2]],
  ["qwen2.attention.head_count_kv", ["u32", 1]],
  ["qwen2.attention.layer_norm_rms_epsilon", ["f32", 2 ** -20]],
  ["qwen2.rope.freq_base", ["f32", 10_000]],
  ["tokenizer.ggml.model", ["string", "gpt2"]],
  ["tokenizer.ggml.pre", ["string", "qwen2"]],
  ["tokenizer.ggml.tokens", ["strings", ["a", "b", "ab", "Ġ", "c", "<end>", "<think>", "[PAD7]"]]],
  ["tokenizer.ggml.token_type", ["i32s", [1, 1, 1, 1, 1, 3, 4, 5]]],
  ["tokenizer.ggml.merges", ["strings", ["a b"]]],
  ["tokenizer.ggml.eos_token_id", ["u32", 5]],
  ["tokenizer.ggml.add_bos_token", ["bool", false]],
  ["tokenizer.chat_template", ["string", "{{ messages[0].content }}"]],
]);

/** A GGUF file whose data are the given bytes, or a pattern where there are none. */
export function buildGguf(
  metadata: ReadonlyMap<string, WrittenValue>,
  tensors: readonly (WrittenTensor & { readonly data?: Uint8Array })[],
): Uint8Array<ArrayBuffer> {
  const parts = [ggufHeader(metadata, tensors)];
  for (const [i, tensor] of tensors.entries()) {
    const bytes = new Uint8Array(tensorBytes(tensor)).fill(i + 1);
    if (tensor.data) bytes.set(tensor.data);
    parts.push(bytes, new Uint8Array(paddingAfter(bytes.length)));
  }
  const file = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}
