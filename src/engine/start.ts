import { EngineClient } from "./client.ts";
import type { FromWorker } from "./protocol.ts";

/** Starts the engine in a worker of its own. */
export function startEngine(): EngineClient {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  return new EngineClient({
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => listener(data)),
    onFailure: (listener) => {
      worker.addEventListener("error", (event) => listener(event.message || "it could not be started"));
      worker.addEventListener("messageerror", () => listener("its message could not be read"));
    },
    terminate: () => worker.terminate(),
  });
}
