import type { ExportFile } from "../file.ts";
import { jsonFile } from "../file.ts";
import type { ExportModel } from "../model.ts";
import { textFiles } from "../safetensors.ts";
import { decoderGraph } from "./decoder.ts";
import { isExternal, onnxModel } from "./graph.ts";
import { protoChunks, protoSize } from "./proto.ts";

/** Protobuf readers stop at 2 GiB; larger weights lie in a file of their own. */
const MAX_MODEL_BYTES = 1.9e9;

export interface OnnxOptions {
  /** Bytes of weights above which they lie in `model.onnx_data`. */
  readonly maxModelBytes?: number | undefined;
}

/**
 * A model for ONNX Runtime in the layout that onnx-community's repositories have: `onnx/model.onnx` (f32) beside the
 * configuration and the tokenizer.
 * @throws R1Error E_TENSOR_MISSING, E_DTYPE while it is read
 */
export function onnxFiles(model: ExportModel, { maxModelBytes = MAX_MODEL_BYTES }: OnnxOptions = {}): ExportFile[] {
  const graph = decoderGraph(model);
  const weights = graph.initializers.filter(isExternal).map(({ data }) => data);
  const external = protoSize(weights) > maxModelBytes;
  const proto = onnxModel(graph, external ? "model.onnx_data" : undefined);
  const file = (path: string, parts: typeof proto): ExportFile => ({
    path,
    size: protoSize(parts),
    chunks: (signal) => protoChunks(parts, signal),
  });
  return [
    jsonFile("config.json", model.config),
    ...textFiles(model),
    file("onnx/model.onnx", proto),
    ...(external ? [file("onnx/model.onnx_data", weights)] : []),
  ];
}
