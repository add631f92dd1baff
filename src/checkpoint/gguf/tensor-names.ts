/** Hugging Face's names for what GGUF calls otherwise (llama.cpp, gguf-py/gguf/tensor_mapping.py). */
const WHOLE: Readonly<Record<string, string>> = {
  "token_embd.weight": "model.embed_tokens.weight",
  "output_norm.weight": "model.norm.weight",
  "output.weight": "lm_head.weight",
};

const IN_LAYER: Readonly<Record<string, string>> = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

/** The name that the model knows a tensor by; its own where it has no other. */
export function huggingFaceName(name: string): string {
  const [, layer, part = "", kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? [];
  const inLayer = Object.hasOwn(IN_LAYER, part) ? IN_LAYER[part] : undefined;
  if (inLayer !== undefined) return `model.layers.${layer}.${inLayer}.${kind}`;
  return (Object.hasOwn(WHOLE, name) ? WHOLE[name] : undefined) ?? name;
}

const GGUF_WHOLE = new Map(Object.entries(WHOLE).map(([gguf, name]) => [name, gguf]));
const GGUF_IN_LAYER = new Map(Object.entries(IN_LAYER).map(([gguf, name]) => [name, gguf]));

/** The name that a tensor of the model has in a GGUF file: the way back of {@link huggingFaceName}. */
export function ggufName(name: string): string {
  const [, layer, part = "", kind] = /^model\.layers\.(\d+)\.([\w.]+)\.(weight|bias)$/.exec(name) ?? [];
  const inLayer = GGUF_IN_LAYER.get(part);
  if (inLayer !== undefined) return `blk.${layer}.${inLayer}.${kind}`;
  return GGUF_WHOLE.get(name) ?? name;
}
