/**
 * Names of the graphs in onnx-community's repositories, by what their weights are in: f32, f16, 8 bits (three names for it),
 * 4 bits, and 4 bits with f16 arithmetic. Others there (`decoder_model_merged`, `model_bnb4`) are built otherwise.
 */
export const ONNX_VARIANTS = [
  "model",
  "model_fp16",
  "model_quantized",
  "model_int8",
  "model_uint8",
  "model_q4",
  "model_q4f16",
] as const;

export type OnnxVariant = (typeof ONNX_VARIANTS)[number];

/** A graph computes in f16: WebGPU has that as an optional feature alone. */
export function computesInF16(variant: OnnxVariant): boolean {
  return variant === "model_fp16" || variant === "model_q4f16";
}

/** Path of a variant's graph in its folder. */
export function onnxGraph(variant: OnnxVariant): string {
  return `onnx/${variant}.onnx`;
}

/** The variant whose graph a path is; undefined for every other file. */
export function onnxVariantOf(path: string): OnnxVariant | undefined {
  return ONNX_VARIANTS.find((variant) => onnxGraph(variant) === path);
}

/** Files that a graph's weights may be spread over. */
export const MOST_ONNX_PARTS = 64;

/** `model.onnx_data`, `model.onnx_data_1`, …: what lies beside a graph of 2 GB or more. */
export function onnxData(graph: string, part: number): string {
  return `${graph}_data${part === 0 ? "" : `_${part}`}`;
}
