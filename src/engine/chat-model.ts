import { onnxFiles } from "../checkpoint/export/onnx/export.ts";
import { inMemory } from "../checkpoint/export/in-memory.ts";
import { isR1Error } from "../errors.ts";
import type { R1Error } from "../errors.ts";
import type { GpuContext } from "../gpu/device.ts";
import type { BufferLimits } from "../kernels/weights/matrix.ts";
import { uploadAdapter } from "../model/adapter.ts";
import { openExportModel } from "../model/export-model.ts";
import type { LanguageModel } from "../model/language-model.ts";
import { loadModel } from "../model/load.ts";
import type { SessionSizes } from "../model/session-buffers.ts";
import { Session } from "../model/session.ts";
import type { ModelSpec } from "../model/spec.ts";
import { loadOnnx } from "../ort/load.ts";
import { bestVariant } from "../ort/onnx-files.ts";
import { openOrt } from "../ort/runtime.ts";
import type { OrtRuntime } from "../ort/runtime.ts";
import type { CheckedFolder } from "./check-folder.ts";
import type { LoadedModel, LoadRequest, RuntimeName } from "./protocol.ts";

/** A loaded model, whoever computes it. */
export interface ChatModel {
  readonly spec: ModelSpec;
  readonly bytes: number;
  /** With the sessions that there are. */
  readonly memoryBytes: () => number;
  readonly runtime: RuntimeName;
  readonly instead?: LoadedModel["instead"];
  /** Of the device on which sessions allocate their buffers; ONNX Runtime has its own way with memory. */
  readonly limits?: BufferLimits;
  readonly createSession: (sizes: SessionSizes) => Promise<LanguageModel>;
  readonly dispose: () => void;
}

export interface ChatModelOptions {
  readonly format?: LoadRequest["format"];
  readonly signal: AbortSignal;
  readonly onProgress: (loadedBytes: number, totalBytes: number) => void;
}

interface Choice {
  readonly runtime: RuntimeName;
  readonly instead?: LoadedModel["instead"];
}

/**
 * Loads a model as the request wants it.
 * @param device or why there is none, which only the processor can do without
 * @throws R1Error the device's error where one is needed, and what loading throws; nothing stays allocated then
 */
export async function loadChatModel(
  device: GpuContext | R1Error,
  checked: CheckedFolder,
  wanted: LoadRequest["runtime"],
  options: ChatModelOptions,
): Promise<ChatModel> {
  const gpu = isR1Error(device) ? undefined : device;
  const choice = chooseRuntime(gpu, checked, wanted);
  if (choice.runtime === "onnx-wasm") {
    const runtime = await openProcessor(choice, device);
    if (runtime) return { ...(await loadInOrt(runtime, checked, options)), ...choice };
  }
  if (isR1Error(device)) throw device;
  if (checked.format !== "onnx" && choice.runtime !== "onnx-webgpu") {
    return loadOnDevice(device, checked, options);
  }
  const runtime = await openOrt({ name: "webgpu", device: device.device });
  return { ...(await loadInOrt(runtime, checked, options)), runtime: "onnx-webgpu" };
}

/** What a request's model runs on. */
export function chooseRuntime(
  gpu: Pick<GpuContext, "adapter" | "features"> | undefined,
  { format, graphs }: Pick<CheckedFolder, "format" | "graphs">,
  wanted: LoadRequest["runtime"] = "webgpu",
): Choice {
  if (wanted === "auto") {
    if (!gpu) return { runtime: "onnx-wasm", instead: "no-device" };
    if (gpu.adapter.isFallback) return { runtime: "onnx-wasm", instead: "software-device" };
    const runsOnDevice = format !== "onnx" || bestVariant(graphs, "webgpu", gpu.features.f16) !== undefined;
    if (!runsOnDevice) return { runtime: "onnx-wasm", instead: "form" };
  }
  if (wanted === "onnx-wasm" || wanted === "onnx-webgpu") return { runtime: wanted };
  return { runtime: format === "onnx" ? "onnx-webgpu" : "webgpu" };
}

/**
 * @returns undefined where ONNX Runtime cannot be had (without a network, say) and a device in software will do
 * @throws R1Error the device's error where there is neither, E_HTTP where the processor was asked for
 */
async function openProcessor({ instead }: Choice, device: GpuContext | R1Error): Promise<OrtRuntime | undefined> {
  try {
    return await openOrt({ name: "wasm" });
  } catch (error) {
    if (instead === "software-device") return undefined;
    throw instead === "no-device" ? device : error;
  }
}

async function loadOnDevice(
  gpu: GpuContext,
  { folder, adapted }: CheckedFolder,
  { format, signal, onProgress }: ChatModelOptions,
): Promise<ChatModel> {
  const before = gpu.arena.liveBytes;
  const options = { ...(format ? { format } : {}), signal, onProgress };
  const weights = await loadModel(gpu, adapted?.base ?? folder, options);
  // Beside the weights, as it was trained: quantized again with the adapter in them, they would round most of it away.
  const scope = gpu.arena.scope("adapter");
  const adapter = adapted && uploadAdapter(gpu, scope, adapted.adapter);
  return {
    spec: weights.spec,
    bytes: gpu.arena.liveBytes - before,
    memoryBytes: () => gpu.arena.liveBytes - before,
    runtime: "webgpu",
    limits: gpu.limits,
    createSession: (sizes) => Session.create(weights, sizes, adapter),
    dispose: () => {
      scope.dispose();
      weights.dispose();
    },
  };
}

async function loadInOrt(
  runtime: OrtRuntime,
  { folder, format }: CheckedFolder,
  { signal, onProgress }: ChatModelOptions,
): Promise<Omit<ChatModel, "runtime">> {
  // Made here from the safetensors, so that no second file has to come with a model.
  const onnx =
    format === "onnx"
      ? folder
      : await inMemory(folder.name, onnxFiles(await openExportModel(folder, undefined, signal)), {
          signal,
          onProgress,
        });
  // An export has told its progress while it was made.
  const model = await loadOnnx(runtime, onnx, format === "onnx" ? { signal, onProgress } : { signal });
  return {
    spec: model.spec,
    bytes: model.bytes,
    memoryBytes: () => model.bytes,
    createSession: (sizes) => Promise.resolve(model.createSession(sizes)),
    dispose: () => void model.dispose().catch(() => undefined),
  };
}
