import { R1Error } from "../errors.ts";
import type {
  AnswerMessage,
  DeviceInfo,
  EngineCall,
  EngineMethods,
  FromWorker,
  GenerateCall,
  GenerateEvent,
  LoadedModel,
  LoadProgress,
  LoadRequest,
  MethodName,
  ProgressMessage,
  ResultMessage,
  ToWorker,
  WireError,
} from "./protocol.ts";

/** A worker that runs an `EngineHost`; tests put a host in the same thread behind it. */
export interface EngineWorker {
  post(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** Called when the worker died or could not start. */
  onFailure(listener: (reason: string) => void): void;
  terminate(): void;
}

export interface LoadOptions {
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
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
    worker.onFailure((reason) => {
      const error = new R1Error("E_WORKER", `the engine's worker stopped: ${reason}`);
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
   * @throws R1Error for every way in which a folder, the device or its memory can fail; E_ABORTED
   */
  load(request: LoadRequest, { onProgress, signal }: LoadOptions = {}): Promise<LoadedModel> {
    return this.#call({ method: "load", request }, onProgress, signal);
  }

  /**
   * Streams a generation. Leaving the loop early cancels it; so does the signal, after which the samples' ends still
   * arrive.
   * @throws R1Error what generation throws, after the events before it
   */
  async *generate(call: GenerateCall, signal?: AbortSignal): AsyncGenerator<GenerateEvent> {
    const waiting: GenerateEvent[] = [];
    let wake = (): void => undefined;
    let ended = false;
    const abort = new AbortController();
    const stop = (): void => abort.abort();
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    const onProgress = (events: readonly GenerateEvent[]): void => {
      waiting.push(...events);
      wake();
    };
    const finished = this.#call({ method: "generate", request: call }, onProgress, abort.signal).finally(() => {
      ended = true;
      wake();
    });
    // The error is thrown below, once what arrived before it has been read.
    finished.catch(() => undefined);
    try {
      for (;;) {
        const event = waiting.shift();
        if (event) yield event;
        else if (ended) break;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
      await finished;
    } finally {
      signal?.removeEventListener("abort", stop);
      if (!ended) stop();
    }
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
  ): Promise<EngineMethods[M]["result"]> {
    if (this.#dead) return Promise.reject(this.#dead);
    const id = this.#nextId++;
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
