import { isR1Error, R1Error, throwIfAborted } from "../errors.ts";
import type { ModelLibrary } from "../checkpoint/hub/model-store.ts";
import type { GpuContext } from "../gpu/device.ts";
import type { TemplateHost } from "../text/template-host.ts";
import { ChatEngine } from "./chat-engine.ts";
import { DEFAULT_CONTEXT } from "./chat-sessions.ts";
import { checkFolder, openWeights } from "./check-folder.ts";
import type { CheckedFolder } from "./check-folder.ts";
import { EventBatches } from "./event-batches.ts";
import { memoryLimit, safeMemory } from "./machine-memory.ts";
import {
  adviseMemory,
  heldAs,
  offerAfterFull,
  offerDetails,
  requireFit,
  weightsOfFolder,
  weightsOfListing,
} from "./memory-advice.ts";
import type { Machine } from "./memory-advice.ts";
import { ModelDownloads } from "./model-downloads.ts";
import { openAdapted, openFolder } from "./open-folder.ts";
import { mergeAdapter, planTraining } from "./plan-training.ts";
import { RunPace } from "./run-pace.ts";
import { TrainEngine } from "./train-engine.ts";
import type {
  AnswerMessage,
  CallMessage,
  DeviceInfo,
  DownloadProgress,
  FromWorker,
  GenerateCall,
  GenerateEvent,
  LoadedModel,
  LoadProgress,
  LoadRequest,
  MemoryAdvice,
  MethodName,
  PlanRequest,
  ToWorker,
  TrainCall,
  TrainProgress,
  TrainResult,
  WireError,
} from "./protocol.ts";
import { readModelSpec } from "../model/load.ts";
import { parseModelSpec } from "../model/spec.ts";
import { untilLost } from "./until-lost.ts";

/** What the worker's surroundings provide; tests provide Node's. */
export interface HostEnvironment {
  /** Opens and checks a device. */
  readonly openGpu: () => Promise<GpuContext>;
  /** Where downloaded models are. */
  readonly library: () => Promise<ModelLibrary>;
  /** `navigator.deviceMemory`: undefined where nothing is known. */
  readonly deviceMemoryGiB?: number | undefined;
  /** Renders chat templates where they can be killed. */
  readonly templates: TemplateHost;
  /** @param transfer buffers of the message that need not be copied: the worker is done with them */
  readonly post: (message: FromWorker, transfer?: readonly ArrayBuffer[]) => void;
}

/** How a call that has not been answered is reached. */
interface Reins {
  readonly abort: AbortController;
  /** Only used by a run of training. */
  readonly pace: RunPace;
}

interface Loaded {
  readonly engine: ChatEngine;
  /** The device that it is on; undefined for the processor. */
  readonly gpu: GpuContext | undefined;
  /** As it was asked for, and what that came to. */
  readonly format: LoadRequest["format"];
  readonly held: LoadRequest["format"];
}

/** Calls that use no device, and wait for none that does. */
const UNQUEUED: ReadonlySet<MethodName> = new Set([
  "plan",
  "mergeAdapter",
  "listHub",
  "hubCommit",
  "download",
  "listStored",
  "keepStored",
  "removeStored",
]);

/**
 * The worker's side of the protocol. Calls that use the device run one after another; each answers exactly once, with a result or a typed
 * error, and whatever fails leaves the host usable.
 */
export class EngineHost {
  readonly #environment: HostEnvironment;
  readonly #downloads: ModelDownloads;
  readonly #calls = new Map<number, Reins>();
  #queue: Promise<void> = Promise.resolve();
  #gpu: GpuContext | undefined;
  #loaded: Loaded | undefined;

  constructor(environment: HostEnvironment) {
    this.#environment = environment;
    this.#downloads = new ModelDownloads(environment.library);
  }

  handle(message: ToWorker): void {
    switch (message.type) {
      case "cancel":
        this.#calls.get(message.id)?.abort.abort();
        break;
      case "pace":
        this.#calls.get(message.id)?.pace.set(message.pace);
        break;
      case "call": {
        const abort = new AbortController();
        const reins: Reins = { abort, pace: new RunPace(abort.signal) };
        this.#calls.set(message.id, reins);
        if (message.method === "train") reins.pace.set(message.request.pace ?? "run");
        const run = async (): Promise<void> => {
          const answer = await this.#answer(message, reins);
          this.#environment.post(answer, ownedBuffers(answer));
          this.#calls.delete(message.id);
        };
        if (UNQUEUED.has(message.method)) void run();
        else this.#queue = this.#queue.then(run);
      }
    }
  }

