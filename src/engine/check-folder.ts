import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { isR1Error, R1Error } from "../errors.ts";
import type { WeightFormat } from "../kernels/weights/format.ts";
import type { BufferLimits } from "../kernels/weights/matrix.ts";
import { readModelSpec } from "../model/load.ts";
import { judgeMemory } from "../model/memory-plan.ts";
import type { ModelSpec } from "../model/spec.ts";
import { allTensors, checkTensors, modelTensors } from "../model/tensor-names.ts";
import type { AdaptedModel } from "./open-folder.ts";
import { loadTextAssets } from "../model/text-assets.ts";
import { hasOnnx } from "../ort/onnx-files.ts";
import type { TextAssets } from "../text/load-text.ts";

/** A folder in which everything is right that can be known without reading weights. */
export interface CheckedFolder {
  readonly folder: ModelFolder;
  readonly spec: ModelSpec;
  readonly text: TextAssets;
  /** What its weights are in. */
  readonly format: "safetensors" | "onnx";
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
  let format: CheckedFolder["format"] = "safetensors";
  try {
    checkTensors(await openCheckpoint(folder, { signal }), allTensors(modelTensors(spec)));
  } catch (error) {
    const missing = isR1Error(error) && error.code === "E_FILE_MISSING";
    if (!missing || !(await hasOnnx(folder, signal))) throw error;
    format = "onnx";
  }
  return { folder, spec, text: await loadTextAssets(folder, signal), format };
}

/**
 * Holds a model with a conversation's cache against the device's largest buffers, before gigabytes are read.
 * @param contextTokens of the conversation
 * @throws R1Error E_LIMIT
 */
export function checkLimits(
  spec: ModelSpec,
  format: WeightFormat | undefined,
  contextTokens: number,
  limits: BufferLimits,
): void {
  // The smallest format stands for one that only the files tell: matrices are split, whatever their format.
  const verdict = judgeMemory(spec, { format: format ?? "q4", contextTokens, batch: 1, kv: "f32" }, limits);
  if (verdict.fits) return;
  const { reason, offer } = verdict;
  const instead = offer ? `; ${offer.request.contextTokens} tokens would fit` : "";
  throw new R1Error(
    "E_LIMIT",
    `a context of ${contextTokens} tokens needs a buffer of ${reason.bytes} bytes; this device allows ${reason.limit}${instead}`,
    { bytes: reason.bytes, limit: reason.limit },
  );
}
