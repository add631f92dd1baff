import { inMemory } from "../checkpoint/export/in-memory.ts";
import { safetensorsFiles } from "../checkpoint/export/safetensors.ts";
import type { ModelLibrary } from "../checkpoint/hub/model-store.ts";
import { quote } from "../checkpoint/quote.ts";
import { R1Error } from "../errors.ts";
import type { GpuContext } from "../gpu/device.ts";
import { gemmShape } from "../kernels/gemm/gemm.ts";
import type { MatrixFormat } from "../kernels/weights/format.ts";
import { openExportModel } from "../model/export-model.ts";
import { parameterCount } from "../model/spec.ts";
import { mostlyIn } from "../model/weight-plan.ts";
import { measureSpeed } from "../model/training/speed.ts";
import type { DeviceSpeed } from "../model/training/speed.ts";
import { parseGrpoConfig } from "../train/config/grpo-config.ts";
import { judgeGrpo } from "../train/run/grpo-plan.ts";
import { readStartingModel, weightsFor } from "../train/run/starting-model.ts";
import { secondsPerStep } from "../train/run/step-time.ts";
import { openFolder } from "./open-folder.ts";
import type { CheckpointFiles, ModelSource, TrainingPlan, TrainingPlanCall } from "./protocol.ts";

/** What was measured of each device; it does not change while a page is open. */
const speeds = new WeakMap<GpuContext, Map<string, DeviceSpeed>>();

/**
 * What a run will take of this device, and how long.
 * @param memoryBytes that it may take; undefined where nothing is known
 * @throws R1Error E_OPTION for a wrong configuration or a model that was not given; what opening the model throws
 */
export async function planTraining(
  context: GpuContext,
  { config: json, models }: TrainingPlanCall,
  memoryBytes: number | undefined,
  library: () => Promise<ModelLibrary>,
  signal: AbortSignal,
): Promise<TrainingPlan> {
  const config = parseGrpoConfig(json);
  const source = Object.hasOwn(models, config.model) ? models[config.model] : undefined;
  if (!source) throw new R1Error("E_OPTION", `model: found ${quote(config.model)}; it was not given`);
  const model = await readStartingModel(await openFolder(source, library, signal), signal);
  const choice = weightsFor(config, model);
  const format = mostlyIn(model.spec, choice);
  const { maxBufferSize, maxStorageBufferBindingSize } = context.limits;
  const budget = { maxBufferSize, maxStorageBufferBindingSize, memoryBytes };
  const verdict = judgeGrpo(model.spec, config, choice, { budget, shape: gemmShape(context) });
  const speed = await speedOf(context, format, config.per_step_prompts * config.num_generations);
  return {
    format,
    isQuantized: model.isQuantized,
    parameters: parameterCount(model.spec),
    vocabSize: model.spec.vocabSize,
    verdict,
    secondsPerStep: secondsPerStep(config, model.spec, speed),
  };
}

async function speedOf(context: GpuContext, format: MatrixFormat, sequences: number): Promise<DeviceSpeed> {
  const known = speeds.get(context) ?? new Map<string, DeviceSpeed>();
  speeds.set(context, known);
  const key = `${format}/${Math.min(sequences, 64)}`;
  const measured = known.get(key) ?? (await measureSpeed(context, format, sequences));
  known.set(key, measured);
  return measured;
}

/** Above this a page cannot hold a model's files beside everything else. */
const MAX_MERGED_BYTES = 2 ** 30;

/**
 * A model's files in Hugging Face layout, with what its source adds in.
 * @throws R1Error E_QUANTIZED where the base is quantized, E_LIMIT where the files would be too large for a page, and what
 *   opening the model throws
 */
export async function mergeAdapter(
  source: ModelSource,
  library: () => Promise<ModelLibrary>,
  signal: AbortSignal,
): Promise<CheckpointFiles> {
  const base = source.kind === "adapted" ? source.base : source;
  if ((await readStartingModel(await openFolder(base, library, signal), signal)).isQuantized) {
    throw new R1Error(
      "E_QUANTIZED",
      "the model is quantized: with the adapter in them its weights would be rounded again",
    );
  }
  const files = safetensorsFiles(await openExportModel(await openFolder(source, library, signal), undefined, signal));
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > MAX_MERGED_BYTES) {
    throw new R1Error("E_LIMIT", `the merged model has ${bytes} bytes; a page can hold ${MAX_MERGED_BYTES}`, {
      bytes,
      limit: MAX_MERGED_BYTES,
    });
  }
  const folder = await inMemory("merged", files, { signal });
  const read = async (path: string): Promise<readonly [string, Uint8Array<ArrayBuffer>]> => {
    const file = await folder.open(path);
    return [path, file ? await file.read(0, file.size) : new Uint8Array()];
  };
  return Object.fromEntries(await Promise.all(files.map(({ path }) => read(path))));
}
