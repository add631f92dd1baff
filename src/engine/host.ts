import { blobFolder } from "../checkpoint/blob.ts";
import { httpFolder } from "../checkpoint/http.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { isR1Error, R1Error, throwIfAborted } from "../errors.ts";
import type { GpuContext } from "../gpu/device.ts";
import type { TemplateHost } from "../text/template-host.ts";
import { ChatEngine } from "./chat-engine.ts";
import { checkFolder } from "./check-folder.ts";
import { EventBatches } from "./event-batches.ts";
import type {
  AnswerMessage,
  CallMessage,
  DeviceInfo,
  FromWorker,
  GenerateCall,
  GenerateEvent,
  LoadedModel,
  LoadProgress,
  LoadRequest,
  ModelSource,
  ToWorker,
  WireError,
} from "./protocol.ts";
import { untilLost } from "./until-lost.ts";

/** What the worker's surroundings provide; tests provide Node's. */
export interface HostEnvironment {
  /** Opens and checks a device. */
  readonly openGpu: () => Promise<GpuContext>;
  /** Renders chat templates where they can be killed. */
  readonly templates: TemplateHost;
  readonly post: (message: FromWorker) => void;
}

interface Loaded {
  readonly engine: ChatEngine;
  readonly gpu: GpuContext;
}

/**
 * The worker's side of the protocol. Calls run one after another; each answers exactly once, with a result or a typed
 * error, and whatever fails leaves the host usable.
 */
export class EngineHost {
  readonly #environment: HostEnvironment;
  readonly #aborts = new Map<number, AbortController>();
  #queue: Promise<void> = Promise.resolve();
  #gpu: GpuContext | undefined;
  #loaded: Loaded | undefined;

  constructor(environment: HostEnvironment) {
    this.#environment = environment;
  }

  handle(message: ToWorker): void {
    if (message.type === "cancel") {
      this.#aborts.get(message.id)?.abort();
      return;
    }
    const abort = new AbortController();
    this.#aborts.set(message.id, abort);
    this.#queue = this.#queue.then(async () => {
      this.#environment.post(await this.#answer(message, abort.signal));
      this.#aborts.delete(message.id);
    });
  }

  /** Never throws. */
  async #answer(call: CallMessage, signal: AbortSignal): Promise<AnswerMessage> {
    const { id } = call;
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
        case "unload":
          this.#unload();
          return { type: "result", id, method: "unload", result: undefined };
      }
    } catch (error) {
      return { type: "error", id, error: toWire(error) };
    }
  }

  async #load(id: number, request: LoadRequest, signal: AbortSignal): Promise<LoadedModel> {
    let isAnswered = false;
    const report = (progress: LoadProgress): void => {
      // On a lost device, loading may go on for a while after its call has been answered.
      if (!isAnswered) this.#environment.post({ type: "progress", id, method: "load", progress });
    };
    try {
      report({ stage: "device", loadedBytes: 0, totalBytes: 0 });
      const gpu = await this.#device();
      report({ stage: "files", loadedBytes: 0, totalBytes: 0 });
      const checked = await checkFolder(openFolder(request.source), signal);
      // The old model goes before the new one comes: two at a time may not fit.
      this.#unload();
      const { templates } = this.#environment;
      const engine = await untilLost(gpu, ChatEngine.load(gpu, checked, templates, request, report, signal));
      this.#loaded = { engine, gpu };
      return engine.model;
    } finally {
      isAnswered = true;
    }
  }

  async #generate(id: number, call: GenerateCall, signal: AbortSignal): Promise<void> {
    if (!this.#loaded) throw new R1Error("E_NO_MODEL", "no model is loaded; choose one first");
    const { engine, gpu } = this.#loaded;
    const batches = new EventBatches<GenerateEvent>((progress) =>
      this.#environment.post({ type: "progress", id, method: "generate", progress }),
    );
    const run = async (): Promise<void> => {
      for await (const event of engine.generate(call, signal)) batches.push(event);
    };
    try {
      await untilLost(gpu, run());
    } finally {
      batches.close();
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
      this.#loaded = undefined;
      this.#environment.post({ type: "device-lost", error: toWire(error) });
    });
    return gpu;
  }
}

function openFolder(source: ModelSource): ModelFolder {
  if (source.kind === "url") return httpFolder(source.baseUrl);
  const [first] = source.files;
  if (!first) throw new R1Error("E_FILE_MISSING", "no files were given; expected a Hugging Face model folder");
  const [top, ...below] = first.path.split("/").filter((segment) => segment !== "");
  return blobFolder(top !== undefined && below.length > 0 ? top : "dropped files", source.files);
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

/** A plain copy of an error; what is not ours becomes E_INTERNAL with its message. */
function toWire(error: unknown): WireError {
  if (isR1Error(error)) return { code: error.code, message: error.message, details: error.details };
  return { code: "E_INTERNAL", message: error instanceof Error ? error.message : String(error), details: {} };
}