  /** Never throws. */
  async #answer(call: CallMessage, { abort, pace }: Reins): Promise<AnswerMessage> {
    const { id } = call;
    const { signal } = abort;
    try {
      // Cancelled while it waited for the calls before it.
      throwIfAborted(signal);
      switch (call.method) {
        case "open":
          return { type: "result", id, method: "open", result: describe(await this.#device()) };
        case "load":
          return { type: "result", id, method: "load", result: await this.#load(id, call.request, signal) };
        case "generate":
          await this.#generate(id, call.request, signal);
          return { type: "result", id, method: "generate", result: undefined };
        case "train":
          return { type: "result", id, method: "train", result: await this.#train(id, call.request, pace, signal) };
        case "setContext":
          return { type: "result", id, method: "setContext", result: await this.#setContext(call.request) };
        case "planTraining": {
          const { library, deviceMemoryGiB } = this.#environment;
          const memory = memoryLimit(deviceMemoryGiB);
          const result = await planTraining(await this.#device(), call.request, memory, library, signal);
          return { type: "result", id, method: "planTraining", result };
        }
        case "mergeAdapter": {
          const result = await mergeAdapter(call.request, this.#environment.library, signal);
          return { type: "result", id, method: "mergeAdapter", result };
        }
        case "unload":
          this.#unload();
          return { type: "result", id, method: "unload", result: undefined };
        case "plan":
          return { type: "result", id, method: "plan", result: await this.#plan(call.request, signal) };
        case "listHub":
          return { type: "result", id, method: "listHub", result: await this.#downloads.offer(call.request, signal) };
        case "download": {
          const report = (progress: DownloadProgress): void =>
            this.#environment.post({ type: "progress", id, method: "download", progress });
          const result = await this.#downloads.download(call.request, report, signal);
          return { type: "result", id, method: "download", result };
        }
        case "listStored":
          return { type: "result", id, method: "listStored", result: await this.#downloads.list() };
        case "hubCommit":
          return {
            type: "result",
            id,
            method: "hubCommit",
            result: await this.#downloads.commit(call.request, signal),
          };
        case "keepStored":
          await this.#downloads.keep(call.request);
          return { type: "result", id, method: "keepStored", result: undefined };
        case "removeStored":
          await this.#downloads.remove(call.request);
          return { type: "result", id, method: "removeStored", result: undefined };
      }
    } catch (error) {
      return { type: "error", id, error: toWire(error) };
    }
  }

  async #load(id: number, request: LoadRequest, signal: AbortSignal): Promise<LoadedModel> {
    let isAnswered = false;
    let held = request.format;
    const report = (progress: LoadProgress): void => {
      // On a lost device, loading may go on for a while after its call has been answered.
      if (!isAnswered) this.#environment.post({ type: "progress", id, method: "load", progress });
    };
    try {
      report({ stage: "device", loadedBytes: 0, totalBytes: 0 });
      const device = await this.#deviceOrError(request);
      report({ stage: "files", loadedBytes: 0, totalBytes: 0 });
      const checked = await this.#check(request, signal);
      const { spec } = checked;
      const weights = weightsOfFolder(spec, checked);
      held = heldAs(spec, weights, request.format);
      const gpu = isR1Error(device) ? undefined : device;
      const wanted = { ...request, runtime: request.runtime ?? "webgpu" };
      const advice = adviseMemory(spec, weights, wanted, this.#machine(gpu));
      requireFit(advice);
      // Half floats may have been chosen for want of memory, which a session, judging by buffers alone, would not know.
      const cached: LoadRequest = advice.kv === "f16" ? { ...request, kv: "f16" } : request;
      // The old model goes before the new one comes: two at a time may not fit.
      this.#unload();
      const { templates } = this.#environment;
      const engine = await untilLost(gpu, ChatEngine.load(device, checked, templates, cached, report, signal));
      const { format } = request;
      this.#loaded = { engine, gpu: engine.model.runtime === "onnx-wasm" ? undefined : gpu, format, held };
      return engine.model;
    } catch (error) {
      throw withOffer(error, request.contextTokens ?? DEFAULT_CONTEXT, request.format, held);
    } finally {
      isAnswered = true;
    }
  }

  async #check({ source }: LoadRequest, signal: AbortSignal): Promise<CheckedFolder> {
    const { library } = this.#environment;
    if (source.kind !== "adapted") return checkFolder(await openFolder(source, library, signal), signal);
    const { folder, adapted } = await openAdapted(source, library, signal);
    return { ...(await checkFolder(folder, signal)), adapted };
  }

  async #generate(id: number, call: GenerateCall, signal: AbortSignal): Promise<void> {
    if (!this.#loaded) throw new R1Error("E_NO_MODEL", "no model is loaded; choose one first");
    const { engine, gpu, format, held } = this.#loaded;
    const batches = new EventBatches<GenerateEvent>((progress) =>
      this.#environment.post({ type: "progress", id, method: "generate", progress }),
    );
    const run = async (): Promise<void> => {
      for await (const event of engine.generate(call, signal)) batches.push(event);
    };
    try {
      await untilLost(gpu, run());
    } catch (error) {
      // What is left would fill up again: all of it goes, and the page proposes what takes less.
      if (isFull(error)) this.#unload();
      throw withOffer(error, engine.model.contextTokens, format, held);
    } finally {
      batches.close();
    }
  }

  async #setContext(contextTokens: number): Promise<LoadedModel> {
    if (!this.#loaded) throw new R1Error("E_NO_MODEL", "no model is loaded; choose one first");
    const { engine, gpu } = this.#loaded;
    return untilLost(gpu, engine.setContext(contextTokens));
  }

  /** Judges by the device that is open; the page opens it first. */
  async #plan({ model, ...request }: PlanRequest, signal: AbortSignal): Promise<MemoryAdvice> {
    const machine = this.#machine(this.#gpu);
    if (model.kind === "config") {
      const spec = parseModelSpec(model.config);
      return adviseMemory(spec, weightsOfListing(spec, model.weights), request, machine);
    }
    const folder = await openFolder(model.source, this.#environment.library, signal);
    const spec = await readModelSpec(folder, signal);
    return adviseMemory(spec, weightsOfFolder(spec, await openWeights(folder, spec, signal)), request, machine);
  }

  #machine(gpu: GpuContext | undefined): Machine {
    const { deviceMemoryGiB } = this.#environment;
    return { gpu, memoryBytes: memoryLimit(deviceMemoryGiB), safeBytes: safeMemory(deviceMemoryGiB) };
  }

  async #train(id: number, call: TrainCall, pace: RunPace, signal: AbortSignal): Promise<TrainResult> {
    const engine = new TrainEngine(call, this.#environment, pace, signal);
    const gpu = await this.#device();
    const batches = new EventBatches<TrainProgress>((progress) =>
      this.#environment.post({ type: "progress", id, method: "train", progress }),
    );
    const report = (progress: TrainProgress): void => {
      batches.push(progress);
      // Warnings go with their step, a checkpoint with the event that it is saved.
      if (progress.type !== "warning" && progress.type !== "checkpoint") batches.flush();
    };
    try {
      return await untilLost(gpu, engine.run(gpu, report));
    } finally {
      batches.close();
      pace.end();
    }
  }

  /** Where the processor may take a device's place, its error is for the choice between them. */
  async #deviceOrError({ runtime }: LoadRequest): Promise<GpuContext | R1Error> {
    try {
      return await this.#device();
    } catch (error) {
      if (isR1Error(error) && (runtime === "auto" || runtime === "onnx-wasm")) return error;
      throw error;
    }
  }

  #unload(): void {
    this.#loaded?.engine.dispose();
    this.#loaded = undefined;
  }

  async #device(): Promise<GpuContext> {
    if (this.#gpu) return this.#gpu;
    const gpu = await this.#environment.openGpu();
    this.#gpu = gpu;
    gpu.onLost((error) => {
      // Nothing on a lost device can be used or freed; the next call opens a new one.
      this.#gpu = undefined;
      if (this.#loaded?.gpu) this.#loaded = undefined;
      this.#environment.post({ type: "device-lost", error: toWire(error) });
    });
    return gpu;
  }
}

/** Buffers of an answer that nothing here uses any more. */
function ownedBuffers(answer: AnswerMessage): ArrayBuffer[] {
  if (answer.type !== "result" || answer.method !== "train") return [];
  return [...new Set(Object.values(answer.result.checkpoint).map(({ buffer }) => buffer))];
}

function describe({ adapter, features, limits }: GpuContext): DeviceInfo {
  return {
    description: adapter.description || adapter.device,
    vendor: adapter.vendor,
    architecture: adapter.architecture,
    isFallback: adapter.isFallback,
    features: (["f16", "subgroups", "timestamps"] as const).filter((name) => features[name]),
    maxBufferSize: limits.maxBufferSize,
    maxBindingSize: limits.maxStorageBufferBindingSize,
  };
}

function isFull(error: unknown): error is R1Error {
  return isR1Error(error) && error.code === "E_OUT_OF_MEMORY";
}

/** An error of full memory says what would take less. */
function withOffer(
  error: unknown,
  contextTokens: number,
  format: LoadRequest["format"],
  held: LoadRequest["format"],
): unknown {
  if (!isFull(error)) return error;
  const details = { ...error.details, ...offerDetails(offerAfterFull(contextTokens, format, held)) };
  return new R1Error(error.code, error.message, details, { cause: error });
}

/** A plain copy of an error; what is not ours becomes E_INTERNAL with its message. */
function toWire(error: unknown): WireError {
  if (isR1Error(error)) return { code: error.code, message: error.message, details: error.details };
  return { code: "E_INTERNAL", message: error instanceof Error ? error.message : String(error), details: {} };
}
