import { R1Error } from "../../errors.ts";
import { quote } from "../quote.ts";

/** One way to have a model: its files, and what the weights become on the GPU. */
export interface CatalogueForm {
  /** As `parseHubAddress` reads it; a branch is resolved to a commit when the download begins. */
  readonly address: string;
  readonly kind: "safetensors" | "gguf";
  /** What safetensors are quantized to while they are loaded; GGUF files keep their own blocks. */
  readonly loadAs?: "q8" | "q4";
  /** As its publisher calls it. */
  readonly quantization: string;
  /** About; the hub tells exactly. */
  readonly downloadBytes: number;
  /** Bits of GPU memory for a weight, scales included. */
  readonly bitsPerWeight: number;
}

/** A model that is known, by the names of its `config.json`. */
export interface CatalogueModel {
  readonly id: string;
  readonly name: string;
  readonly parameters: number;
  /** Of the weights, and of the model that they were distilled into. */
  readonly licence: string;
  readonly page: string;
  /** What its `config.json` must say. */
  readonly config: {
    readonly architectures: string;
    readonly hidden_size: number;
    readonly intermediate_size: number;
    readonly num_hidden_layers: number;
    readonly num_attention_heads: number;
    readonly num_key_value_heads: number;
    readonly vocab_size: number;
    readonly max_position_embeddings: number;
    readonly rope_theta: number;
    readonly rms_norm_eps: number;
  };
  /** The one that suits most first. */
  readonly forms: readonly CatalogueForm[];
}

const GB = 1e9;
/** An f16 scale for each block of 32 weights. */
const SCALE_BITS = 16 / 32;

/** The official weights: one download serves all of their forms. */
function official(address: string, gigabytes: number): CatalogueForm[] {
  const common = { address, kind: "safetensors" as const, downloadBytes: gigabytes * GB };
  return [
    { ...common, loadAs: "q4", quantization: "bf16 → q4", bitsPerWeight: 4 + SCALE_BITS },
    { ...common, loadAs: "q8", quantization: "bf16 → q8", bitsPerWeight: 8 + SCALE_BITS },
  ];
}

/** A community's quantizations; their sizes are of what the publisher lists. */
function gguf(name: string, sizes: Readonly<Record<string, number>>, parameters: number): CatalogueForm[] {
  return Object.entries(sizes).map(([quantization, gigabytes]) => ({
    address: `bartowski/${name}-GGUF:${name}-${quantization}.gguf`,
    kind: "gguf",
    quantization,
    downloadBytes: gigabytes * GB,
    bitsPerWeight: (gigabytes * GB * 8) / parameters,
  }));
}

const PARAMETERS = { qwen1: 1_777_088_000, qwen7: 7_615_616_512, llama8: 8_030_261_248 } as const;

/** The distills of DeepSeek-R1 that a browser may hold. */
export const CATALOGUE: readonly CatalogueModel[] = [
  {
    id: "qwen-1.5b",
    name: "DeepSeek-R1-Distill-Qwen-1.5B",
    parameters: PARAMETERS.qwen1,
    licence: "MIT; Qwen2.5-Math-1.5B: Apache 2.0",
    page: "https://huggingface.co/deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",
    config: {
      architectures: "Qwen2ForCausalLM",
      hidden_size: 1536,
      intermediate_size: 8960,
      num_hidden_layers: 28,
      num_attention_heads: 12,
      num_key_value_heads: 2,
      vocab_size: 151_936,
      max_position_embeddings: 131_072,
      rope_theta: 10_000,
      rms_norm_eps: 1e-6,
    },
    forms: [
      ...gguf("DeepSeek-R1-Distill-Qwen-1.5B", { Q4_K_M: 1.12, Q8_0: 1.89 }, PARAMETERS.qwen1),
      ...official("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", 3.56),
    ],
  },
  {
    id: "qwen-7b",
    name: "DeepSeek-R1-Distill-Qwen-7B",
    parameters: PARAMETERS.qwen7,
    licence: "MIT; Qwen2.5-Math-7B: Apache 2.0",
    page: "https://huggingface.co/deepseek-ai/DeepSeek-R1-Distill-Qwen-7B",
    config: {
      architectures: "Qwen2ForCausalLM",
      hidden_size: 3584,
      intermediate_size: 18_944,
      num_hidden_layers: 28,
      num_attention_heads: 28,
      num_key_value_heads: 4,
      vocab_size: 152_064,
      max_position_embeddings: 131_072,
      rope_theta: 10_000,
      rms_norm_eps: 1e-6,
    },
    forms: [
      ...gguf("DeepSeek-R1-Distill-Qwen-7B", { Q4_K_M: 4.68, Q8_0: 8.1 }, PARAMETERS.qwen7),
      ...official("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", 15.24),
    ],
  },
  {
    id: "llama-8b",
    name: "DeepSeek-R1-Distill-Llama-8B",
    parameters: PARAMETERS.llama8,
    licence: "MIT; Llama-3.1-8B: Llama 3.1 Community License",
    page: "https://huggingface.co/deepseek-ai/DeepSeek-R1-Distill-Llama-8B",
    config: {
      architectures: "LlamaForCausalLM",
      hidden_size: 4096,
      intermediate_size: 14_336,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      num_key_value_heads: 8,
      vocab_size: 128_256,
      max_position_embeddings: 131_072,
      rope_theta: 500_000,
      rms_norm_eps: 1e-5,
    },
    forms: [
      ...gguf("DeepSeek-R1-Distill-Llama-8B", { Q4_K_M: 4.92, Q8_0: 8.54 }, PARAMETERS.llama8),
      ...official("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", 16.07),
    ],
  },
];

/** The catalogue's model that a repository belongs to; undefined for any other repository. */
export function catalogueModel(repository: string): CatalogueModel | undefined {
  return CATALOGUE.find(({ forms }) => forms.some(({ address }) => address.split(":")[0] === repository));
}

/**
 * Holds a downloaded `config.json` to what the catalogue says about its model.
 * @throws R1Error E_CONFIG naming the field, what was found and what was expected
 */
export function checkCatalogueConfig(repository: string, config: unknown): void {
  const model = catalogueModel(repository);
  if (!model) return;
  const found = new Map(Object.entries(typeof config === "object" && config !== null ? config : {}));
  for (const [field, expected] of Object.entries(model.config)) {
    const value: unknown = found.get(field);
    if (isSame(Array.isArray(value) ? value[0] : value, expected)) continue;
    throw new R1Error(
      "E_CONFIG",
      `config.json: ${field}: found ${quote(JSON.stringify(value) ?? "nothing")}; ${model.name} has ${expected}`,
      { file: "config.json", field },
    );
  }
}

/** Numbers that went through f32, as GGUF's do, are a little off. */
function isSame(found: unknown, expected: string | number): boolean {
  if (typeof found !== "number" || typeof expected !== "number") return found === expected;
  return Math.abs(found - expected) <= 1e-6 * expected;
}
