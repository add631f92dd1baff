import { R1Error } from "../errors.ts";
import type {
  AnswerMessage,
  CheckpointFiles,
  DeviceInfo,
  DownloadProgress,
  EngineCall,
  EngineMethods,
  FromWorker,
  GenerateCall,
  GenerateEvent,
  HubOffer,
  HubRequest,
  LoadedModel,
  LoadProgress,
  LoadRequest,
  MemoryAdvice,
  MethodName,
  ModelSource,
  Pace,
  PlanRequest,
  ProgressMessage,
  ResultMessage,
  StoredChoice,
  StoredModel,
  StoredModels,
  ToWorker,
  TrainCall,
  TrainEvent,
  TrainingPlan,
  TrainingPlanCall,
  TrainProgress,
  TrainResult,
  WireError,
} from "./protocol.ts";

/** A worker that runs an `EngineHost`; tests put a host in the same thread behind it. */
export interface EngineWorker {
  post(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** Called when the worker died or could not start; `ended` where it fell silent without an error of its own. */
  onFailure(listener: (reason: string, details?: { readonly ended: boolean }) => void): void;
  terminate(): void;
}

/** How long a worker may take to stop loading once it is asked to. */
const PATIENCE_MS = 10_000;

export interface LoadOptions {
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * A run of training: its events, to be read once. Those that nobody has read wait, and leaving the loop early stops the
 * run. An error is thrown after the events before it.
 */
export interface TrainingRun extends AsyncIterable<TrainEvent> {
  /** Holds the run after the step in progress. */
  pause(): void;
  /** Goes on to the next step's event, and pauses there. */
  step(): void;
  resume(): void;
  /** Ends the run after the step in progress, with a checkpoint; within a rollout, before the step. */
  stop(): void;
  /** The last one that has arrived, of this run; it stays when the run fails. */
  readonly checkpoint: CheckpointFiles | undefined;
  /**
   * How the run ended, which may be before its last events are read.
   * @throws R1Error E_OPTION for a wrong configuration; E_ABORTED for a stop before its model was loaded; E_DEVICE_LOST,
   *   and all that loading and training throw
   */
  readonly result: Promise<TrainResult>;
}

interface Pending {
  readonly onProgress: (message: ProgressMessage<MethodName>) => void;
  readonly onAnswer: (message: AnswerMessage) => void;
  readonly onFailure: (error: R1Error) => void;
}

/** The page's side of the protocol: promises and async iterators over one worker. */
export class EngineClient {
  readonly #worker: EngineWorker;
  readonly #pending = new Map<number, Pending>();
  readonly #lossListeners = new Set<(error: R1Error) => void>();
  #nextId = 1;
  #dead: R1Error | undefined;

  constructor(worker: EngineWorker) {
    this.#worker = worker;
    worker.onMessage((message) => this.#receive(message));
    worker.onFailure((reason, details) => {
      const error = new R1Error("E_WORKER", `the engine's worker stopped: ${reason}`, details);
      this.#end(error);
      this.#tellLoss(error);
    });
  }

  /** Opens the graphics device; one that is open already stays. @throws R1Error E_NO_WEBGPU, E_NO_ADAPTER, E_SELF_TEST */
  open(): Promise<DeviceInfo> {
    return this.#call({ method: "open", request: undefined });
  }

  /**
   * Loads a model. The one before stays until this one's files are found to be right (see `LoadProgress`).
   * @throws R1Error for every way in which a folder, the device or its memory can fail; E_ABORTED, or E_WORKER where the
   *   worker does not hear the signal within ten seconds, because ONNX Runtime computes without a break, or without end
   */
  async load(request: LoadRequest, { onProgress, signal }: LoadOptions = {}): Promise<LoadedModel> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = (): void => {
      timer = setTimeout(() => {
        const error = new R1Error("E_WORKER", "the engine's worker did not stop when it was asked to");
        this.#end(error);
        this.#tellLoss(error);
      }, PATIENCE_MS);
    };
    if (signal?.aborted) wait();
    signal?.addEventListener("abort", wait);
    try {
      return await this.#call({ method: "load", request }, onProgress, signal);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wait);
    }
  }

