/** Entry of the engine's worker. */
import { openCheckedGpu } from "../gpu/self-test.ts";
import { browserTemplateWorker } from "../text/browser-template-worker.ts";
import { createWorkerTemplateHost } from "../text/template-host.ts";
import { EngineHost } from "./host.ts";
import type { ToWorker } from "./protocol.ts";

const host = new EngineHost({
  openGpu: () => openCheckedGpu(navigator.gpu),
  templates: createWorkerTemplateHost(() =>
    browserTemplateWorker(new Worker(new URL("../text/template-worker.ts", import.meta.url), { type: "module" })),
  ),
  post: (message, transfer = []) => self.postMessage(message, { transfer: [...transfer] }),
});

self.onmessage = ({ data }: MessageEvent<ToWorker>) => host.handle(data);
