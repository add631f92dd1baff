import { R1Error } from "../../errors.ts";
import { quote } from "../quote.ts";
import { parseHubAddress } from "./address.ts";
import type { HubModel } from "./choose-model.ts";

/** One way to have a model: its files, and what the weights become while they are loaded. */
export interface CatalogueForm {
  /**
   * As `parseHubAddress` reads it. With a commit where a public record of the repository's commits is known; without one,
   * the branch is resolved when the download begins, and what was stored says so when the branch has moved since.
   */
  readonly address: string;
  readonly kind: HubModel["format"];
  /** The file with the weights, as in `HubModel`. */
  readonly file: string;
  /** What safetensors are quantized to while they are loaded; GGUF files keep their own blocks. */
  readonly loadAs?: "q8" | "q4";
  /** As its publisher calls it. */
  readonly quantization: string;
  readonly downloadBytes: number;
  /** Where it is not, `downloadBytes` is about right, and the hub tells. */
  readonly isExact: boolean;
  /** Of the weights, where it is on public record: another content is refused. */
  readonly sha256?: string;
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

/** What is on public record about a file; gigabytes alone are about right. */
type Size = { readonly gigabytes: number } | { readonly bytes: number; readonly sha256?: string };

function sized(size: Size): Pick<CatalogueForm, "downloadBytes" | "isExact" | "sha256"> {
  if ("gigabytes" in size) return { downloadBytes: size.gigabytes * GB, isExact: false };
  const { bytes, sha256 } = size;
  return { downloadBytes: bytes, isExact: true, ...(sha256 === undefined ? {} : { sha256 }) };
}

/** The official weights at a commit: one download serves all of their forms. */
function official(repository: string, commit: string, size: Size): CatalogueForm[] {
  const common = {
    address: `deepseek-ai/${repository}@${commit}`,
    kind: "safetensors" as const,
    file: "model.safetensors",
    ...sized(size),
  };
  return [
    { ...common, loadAs: "q4", quantization: "bf16 → q4" },
    { ...common, loadAs: "q8", quantization: "bf16 → q8" },
  ];
}

/** A community's quantizations. @param at "@commit", or nothing for the branch */
function gguf(name: string, at: string, sizes: Readonly<Record<string, Size>>): CatalogueForm[] {
  return Object.entries(sizes).map(([quantization, size]) => {
    const file = `${name}-${quantization}.gguf`;
    return { address: `bartowski/${name}-GGUF${at}:${file}`, kind: "gguf", file, quantization, ...sized(size) };
  });
}

/** Exports for ONNX Runtime: f16 for graphics devices that have it, else f32. */
function onnx(name: string, sizes: Readonly<Record<string, Size>>): CatalogueForm[] {
  return Object.entries(sizes).map(([quantization, size]) => {
    const file = `onnx/model_${quantization}.onnx`;
    return { address: `onnx-community/${name}-ONNX:${file}`, kind: "onnx", file, quantization, ...sized(size) };
  });
}

/** The distills of DeepSeek-R1 that a browser may hold. */
export const CATALOGUE: readonly CatalogueModel[] = [
  {
    id: "qwen-1.5b",
    name: "DeepSeek-R1-Distill-Qwen-1.5B",
    parameters: 1_777_088_000,
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
      ...gguf("DeepSeek-R1-Distill-Qwen-1.5B", "", {
        Q4_K_M: {
          bytes: 1_117_320_800,
          sha256: "1741e5b2d062b07acf048bf0d2c514dadf2a48f94e2b4aa0cfe069af3838ee2f",
        },
        Q8_0: { gigabytes: 1.89 },
      }),
      ...official("DeepSeek-R1-Distill-Qwen-1.5B", "ad9f0ae0864d7fbcd1cd905e3c6c5b069cc8b562", {
        bytes: 3_554_214_621,
        sha256: "58858233513d76b8703e72eed6ce16807b523328188e13329257fb9594462945",
      }),
      ...onnx("DeepSeek-R1-Distill-Qwen-1.5B", { q4f16: { gigabytes: 1.34 }, q4: { gigabytes: 1.9 } }),
    ],
  },
  {
    id: "qwen-7b",
    name: "DeepSeek-R1-Distill-Qwen-7B",
    parameters: 7_615_616_512,
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
      ...gguf("DeepSeek-R1-Distill-Qwen-7B", "@361004151d4f4f6b446dc5e6d46fbf4422a80d5f", {
        Q4_K_M: {
          bytes: 4_683_073_504,
          sha256: "731ece8d06dc7eda6f6572997feb9ee1258db0784827e642909d9b565641937b",
        },
        Q8_0: { bytes: 8_098_525_152 },
      }),
      ...official("DeepSeek-R1-Distill-Qwen-7B", "916b56a44061fd5cd7d6a8fb632557ed4f724f60", { gigabytes: 15.24 }),
    ],
  },
  {
    id: "llama-8b",
    name: "DeepSeek-R1-Distill-Llama-8B",
    parameters: 8_030_261_248,
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
      ...gguf("DeepSeek-R1-Distill-Llama-8B", "@935d400c2ed1a29cc2a1045df25ec7998fb4dfe4", {
        Q4_K_M: {
          bytes: 4_920_736_608,
          sha256: "87bcba20b4846d8dadf753d3ff48f9285d131fc95e3e0e7e934d4f20bc896f5d",
        },
        Q8_0: { gigabytes: 8.54 },
      }),
      ...official("DeepSeek-R1-Distill-Llama-8B", "6a6f4aa4197940add57724a7707d069478df56b1", { gigabytes: 16.07 }),
    ],
  },
];

/** The catalogue's model that a repository belongs to; undefined for any other repository. */
export function catalogueModel(repository: string): CatalogueModel | undefined {
  return CATALOGUE.find(({ forms }) => forms.some(({ address }) => parseHubAddress(address).repository === repository));
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
