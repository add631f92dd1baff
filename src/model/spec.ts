import { R1Error } from "../errors.ts";
import type { RopeScaling } from "../kernels/rope/rope.ts";
import { ConfigReader } from "./config-reader.ts";

/** The one source of shapes: what a checkpoint's `config.json` says, checked, with nothing left to guess. */
export interface ModelSpec {
  readonly architecture: Architecture;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling;
  /** q, k and v have a bias. */
  readonly qkvBias: boolean;
  /** The output projection is the embedding table. */
  readonly tiedEmbeddings: boolean;
  /** Positions the model was made for (`max_position_embeddings`). */
  readonly maxPositions: number;
}

/** What tells one supported architecture from another; `config.json` says the rest. */
interface ArchitectureTraits {
  readonly qkvBias: boolean;
  readonly kvHeadsDefault: (heads: number) => number;
}

const ARCHITECTURES = {
  Qwen2ForCausalLM: { qkvBias: true, kvHeadsDefault: () => 32 },
  LlamaForCausalLM: { qkvBias: false, kvHeadsDefault: (heads) => heads },
} as const satisfies Record<string, ArchitectureTraits>;

export type Architecture = keyof typeof ARCHITECTURES;

/** Saved without the output projection, which then is the embedding or lies beside. */
const BASE_MODELS: Readonly<Record<string, Architecture>> = {
  Qwen2Model: "Qwen2ForCausalLM",
  LlamaModel: "LlamaForCausalLM",
};

const MODEL_TYPES: Readonly<Record<string, Architecture>> = { qwen2: "Qwen2ForCausalLM", llama: "LlamaForCausalLM" };

// Caps that every real checkpoint stays far below; a hostile configuration may not ask for more.
const MAX_LAYERS = 512;
const MAX_WIDTH = 1 << 20;
const MAX_VOCABULARY = 1 << 24;
const MAX_POSITIONS = 1 << 24;

/**
 * Reads a Hugging Face `config.json`.
 * @throws R1Error E_ARCHITECTURE for a model this project has no forward pass for, naming what was found
 * @throws R1Error E_CONFIG for a missing field, a value out of range or a variant that is not supported
 * @throws R1Error E_QUANTIZATION for weights in a quantized layout of another library
 */
export function parseModelSpec(config: unknown, file = "config.json"): ModelSpec {
  const read = new ConfigReader(config, file);
  const architecture = architectureOf(read);
  const traits: ArchitectureTraits = ARCHITECTURES[architecture];
  if (read.has("quantization_config")) {
    const method = read.object("quantization_config")?.optionalString("quant_method") ?? "unknown";
    throw new R1Error(
      "E_QUANTIZATION",
      `${file}: weights quantized by ${method}; expected F32, F16 or BF16 safetensors`,
    );
  }
  const hiddenSize = read.integer("hidden_size", 1, MAX_WIDTH);
  const heads = read.integer("num_attention_heads", 1, MAX_WIDTH);
  const kvHeads = read.integer("num_key_value_heads", 1, heads, traits.kvHeadsDefault(heads));
  const headDim = read.integer("head_dim", 2, MAX_WIDTH, hiddenSize / heads);
  if (heads % kvHeads !== 0) {
    throw read.error("num_key_value_heads", `${kvHeads} does not divide num_attention_heads, ${heads}`);
  }
  if (headDim % 2 !== 0) throw read.error("head_dim", `${headDim} is odd; rotary position embeddings need pairs`);
  read.expect("hidden_act", "silu", "silu");
  // Variants of the two architectures that would compute something else.
  for (const flag of ["attention_bias", "mlp_bias", "use_sliding_window"]) read.expect(flag, false, false);
  read.expect("partial_rotary_factor", 1, 1);
  const layerTypes = read.array("layer_types");
  if (layerTypes?.some((type) => type !== "full_attention")) {
    throw read.error("layer_types", "layers with sliding attention are not supported");
  }
  return Object.freeze({
    architecture,
    vocabSize: read.integer("vocab_size", 1, MAX_VOCABULARY),
    hiddenSize,
    intermediateSize: read.integer("intermediate_size", 1, MAX_WIDTH),
    layers: read.integer("num_hidden_layers", 1, MAX_LAYERS),
    heads,
    kvHeads,
    headDim,
    rmsNormEps: read.positive("rms_norm_eps", 1e-6),
    ...rotaryOf(read),
    qkvBias: traits.qkvBias,
    tiedEmbeddings: read.boolean("tie_word_embeddings", false),
    maxPositions: read.integer("max_position_embeddings", 1, MAX_POSITIONS, 32_768),
  });
}

function architectureOf(read: ConfigReader): Architecture {
  const named = read.array("architectures")?.[0];
  const type = read.optionalString("model_type");
  const base = typeof named === "string" && Object.hasOwn(BASE_MODELS, named) ? BASE_MODELS[named] : undefined;
  if (base) return base;
  const name = typeof named === "string" ? named : type === undefined ? undefined : (MODEL_TYPES[type] ?? type);
  if (isArchitecture(name)) return name;
  const supported = Object.keys(ARCHITECTURES).join(", ");
  throw new R1Error("E_ARCHITECTURE", `${read.file}: architecture ${name ?? "not named"}; supported are ${supported}`, {
    found: name ?? "",
  });
}

function isArchitecture(name: string | undefined): name is Architecture {
  return name !== undefined && Object.hasOwn(ARCHITECTURES, name);
}

/** `rope_theta` and `rope_scaling`, or both in `rope_parameters` as newer files have them. */
function rotaryOf(read: ConfigReader): Pick<ModelSpec, "ropeTheta" | "ropeScaling"> {
  const joined = read.object("rope_parameters");
  const ropeTheta = (joined?.has("rope_theta") ? joined : read).positive("rope_theta", 10_000);
  const scaling = joined ?? read.object("rope_scaling");
  const type = scaling?.optionalString("rope_type") ?? scaling?.optionalString("type") ?? "default";
  switch (type) {
    case "default":
      return { ropeTheta, ropeScaling: { type: "none" } };
    case "linear":
      return { ropeTheta, ropeScaling: { type: "linear", factor: (scaling ?? read).positive("factor") } };
    case "llama3": {
      const from = scaling ?? read;
      const ropeScaling: RopeScaling = {
        type: "llama3",
        factor: from.positive("factor"),
        lowFreqFactor: from.positive("low_freq_factor"),
        highFreqFactor: from.positive("high_freq_factor"),
        originalMaxPositionEmbeddings: from.integer("original_max_position_embeddings", 1, MAX_POSITIONS),
      };
      if (ropeScaling.highFreqFactor <= ropeScaling.lowFreqFactor) {
        throw from.error("high_freq_factor", "expected a number above low_freq_factor");
      }
      return { ropeTheta, ropeScaling };
    }
    default:
      throw read.error("rope_scaling", `type ${type} is not supported; supported are default, linear and llama3`);
  }
}

/** Parameters of a model: embedding, layers, final norm and, unless tied, the output projection. */
export function parameterCount(spec: ModelSpec): number {
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim, vocabSize } = spec;
  const projected = (heads + 2 * kvHeads) * headDim;
  const attention = projected * (hiddenSize + (spec.qkvBias ? 1 : 0)) + heads * headDim * hiddenSize;
  const layer = attention + 3 * hiddenSize * intermediateSize + 2 * hiddenSize;
  return vocabSize * hiddenSize * (spec.tiedEmbeddings ? 1 : 2) + spec.layers * layer + hiddenSize;
}
