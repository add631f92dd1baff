import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import { ADAPTER_CONFIG } from "../checkpoint/peft/config.ts";
import { readJson } from "../checkpoint/source.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { R1Error } from "../errors.ts";
import type { GpuContext } from "../gpu/device.ts";
import type { ModelSpec } from "./spec.ts";
import { parseModelSpec } from "./spec.ts";
import { loadWeights } from "./weights.ts";
import type { LoadOptions, ModelWeights } from "./weights.ts";

/** A model's weights on a device, ready for sessions. */
export interface LanguageModelWeights {
  readonly context: GpuContext;
  readonly spec: ModelSpec;
  readonly weights: ModelWeights;
  /** Frees the weights; sessions must be disposed first. */
  dispose(): void;
}

export interface ModelSource extends LoadOptions {
  /** Weights file instead of `model.safetensors` or its index. */
  readonly file?: string;
}

/** @throws R1Error E_FILE_MISSING for a folder without `config.json`, and what {@link parseModelSpec} throws */
export async function readModelSpec(folder: ModelFolder, signal?: AbortSignal): Promise<ModelSpec> {
  return parseModelSpec(await readModelConfig(folder, signal));
}

/** The JSON of `config.json`. @throws R1Error E_FILE_MISSING, E_JSON and what the folder's reading throws */
export async function readModelConfig(folder: ModelFolder, signal?: AbortSignal): Promise<unknown> {
  const config = await readJson(folder, "config.json", undefined, signal);
  if (config !== undefined) return config;
  const isAdapter = (await folder.open(ADAPTER_CONFIG, signal).catch(() => undefined)) !== undefined;
  const found = isAdapter ? `, but ${ADAPTER_CONFIG}: it is a LoRA adapter, which needs the model it was made for` : "";
  throw new R1Error("E_FILE_MISSING", `${folder.name}: no config.json; expected a Hugging Face model folder${found}`, {
    file: "config.json",
  });
}

/**
 * Loads a Hugging Face-layout folder's weights.
 * @throws R1Error for every way a folder can be wrong; nothing stays allocated then
 */
export async function loadModel(
  context: GpuContext,
  folder: ModelFolder,
  source: ModelSource = {},
): Promise<LanguageModelWeights> {
  const { signal, file } = source;
  const spec = await readModelSpec(folder, signal);
  const checkpoint = await openCheckpoint(folder, { ...(file ? { file } : {}), ...(signal ? { signal } : {}) });
  const scope = context.arena.scope("weights");
  try {
    const weights = await context.guarded("loading the weights", () =>
      loadWeights(context, scope, spec, checkpoint, source),
    );
    return { context, spec, weights, dispose: () => scope.dispose() };
  } catch (error) {
    scope.dispose();
    throw error;
  }
}
