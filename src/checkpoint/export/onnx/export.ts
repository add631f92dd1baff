import type { ExportFile } from "../file.ts";
import { jsonFile } from "../file.ts";
import type { ExportModel } from "../model.ts";
import { textFiles } from "../safetensors.ts";
import { decoderGraph } from "./decoder.ts";
import type { OnnxWeights } from "./decoder.ts";
import { isExternal, onnxModel } from "./graph.ts";
import { protoChunks, protoSize } from "./proto.ts";

/** Protobuf readers stop at 2 GiB; larger weights lie in a file of their own. */
const MAX_MODEL_BYTES = 1.9e9;

/** onnx-community's names of the variants. */
const FILES: Readonly<Record<OnnxWeights, string>> = {
  f32: "model.onnx",
  f16: "model_fp16.onnx",
  q4: "model_q4.onnx",
};

export interface OnnxOptions {
  /** f32 by default. */
  readonly weights?: OnnxWeights | undefined;
  /** Bytes of weights above which they lie in a file of their own, `model.onnx_data`. */
  readonly maxModelBytes?: number | undefined;
}

/**
 * A model for ONNX Runtime in the layout that onnx-community's repositories have: `onnx/model.onnx` beside the
 * configuration and the tokenizer, or `model_q4.onnx`, `model_fp16.onnx`.
 * @throws R1Error E_TENSOR_MISSING, E_DTYPE, E_QUANTIZATION for a value that f16 has not, while it is read
 */
export function onnxFiles(
  model: ExportModel,
  { weights: stored = "f32", maxModelBytes = MAX_MODEL_BYTES }: OnnxOptions = {},
): ExportFile[] {
  const graph = decoderGraph(model, stored);
  const name = FILES[stored];
  const weights = graph.initializers.filter(isExternal).map(({ data }) => data);
  const external = protoSize(weights) > maxModelBytes;
  const proto = onnxModel(graph, external ? `${name}_data` : undefined);
  const file = (path: string, parts: typeof proto): ExportFile => ({
    path,
    size: protoSize(parts),
    chunks: (signal) => protoChunks(parts, signal),
  });
  return [
    jsonFile("config.json", model.config),
    ...textFiles(model),
    file(`onnx/${name}`, proto),
    ...(external ? [file(`onnx/${name}_data`, weights)] : []),
  ];
}
