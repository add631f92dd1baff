import type { WorkerLike } from "./template-host.ts";

/** Makes a web worker that runs `template-worker.ts` usable by `createWorkerTemplateHost`. */
export function browserTemplateWorker(worker: Worker): WorkerLike {
  return {
    post: (request) => worker.postMessage(request),
    onMessage: (listener) => worker.addEventListener("message", ({ data }: MessageEvent<unknown>) => listener(data)),
    onFailure: (listener) => {
      worker.addEventListener("error", (event) => listener(event.message || "it could not be started"));
      worker.addEventListener("messageerror", () => listener("its answer could not be read"));
    },
    terminate: () => worker.terminate(),
  };
}
