import { openNodeGpu } from "../gpu/node/open.ts";
import type { GpuContext } from "../gpu/device.ts";
import { openChecked } from "../gpu/self-test.ts";
import { chooseKv, parseKvChoice } from "../model/kv-format.ts";
import type { KvChoice } from "../model/kv-format.ts";
import { loadModel } from "../model/load.ts";
import type { LanguageModelWeights } from "../model/load.ts";
import type { SessionSizes } from "../model/session-buffers.ts";
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

/** The option of the commands that make a session: the element type of its cache. */
export const KV_OPTION = { kv: { type: "string" } } as const;
export const KV_USAGE = "[--kv auto|f32|f16]";

export interface LoadedPath extends ModelPath {
  readonly context: GpuContext;
  readonly model: LanguageModelWeights;
}

/** Opens and checks the device that `--device` names; `--limits default` keeps to what every device guarantees. */
export function openDevice(args: Args): Promise<GpuContext> {
  const limits = args.limits();
  return openChecked((options) => openNodeGpu(args.device(), options), { limits });
}

/** `--kv`; `auto`, the default, takes f16 where an f32 cache would be large. */
export function kvFromArgs(args: Args): KvChoice {
  return parseKvChoice(args.text("kv") ?? "auto");
}

/** Sizes of a session with the cache's type. */
export function withKv(
  { model, context }: LoadedPath,
  choice: KvChoice,
  sizes: Omit<SessionSizes, "kv">,
): SessionSizes {
  return { ...sizes, kv: chooseKv(model.spec, sizes, choice, context.limits) };
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