  /**
   * Streams a generation. Leaving the loop early cancels it; so does the signal, after which the samples' ends still
   * arrive.
   * @throws R1Error what generation throws, after the events before it
   */
  async *generate(call: GenerateCall, signal?: AbortSignal): AsyncGenerator<GenerateEvent> {
    const arrived = new EventQueue<GenerateEvent>();
    const leave = new AbortController();
    const stop = signal ? AbortSignal.any([signal, leave.signal]) : leave.signal;
    const finished = this.#call({ method: "generate", request: call }, (events) => arrived.push(events), stop).finally(
      () => arrived.end(),
    );
    // The error is thrown below, once what arrived before it has been read.
    finished.catch(() => undefined);
    try {
      yield* arrived.read();
      await finished;
    } finally {
      leave.abort();
    }
  }

  /** Starts a run of training; the signal stops it as `stop` does. */
  train(call: TrainCall, { signal }: { readonly signal?: AbortSignal } = {}): TrainingRun {
    const id = this.#nextId++;
    const arrived = new EventQueue<TrainEvent>();
    const leave = new AbortController();
    const stop = signal ? AbortSignal.any([signal, leave.signal]) : leave.signal;
    let checkpoint: CheckpointFiles | undefined;
    const onProgress = (progress: readonly TrainProgress[]): void => {
      for (const item of progress) {
        if (item.type === "checkpoint") checkpoint = item.files;
        else arrived.push([item]);
      }
    };
    const training = async (): Promise<TrainResult> => {
      try {
        const result = await this.#call({ method: "train", request: call }, onProgress, stop, id);
        checkpoint = result.checkpoint;
        return result;
      } finally {
        arrived.end();
      }
    };
    const result = training();
    // Whoever reads the events is told too.
    result.catch(() => undefined);
    const setPace = (pace: Pace): void => this.#worker.post({ type: "pace", id, pace });
    return {
      pause: () => setPace("pause"),
      step: () => setPace("step"),
      resume: () => setPace("run"),
      stop: () => leave.abort(),
      get checkpoint() {
        return checkpoint;
      },
      result,
      async *[Symbol.asyncIterator]() {
        try {
          yield* arrived.read();
          await result;
        } finally {
          leave.abort();
        }
      },
    };
  }

  /**
   * What a model would take of this machine's memory, whether that fits, and what would. Open the device first: without one
   * the answer is about ONNX Runtime on the processor.
   * @throws R1Error E_CONFIG, E_ARCHITECTURE, and what opening a source throws
   */
  plan(request: PlanRequest, signal?: AbortSignal): Promise<MemoryAdvice> {
    return this.#call({ method: "plan", request }, undefined, signal);
  }

  /**
   * What a run of training will take of the device, and how long a step.
   * @throws R1Error E_OPTION, E_LIMIT, and all that opening the model's files throws
   */
  planTraining(call: TrainingPlanCall, signal?: AbortSignal): Promise<TrainingPlan> {
    return this.#call({ method: "planTraining", request: call }, undefined, signal);
  }

  /** A float model with its adapter added in. @throws R1Error E_QUANTIZED, E_LIMIT, and what opening the files throws */
  mergeAdapter(source: ModelSource): Promise<CheckpointFiles> {
    return this.#call({ method: "mergeAdapter", request: source });
  }

  /** What a hub's repository has that can be opened. @throws R1Error E_HUB_…, E_HTTP, E_HTTP_PAGE, E_STALLED */
  listHub(request: HubRequest, signal?: AbortSignal): Promise<HubOffer> {
    return this.#call({ method: "listHub", request }, undefined, signal);
  }

  /**
   * Downloads a model into the browser's storage. The signal pauses it: what has arrived stays, and the next download of
   * the same model goes on with it.
   * @throws R1Error E_ABORTED when paused; E_HUB_…, E_HTTP…, E_STALLED, E_HASH, E_QUOTA, E_STORAGE, E_BUSY
   */
  download(
    request: HubRequest,
    onProgress: (progress: DownloadProgress) => void,
    signal?: AbortSignal,
  ): Promise<StoredModel> {
    return this.#call({ method: "download", request }, onProgress, signal);
  }

  listStored(): Promise<StoredModels> {
    return this.#call({ method: "listStored", request: undefined });
  }

