import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { ONNX_VARIANTS } from "../checkpoint/onnx/variants.ts";
import { quote } from "../checkpoint/quote.ts";
import { isR1Error, R1Error } from "../errors.ts";
import { readModelSpec } from "../model/load.ts";
import type { ModelSpec } from "../model/spec.ts";
import { allTensors, checkTensors, modelTensors } from "../model/tensor-names.ts";
import type { AdaptedModel } from "./open-folder.ts";
import { loadTextAssets } from "../model/text-assets.ts";
import { onnxGraphs } from "../ort/onnx-files.ts";
import type { OnnxGraphs } from "../ort/onnx-files.ts";
import type { TextAssets } from "../text/load-text.ts";

/** A folder in which everything is right that can be known without reading weights. */
export interface CheckedFolder {
  readonly folder: ModelFolder;
  readonly spec: ModelSpec;
  readonly text: TextAssets;
  /** What its weights are in; GGUF files are shown as safetensors are. */
  readonly format: "safetensors" | "onnx";
  /** Its tensors; undefined where its weights are ONNX graphs. */
  readonly checkpoint: Checkpoint | undefined;
  /** ONNX graphs that it holds, where these are its weights. */
  readonly graphs: OnnxGraphs;
  /** Where the folder is a model with an adapter added in: the two apart. */
  readonly adapted?: AdaptedModel;
}

/**
 * Checks the text files, config.json and the headers of the weights, so that a folder which cannot be loaded costs nothing
 * that is loaded. A folder without safetensors may hold an ONNX model.
 * @throws R1Error for every way in which these can be wrong, E_ABORTED
 */
export async function checkFolder(folder: ModelFolder, signal: AbortSignal): Promise<CheckedFolder> {
  const spec = await readModelSpec(folder, signal);
  const weights = await openWeights(folder, spec, signal);
  const format = weights.checkpoint ? "safetensors" : "onnx";
  return { folder, spec, text: await loadTextAssets(folder, signal), format, ...weights };
}

/**
 * A folder's headers, or the ONNX graphs of one without safetensors.
 * @throws R1Error as {@link checkFolder}
 */
export async function openWeights(
  folder: ModelFolder,
  spec: ModelSpec,
  signal: AbortSignal,
): Promise<Pick<CheckedFolder, "checkpoint" | "graphs">> {
  try {
    const checkpoint = await openCheckpoint(folder, { signal });
    checkTensors(checkpoint, allTensors(modelTensors(spec)));
    return { checkpoint, graphs: new Map() };
  } catch (error) {
    if (!isR1Error(error) || error.code !== "E_FILE_MISSING") throw error;
    const graphs: OnnxGraphs = await onnxGraphs(folder, signal);
    if (graphs.size === 0) throw await withFound(error, folder);
    return { checkpoint: undefined, graphs };
  }
}

/** Weights of other kinds, by the ends of their names, and why they are not read. */
const FOREIGN: readonly (readonly [ends: RegExp, why: string])[] = [
  [/^adapter_model\.|^adapter_config\.json$/, "which is an adapter; choose its base model, and the adapter beside it"],
  [/\.(bin|pt|pth|ckpt)$/, "which is PyTorch's own format and may run code; convert it to safetensors"],
  [/\.(h5|msgpack)$/, "which is TensorFlow's or Flax's; convert it to safetensors"],
  [/\.ort$/, "which is ONNX Runtime's own format; choose its .onnx file"],
  [/\.onnx$/, `which is none of ${ONNX_VARIANTS.map((variant) => `${variant}.onnx`).join(", ")}`],
  [/\.safetensors$/, "which is not called model.safetensors, nor named by an index"],
];

/** The error of missing weights, with what there is instead. */
async function withFound(error: R1Error, folder: ModelFolder): Promise<R1Error> {
  const names = (await (folder.paths ?? folder.list)?.()) ?? [];
  for (const [ends, why] of FOREIGN) {
    const found = names.find((name) => ends.test(name.slice(name.lastIndexOf("/") + 1)));
    if (found !== undefined)
      return new R1Error(error.code, `${error.message}; found ${quote(found)}, ${why}`, error.details);
  }
  return error;
}
