import { EngineClient } from "./client.ts";
import type { FromWorker } from "./protocol.ts";
import { browserLocks, isLifeMessage, LifeWatch } from "./worker-life.ts";

/** Starts the engine in a worker of its own. */
export function startEngine(): EngineClient {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  let tellEnd = (): void => undefined;
  const life = new LifeWatch({
    ping: () => worker.postMessage({ type: "ping" }),
    onEnd: () => tellEnd(),
    locks: browserLocks(),
  });
  return new EngineClient({
    post: (message) => worker.postMessage(message),
    onMessage: (listener) =>
      worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
        if (isLifeMessage(data)) life.hear(data);
        else listener(data);
      }),
    onFailure: (listener) => {
      worker.addEventListener("error", (event) => listener(event.message || "it could not be started"));
      worker.addEventListener("messageerror", () => listener("its message could not be read"));
      tellEnd = () => listener("the browser has ended it", { ended: true });
    },
    terminate: () => {
      life.stop();
      worker.terminate();
    },
  });
}
