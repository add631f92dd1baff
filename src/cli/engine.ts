import { openNodeGpu } from "../gpu/node/open.ts";
import type { GpuContext } from "../gpu/device.ts";
import { openChecked } from "../gpu/self-test.ts";
import { loadModel } from "../model/load.ts";
import type { LanguageModelWeights } from "../model/load.ts";
import { parseWeightFormat } from "../kernels/weights/format.ts";
import type { Args } from "./args.ts";
import { modelPath } from "./model-path.ts";
import type { ModelPath } from "./model-path.ts";

/** Options of the commands that run a model. */
export const MODEL_OPTIONS = {
  model: { type: "string" },
  weights: { type: "string" },
  limits: { type: "string" },
} as const;

export interface LoadedPath extends ModelPath {
  readonly context: GpuContext;
  readonly model: LanguageModelWeights;
}

/** Opens and checks the device that `--device` names; `--limits default` keeps to what every device guarantees. */
export function openDevice(args: Args): Promise<GpuContext> {
  const limits = args.limits();
  return openChecked((options) => openNodeGpu(args.device(), options), { limits });
}

/** Opens the device and loads the model that `--model` names; `--weights` converts or quantizes while loading. */
export async function loadFromArgs(args: Args): Promise<LoadedPath> {
  const path = await modelPath(args.required("model"));
  const weights = args.text("weights");
  const format = weights === undefined ? {} : { format: parseWeightFormat(weights) };
  const context = await openDevice(args);
  const model = await loadModel(context, path.folder, { ...format, ...(path.file ? { file: path.file } : {}) });
  return { ...path, context, model };
}
