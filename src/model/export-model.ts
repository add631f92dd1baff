import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import type { ExportModel } from "../checkpoint/export/model.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { readTexts, TEXT_FILES } from "../checkpoint/text-files.ts";
import { ropeFrequencies } from "../kernels/rope/rope.ts";
import { readModelConfig } from "./load.ts";
import { parseModelSpec } from "./spec.ts";
import { allTensors, checkTensors, checkTied, modelTensors } from "./tensor-names.ts";

/**
 * Opens a Hugging Face-layout folder for the exporters; needs no device, and reads no weights yet.
 * @param file weights file instead of `model.safetensors` or its index
 * @throws R1Error E_FILE_MISSING, and what `parseModelSpec`, `openCheckpoint` and `checkTensors` throw
 */
export async function openExportModel(folder: ModelFolder, file?: string, signal?: AbortSignal): Promise<ExportModel> {
  const config = await readModelConfig(folder, signal);
  const spec = parseModelSpec(config);
  const checkpoint = await openCheckpoint(folder, { file, signal });
  const tensors = allTensors(modelTensors(spec));
  checkTensors(checkpoint, tensors);
  await checkTied(checkpoint, spec, signal);
  const texts = await readTexts(folder, TEXT_FILES, signal);
  return {
    name: folder.name,
    spec,
    frequencies: ropeFrequencies(spec.headDim, spec.ropeTheta, spec.ropeScaling),
    // The tensors' names are those of this architecture, also where the file was a base model's.
    config: { ...Object.fromEntries(Object.entries(config ?? {})), architectures: [spec.architecture] },
    tensors,
    checkpoint,
    texts,
  };
}
