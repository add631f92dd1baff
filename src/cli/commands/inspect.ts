import { openCheckpoint } from "../../checkpoint/checkpoint.ts";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { quote } from "../../checkpoint/quote.ts";
import { readJson } from "../../checkpoint/source.ts";
import type { ModelFolder } from "../../checkpoint/source.ts";
import { isR1Error } from "../../errors.ts";
import { modelFormats } from "../../model/model-formats.ts";
import { parameterCount, parseModelSpec } from "../../model/spec.ts";
import type { ModelSpec } from "../../model/spec.ts";
import { allTensors, checkTensors, modelTensors } from "../../model/tensor-names.ts";
import { matricesByFormat } from "../../model/weight-plan.ts";
import { UsageError } from "../args.ts";
import type { Command } from "../command.ts";
import { modelPath } from "../model-path.ts";

export const inspectCommand: Command = {
  name: "inspect",
  usage: "<path>",
  summary: "architecture, shapes and tensors of a checkpoint",
  options: {},
  maxPositionals: 1,
  async run(args) {
    const [path] = args.positionals;
    if (path === undefined) throw new UsageError("inspect needs a path");
    const { folder, file } = await modelPath(path);
    const checkpoint = await openCheckpoint(folder, file ? { file } : {});
    const spec = await specOf(folder, checkpoint.format);
    const tensors = [...checkpoint.tensors.values()].map(({ name, dtype, shape, bytes }) => ({
      name,
      dtype,
      shape,
      bytes,
    }));
    const { format, metadata } = checkpoint;
    const onDevice = spec && deviceBytes(spec, checkpoint);
    const lines = tensors.map(
      ({ name, dtype, shape, bytes }) => `${name}  ${dtype}  [${shape.join(", ")}]  ${bytes} bytes`,
    );
    return {
      json: {
        format,
        architecture: spec?.architecture ?? metadata["general.architecture"] ?? null,
        spec: spec ? specJson(spec) : null,
        device_bytes: onDevice ? Object.fromEntries(onDevice) : null,
        tensors,
        metadata,
      },
      text: [
        `${format}, ${spec ? summary(spec) : unknownModel(checkpoint)}, ${tensors.length} tensors`,
        ...(onDevice ? [`on a GPU: ${[...onDevice].map(([name, bytes]) => `${name} ${bytes} bytes`).join(", ")}`] : []),
        ...lines,
      ].join("\n"),
    };
  },
};

/** Undefined where there is no `config.json`, or where a GGUF file is of another architecture: weights alone can be looked at. */
async function specOf(folder: ModelFolder, format: Checkpoint["format"]): Promise<ModelSpec | undefined> {
  try {
    const config = await readJson(folder, "config.json");
    return config === undefined ? undefined : parseModelSpec(config);
  } catch (error) {
    if (format === "gguf" && isR1Error(error) && error.code === "E_ARCHITECTURE") return undefined;
    throw error;
  }
}

/** Bytes that the matrices take in each format on the device, the most first; undefined for what cannot be loaded. */
function deviceBytes(spec: ModelSpec, checkpoint: Checkpoint): ReadonlyMap<string, number> | undefined {
  try {
    checkTensors(checkpoint, allTensors(modelTensors(spec)));
  } catch (error) {
    if (isR1Error(error)) return undefined;
    throw error;
  }
  return matricesByFormat(spec, modelFormats(spec, checkpoint.tensors));
}

function unknownModel({ format, metadata }: Checkpoint): string {
  if (format === "safetensors") return "no config.json";
  return `architecture ${quote(metadata["general.architecture"] ?? "")}, which has no forward pass here`;
}

function summary(spec: ModelSpec): string {
  return `${spec.architecture}, ${parameterCount(spec).toLocaleString("en")} parameters`;
}

/** The spec under the names that `config.json` has for it. */
function specJson(spec: ModelSpec): object {
  const { ropeScaling } = spec;
  return {
    architecture: spec.architecture,
    vocab_size: spec.vocabSize,
    hidden_size: spec.hiddenSize,
    intermediate_size: spec.intermediateSize,
    num_hidden_layers: spec.layers,
    num_attention_heads: spec.heads,
    num_key_value_heads: spec.kvHeads,
    head_dim: spec.headDim,
    rms_norm_eps: spec.rmsNormEps,
    rope_theta: spec.ropeTheta,
    rope_scaling: ropeScaling.type === "none" ? null : scalingJson(ropeScaling),
    qkv_bias: spec.qkvBias,
    tie_word_embeddings: spec.tiedEmbeddings,
    max_position_embeddings: spec.maxPositions,
    parameters: parameterCount(spec),
  };
}

function scalingJson(scaling: Exclude<ModelSpec["ropeScaling"], { readonly type: "none" }>): object {
  if (scaling.type === "linear") return { rope_type: "linear", factor: scaling.factor };
  return {
    rope_type: "llama3",
    factor: scaling.factor,
    low_freq_factor: scaling.lowFreqFactor,
    high_freq_factor: scaling.highFreqFactor,
    original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
  };
}
