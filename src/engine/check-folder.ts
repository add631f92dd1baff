import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { isR1Error } from "../errors.ts";
import { readModelSpec } from "../model/load.ts";
import { allTensors, checkTensors, modelTensors } from "../model/tensor-names.ts";
import { loadTextAssets } from "../model/text-assets.ts";
import { hasOnnx } from "../ort/onnx-files.ts";
import type { TextAssets } from "../text/load-text.ts";

/** A folder in which everything is right that can be known without reading weights. */
export interface CheckedFolder {
  readonly folder: ModelFolder;
  readonly text: TextAssets;
  /** What its weights are in. */
  readonly format: "safetensors" | "onnx";
}

/**
 * Checks the text files, config.json and the headers of the weights, so that a folder which cannot be loaded costs nothing
 * that is loaded. A folder without safetensors may hold an ONNX model.
 * @throws R1Error for every way in which these can be wrong, E_ABORTED
 */
export async function checkFolder(folder: ModelFolder, signal: AbortSignal): Promise<CheckedFolder> {
  const spec = await readModelSpec(folder, signal);
  let format: CheckedFolder["format"] = "safetensors";
  try {
    checkTensors(await openCheckpoint(folder, { signal }), allTensors(modelTensors(spec)));
  } catch (error) {
    const missing = isR1Error(error) && error.code === "E_FILE_MISSING";
    if (!missing || !(await hasOnnx(folder, signal))) throw error;
    format = "onnx";
  }
  return { folder, text: await loadTextAssets(folder, signal), format };
}
