import { R1Error } from "../../errors.ts";
import { quote } from "../quote.ts";
import type { CheckpointTensor } from "../tensor.ts";
import type { MetadataReader } from "./metadata.ts";

/** Architectures as GGUF and as Hugging Face name them, and whether the converter turns the rows of q and k round. */
const ARCHITECTURES: ReadonlyMap<string, { readonly name: string; readonly pairedHeads: boolean }> = new Map([
  ["qwen2", { name: "Qwen2ForCausalLM", pairedHeads: false }],
  ["llama", { name: "LlamaForCausalLM", pairedHeads: true }],
]);

export function architectureOf(metadata: MetadataReader): string | undefined {
  return metadata.string("general.architecture");
}

export function hasPairedHeads(architecture: string): boolean {
  return ARCHITECTURES.get(architecture)?.pairedHeads === true;
}

/** Llama 3's frequency factors, as a tensor: metadata do not tell how they came about. */
export const ROPE_FACTORS = "rope_freqs.weight";

export interface ConfigSource {
  readonly metadata: MetadataReader;
  /** By Hugging Face's names. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** The values of {@link ROPE_FACTORS}, where there are any. */
  readonly ropeFactors: Float32Array | undefined;
}

/**
 * What the model's `config.json` would say.
 * @throws R1Error E_ARCHITECTURE for a model that is not supported, E_CONFIG for metadata that are missing, wrong or
 * describe a variant that is not supported
 */
export function modelConfig({ metadata, tensors, ropeFactors }: ConfigSource): object {
  const type = architectureOf(metadata) ?? "";
  const architecture = ARCHITECTURES.get(type);
  if (!architecture) {
    const supported = [...ARCHITECTURES.keys()].join(", ");
    throw new R1Error("E_ARCHITECTURE", `${metadata.file}: architecture ${quote(type)}; supported are ${supported}`, {
      found: type,
    });
  }
  const key = (name: string): string => `${type}.${name}`;
  const needed = (name: string): number => {
    const value = metadata.integer(key(name));
    if (value === undefined) throw metadata.error(key(name), "missing");
    return value;
  };
  if ((metadata.integer(key("expert_count")) ?? 0) > 0) {
    throw metadata.error(key("expert_count"), "a mixture of experts is not supported");
  }
  const hidden = needed("embedding_length");
  const heads = needed("attention.head_count");
  const headDim = metadata.integer(key("attention.key_length")) ?? hidden / heads;
  for (const name of ["attention.value_length", "rope.dimension_count"]) {
    const found = metadata.integer(key(name)) ?? headDim;
    if (found !== headDim)
      throw metadata.error(key(name), `found ${found}; only a head's whole width, ${headDim}, is supported`);
  }
  const theta = metadata.number(key("rope.freq_base")) ?? 10_000;
  const scaling = ropeFactors ? llama3Scaling(metadata, ropeFactors, theta, headDim) : plainScaling(metadata, key);
  return {
    architectures: [architecture.name],
    model_type: type,
    vocab_size: vocabularySize(metadata, tensors, key("vocab_size")),
    hidden_size: hidden,
    intermediate_size: needed("feed_forward_length"),
    num_hidden_layers: needed("block_count"),
    num_attention_heads: heads,
    num_key_value_heads: metadata.integer(key("attention.head_count_kv")) ?? heads,
    head_dim: headDim,
    rms_norm_eps: metadata.number(key("attention.layer_norm_rms_epsilon")) ?? 1e-6,
    rope_theta: theta,
    ...(scaling ? { rope_scaling: scaling } : {}),
    hidden_act: "silu",
    tie_word_embeddings: !tensors.has("lm_head.weight"),
    max_position_embeddings: needed("context_length"),
    ...idField(metadata, "bos_token_id"),
    ...idField(metadata, "eos_token_id"),
  };
}

/** The embedding's rows are what counts: some converters pad the list of tokens, others do not. */
function vocabularySize(
  metadata: MetadataReader,
  tensors: ReadonlyMap<string, CheckpointTensor>,
  key: string,
): number | undefined {
  return (
    tensors.get("model.embed_tokens.weight")?.shape[0] ??
    metadata.integer(key) ??
    metadata.strings("tokenizer.ggml.tokens")?.length
  );
}

function idField(metadata: MetadataReader, name: string): object {
  const id = metadata.integer(`tokenizer.ggml.${name}`);
  return id === undefined ? {} : { [name]: id };
}

function plainScaling(metadata: MetadataReader, key: (name: string) => string): object | undefined {
  const type = metadata.string(key("rope.scaling.type")) ?? "none";
  if (type === "none") return undefined;
  const factor = metadata.number(key("rope.scaling.factor"));
  if (type === "linear") return factor === undefined || factor === 1 ? undefined : { rope_type: "linear", factor };
  throw metadata.error(key("rope.scaling.type"), `${quote(type)} is not supported; supported are none and linear`);
}

/** As in all models that have this scaling. */
const BOUNDS = { low_freq_factor: 1, high_freq_factor: 4 };
/** Positions of the context that Llama 3's models were trained with first, where the factors do not tell. */
const LLAMA3_POSITIONS = 8192;
/** Factors are stored as f32 of a computation in f32. */
const FACTOR_TOLERANCE = 1e-4;

/** Llama 3's scaling, known by the factors that it gives (transformers, `_compute_llama3_parameters`). */
function llama3Scaling(metadata: MetadataReader, factors: Float32Array, theta: number, headDim: number): object {
  const factor = factors.reduce((most, value) => Math.max(most, value), 1);
  const { low_freq_factor: low, high_freq_factor: high } = BOUNDS;
  const wavelength = (pair: number): number => 2 * Math.PI * theta ** ((2 * pair) / headDim);
  // A factor between the two bounds tells which context it was computed for.
  const between = factors.findIndex((found) => found > 1 + FACTOR_TOLERANCE && found < factor * (1 - FACTOR_TOLERANCE));
  const smoothOf = (found: number): number => (1 / found - 1 / factor) / (1 - 1 / factor);
  const original =
    between < 0
      ? LLAMA3_POSITIONS
      : Math.round(wavelength(between) * (low + (high - low) * smoothOf(factors[between] ?? 1)));
  const isLlama3 =
    factors.length === headDim / 2 &&
    factors.every((found, pair) => {
      const smooth = Math.min(1, Math.max(0, (original / wavelength(pair) - low) / (high - low)));
      const expected = 1 / ((1 - smooth) / factor + smooth);
      return Math.abs(found - expected) <= FACTOR_TOLERANCE * expected;
    });
  if (isLlama3) return { rope_type: "llama3", factor, ...BOUNDS, original_max_position_embeddings: original };
  throw metadata.error(ROPE_FACTORS, "rotary frequency factors other than Llama 3's are not supported");
}
