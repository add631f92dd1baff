import { R1Error } from "../../errors.ts";
import type { ReadAnswer, ReadRequest } from "./read-messages.ts";
import type { RunData } from "./run-data.ts";
import { RunAssembly } from "./run-pieces.ts";

export interface ReadOptions {
  /** How much of the run has been read, 0 to 1. */
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/** The worker's page side; tests put their own in its place. */
export interface ReadingWorker {
  post(request: ReadRequest): void;
  onAnswer(listener: (answer: ReadAnswer) => void): void;
  onFailure(listener: (reason: string) => void): void;
  terminate(): void;
}

/**
 * Reads a run in a worker of its own, which gives it over piece by piece.
 * @throws R1Error E_ABORTED; E_WORKER; what reading throws
 */
export function readRun(
  request: ReadRequest,
  { onProgress, signal }: ReadOptions = {},
  start: () => ReadingWorker = startReading,
): Promise<RunData> {
  const worker = start();
  let assembly: RunAssembly | undefined;
  const read = new Promise<RunData>((resolve, reject) => {
    const cancel = (): void => reject(new R1Error("E_ABORTED", "the reader has cancelled opening the run"));
    signal?.addEventListener("abort", cancel, { once: true });
    if (signal?.aborted) cancel();
    worker.onFailure((reason) => reject(new R1Error("E_WORKER", `reading the run: ${reason}`)));
    worker.onAnswer((answer) => {
      switch (answer.type) {
        case "head":
          assembly = new RunAssembly(answer.head);
          break;
        case "piece":
          assembly?.add(answer.piece);
          onProgress?.(answer.piece.done);
          break;
        case "end":
          if (assembly) resolve(assembly.run());
          break;
        case "error":
          reject(new R1Error(answer.error.code, answer.error.message, answer.error.details));
      }
    });
    worker.post(request);
  });
  return read.finally(() => worker.terminate());
}

function startReading(): ReadingWorker {
  const worker = new Worker(new URL("./read-worker.ts", import.meta.url), { type: "module" });
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker is its page's own
    post: (request) => worker.postMessage(request),
    onAnswer: (listener) => worker.addEventListener("message", ({ data }: MessageEvent<ReadAnswer>) => listener(data)),
    onFailure: (listener) => {
      worker.addEventListener("error", (event) => listener(event.message || "the worker could not be started"));
      worker.addEventListener("messageerror", () => listener("its message could not be read"));
    },
    terminate: () => worker.terminate(),
  };
}