  /** The commit that a revision is now. @throws R1Error E_HUB_…, E_HTTP, E_STALLED */
  hubCommit(request: HubRequest, signal?: AbortSignal): Promise<string> {
    return this.#call({ method: "hubCommit", request }, undefined, signal);
  }

  /** Remembers that a stored model stays as it is. @throws R1Error E_BUSY, E_STORAGE */
  keepStored(choice: StoredChoice): Promise<void> {
    return this.#call({ method: "keepStored", request: choice });
  }

  /** @throws R1Error E_BUSY while it is being downloaded, E_STORAGE */
  removeStored(id: string): Promise<void> {
    return this.#call({ method: "removeStored", request: id });
  }

  /**
   * Gives the loaded model another context; its conversation goes on.
   * @throws R1Error E_LIMIT, E_OUT_OF_MEMORY (the context stays as it was then), E_NO_MODEL
   */
  setContext(contextTokens: number): Promise<LoadedModel> {
    return this.#call({ method: "setContext", request: contextTokens });
  }

  unload(): Promise<void> {
    return this.#call({ method: "unload", request: undefined });
  }

  /**
   * Calls back when the loaded model is lost: with the device (E_DEVICE_LOST), after which another can be loaded, or with
   * the worker (E_WORKER), after which another client is needed. Returns the function that stops listening.
   */
  onLost(listener: (error: R1Error) => void): () => void {
    this.#lossListeners.add(listener);
    return () => this.#lossListeners.delete(listener);
  }

  /** Ends the worker; calls that wait, and all later ones, fail with E_ABORTED. */
  dispose(): void {
    this.#end(new R1Error("E_ABORTED", "the engine was closed"));
  }

  #call<M extends MethodName>(
    call: EngineCall & { readonly method: M },
    onProgress?: (progress: EngineMethods[M]["progress"]) => void,
    signal?: AbortSignal,
    id = this.#nextId++,
  ): Promise<EngineMethods[M]["result"]> {
    if (this.#dead) return Promise.reject(this.#dead);
    const { method } = call;
    const cancel = (): void => this.#worker.post({ type: "cancel", id });
    const answered = new Promise<EngineMethods[M]["result"]>((resolve, reject) => {
      this.#pending.set(id, {
        onProgress: (message) => {
          if (isOf("progress", method, message)) onProgress?.(message.progress);
        },
        onAnswer: (message) => {
          if (message.type === "error") reject(fromWire(message.error));
          else if (isOf("result", method, message)) resolve(message.result);
          else reject(new R1Error("E_INTERNAL", `the worker answered ${method} as ${message.method}`));
        },
        onFailure: reject,
      });
      this.#worker.post({ type: "call", id, ...call });
      signal?.addEventListener("abort", cancel);
      if (signal?.aborted) cancel();
    });
    return answered.finally(() => {
      this.#pending.delete(id);
      signal?.removeEventListener("abort", cancel);
    });
  }

  #receive(message: FromWorker): void {
    if (message.type === "device-lost") {
      this.#tellLoss(fromWire(message.error));
      return;
    }
    const pending = this.#pending.get(message.id);
    if (message.type === "progress") pending?.onProgress(message);
    else pending?.onAnswer(message);
  }

  #tellLoss(error: R1Error): void {
    for (const listener of this.#lossListeners) listener(error);
  }

  #end(error: R1Error): void {
    this.#dead ??= error;
    this.#worker.terminate();
    for (const pending of this.#pending.values()) pending.onFailure(error);
  }
}

/** Events from the worker until somebody reads them. */
class EventQueue<E> {
  readonly #waiting: E[] = [];
  #ended = false;
  #wake = (): void => undefined;

  push(events: readonly E[]): void {
    this.#waiting.push(...events);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *read(): AsyncGenerator<E> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) yield event;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

interface Messages<M extends MethodName> {
  readonly progress: ProgressMessage<M>;
  readonly result: ResultMessage<M>;
}

/** Whether a message is a method's own; its type and method say so. */
function isOf<T extends "progress" | "result", M extends MethodName>(
  type: T,
  method: M,
  message: { readonly type: string; readonly method: MethodName },
): message is Messages<M>[T] {
  return message.type === type && message.method === method;
}

function fromWire({ code, message, details }: WireError): R1Error {
  return new R1Error(code, message, details);
}
