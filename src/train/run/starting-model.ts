import { openCheckpoint } from "../../checkpoint/checkpoint.ts";
import { isFloatDtype } from "../../checkpoint/floats.ts";
import { readableDtypeOf } from "../../checkpoint/gguf/dequantize/dequantize.ts";
import type { ModelFolder } from "../../checkpoint/source.ts";
import { readModelSpec } from "../../model/load.ts";
import { modelFormats } from "../../model/model-formats.ts";
import type { ModelFormats, WeightChoice } from "../../model/model-formats.ts";
import type { ModelSpec } from "../../model/spec.ts";
import type { GrpoConfig } from "../config/grpo-config.ts";

/** What a folder says about its weights before they are read. */
export interface StartingModel {
  readonly spec: ModelSpec;
  /** As its matrices lie on the device where the configuration asks for nothing else. */
  readonly formats: ModelFormats;
  /** Stored in blocks of rounded values: only an adapter can be trained. */
  readonly isQuantized: boolean;
}

/** Reads `config.json` and the headers of the weights. @throws R1Error what these throw */
export async function readStartingModel(folder: ModelFolder, signal?: AbortSignal): Promise<StartingModel> {
  const spec = await readModelSpec(folder, signal);
  const { tensors } = await openCheckpoint(folder, { signal });
  return {
    spec,
    formats: modelFormats(spec, tensors),
    isQuantized: [...tensors.values()].some((tensor) => !isFloatDtype(readableDtypeOf(tensor))),
  };
}

/** What a run's weights are held as. */
export function weightsFor(
  { lora, weights }: Pick<GrpoConfig, "lora" | "weights">,
  { formats }: StartingModel,
): WeightChoice {
  return lora ? (weights ?? formats) : "f32";
}
