import { openCheckpoint } from "../../checkpoint/checkpoint.ts";
import { isFloatDtype } from "../../checkpoint/floats.ts";
import { readableDtypeOf } from "../../checkpoint/gguf/dequantize/dequantize.ts";
import type { ModelFolder } from "../../checkpoint/source.ts";
import type { WeightFormat } from "../../kernels/weights/format.ts";
import { deviceFormat } from "../../model/device-format.ts";
import { readModelSpec } from "../../model/load.ts";
import { parameterCount } from "../../model/spec.ts";
import type { ModelSpec } from "../../model/spec.ts";
import { modelTensors } from "../../model/tensor-names.ts";
import type { GrpoConfig } from "../config/grpo-config.ts";

/** What a folder says about its weights before they are read. */
export interface StartingModel {
  readonly spec: ModelSpec;
  /** Of most matrices on the device, where the configuration asks for nothing else. */
  readonly format: WeightFormat;
  /** Stored in blocks of rounded values: only an adapter can be trained. */
  readonly isQuantized: boolean;
}

/** Reads `config.json` and the headers of the weights. @throws R1Error what these throw */
export async function readStartingModel(folder: ModelFolder, signal?: AbortSignal): Promise<StartingModel> {
  const spec = await readModelSpec(folder, signal);
  const { tensors } = await openCheckpoint(folder, { signal });
  // As the output of the first layer's attention, which mixed quantizations keep in their usual format.
  const usual = tensors.get(modelTensors(spec).layers[0]?.output.name ?? "");
  return {
    spec,
    format: usual ? deviceFormat([readableDtypeOf(usual)], parameterCount(spec)) : "f32",
    isQuantized: [...tensors.values()].some((tensor) => !isFloatDtype(readableDtypeOf(tensor))),
  };
}

/** What a run's weights are held as. */
export function formatOf(
  { lora, weights }: Pick<GrpoConfig, "lora" | "weights">,
  { format }: StartingModel,
): WeightFormat {
  return lora ? (weights ?? format) : "f32";
}
