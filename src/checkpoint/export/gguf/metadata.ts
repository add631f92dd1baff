import type { WrittenValue } from "../../gguf/write.ts";
import type { ExportModel } from "../model.ts";
import type { WrittenDtype } from "./quantize.ts";

/** Sampling that the model's makers advise. */
export interface GgufSampling {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
}

export type GgufArchitecture = "qwen2" | "llama";

export const ARCHITECTURES = {
  Qwen2ForCausalLM: "qwen2",
  LlamaForCausalLM: "llama",
} as const satisfies Readonly<Record<ExportModel["spec"]["architecture"], GgufArchitecture>>;

/** What most of a file's matrices are (llama.h, `enum llama_ftype`). */
const FILE_TYPES = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 7, BF16: 32 } as const satisfies Readonly<
  Record<WrittenDtype, number>
>;
/** Version of the block formats (ggml.h, `GGML_QNT_VERSION`). */
const QUANTIZATION_VERSION = 2;

/** General keys and the architecture's, as llama.cpp reads them. */
export function modelMetadata(
  { name, spec }: Pick<ExportModel, "name" | "spec">,
  dtype: WrittenDtype,
  sampling: GgufSampling,
): Map<string, WrittenValue> {
  const architecture = ARCHITECTURES[spec.architecture];
  const { temperature, topP, topK } = sampling;
  const optional = (key: string, type: "f32" | "i32", value: number | undefined) =>
    value === undefined ? [] : [[key, [type, value]] as const];
  const entries: readonly (readonly [string, WrittenValue])[] = [
    ["general.architecture", ["string", architecture]],
    ["general.type", ["string", "model"]],
    ["general.name", ["string", name]],
    ["general.file_type", ["u32", FILE_TYPES[dtype]]],
    ["general.quantization_version", ["u32", QUANTIZATION_VERSION]],
    ...optional("general.sampling.temp", "f32", temperature),
    ...optional("general.sampling.top_p", "f32", topP),
    ...optional("general.sampling.top_k", "i32", topK),
    [`${architecture}.context_length`, ["u32", spec.maxPositions]],
    [`${architecture}.embedding_length`, ["u32", spec.hiddenSize]],
    [`${architecture}.block_count`, ["u32", spec.layers]],
    [`${architecture}.feed_forward_length`, ["u32", spec.intermediateSize]],
    [`${architecture}.attention.head_count`, ["u32", spec.heads]],
    [`${architecture}.attention.head_count_kv`, ["u32", spec.kvHeads]],
    [`${architecture}.attention.key_length`, ["u32", spec.headDim]],
    [`${architecture}.attention.value_length`, ["u32", spec.headDim]],
    [`${architecture}.attention.layer_norm_rms_epsilon`, ["f32", spec.rmsNormEps]],
    [`${architecture}.rope.dimension_count`, ["u32", spec.headDim]],
    [`${architecture}.rope.freq_base`, ["f32", spec.ropeTheta]],
    ...linearScaling(architecture, spec),
    [`${architecture}.vocab_size`, ["u32", spec.vocabSize]],
  ];
  return new Map(entries);
}

function linearScaling(
  architecture: GgufArchitecture,
  { ropeScaling }: ExportModel["spec"],
): readonly (readonly [string, WrittenValue])[] {
  if (ropeScaling.type !== "linear") return [];
  return [
    [`${architecture}.rope.scaling.type`, ["string", "linear"]],
    [`${architecture}.rope.scaling.factor`, ["f32", ropeScaling.factor]],
  ];
}
