/** Entry of the engine's worker. */
import { openLibrary } from "../checkpoint/hub/opfs-library.ts";
import type { ModelLibrary } from "../checkpoint/hub/model-store.ts";
import { openCheckedGpu } from "../gpu/self-test.ts";
import { browserTemplateWorker } from "../text/browser-template-worker.ts";
import { createWorkerTemplateHost } from "../text/template-host.ts";
import { EngineHost } from "./host.ts";
import { toldMemory } from "./machine-memory.ts";
import type { ToWorker } from "./protocol.ts";
import { browserLocks, holdLife, isPing } from "./worker-life.ts";

/** `?limits=default` keeps to what every device guarantees, as the command line's option does. */
const limits = new URLSearchParams(self.location.search).get("limits") === "default" ? "default" : "highest";

let library: Promise<ModelLibrary> | undefined;

const host = new EngineHost({
  openGpu: () => openCheckedGpu(navigator.gpu, { limits }),
  deviceMemoryGiB: toldMemory(navigator),
  library: () => (library ??= openLibrary()),
  templates: createWorkerTemplateHost(() =>
    browserTemplateWorker(new Worker(new URL("../text/template-worker.ts", import.meta.url), { type: "module" })),
  ),
  post: (message, transfer = []) => self.postMessage(message, { transfer: [...transfer] }),
});

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (isPing(data)) self.postMessage({ type: "life", lock: undefined });
  else host.handle(data);
};

void holdLife((message) => self.postMessage(message), browserLocks());
