import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createWorkerTemplateHost } from "../template-host.ts";
import type { TemplateHost, WorkerHostOptions, WorkerLike } from "../template-host.ts";

export interface NodeTemplateHostOptions extends WorkerHostOptions {
  /** The bundle of `template-worker-node.ts`; `template-worker-node.mjs` beside the running file by default. */
  readonly workerUrl?: URL;
  /** Heap of the process that renders, in MiB. */
  readonly maxHeapMb?: number;
}

const WORKER_FILE = "template-worker-node.mjs";
const DEFAULT_HEAP_MB = 256;

/**
 * Renders templates in a process of their own with a bounded heap. A worker thread is not enough: one large allocation
 * beyond its `resourceLimits` (`x + x` on a long list) ends the whole process.
 */
export function createNodeTemplateHost(options: NodeTemplateHostOptions = {}): TemplateHost {
  const { workerUrl = new URL(WORKER_FILE, import.meta.url), maxHeapMb = DEFAULT_HEAP_MB, ...rest } = options;
  return createWorkerTemplateHost(() => templateProcess(workerUrl, maxHeapMb), rest);
}

function templateProcess(url: URL, maxHeapMb: number): WorkerLike {
  const child = fork(fileURLToPath(url), [], {
    execArgv: [`--max-old-space-size=${maxHeapMb}`],
    env: { ...process.env, NODE_OPTIONS: "" },
    serialization: "advanced",
    // A crash's report would only confuse: the host's error says what happened.
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  // An idle process must not keep this one alive (a rendering in progress does so by its timer), nor outlive it.
  child.unref();
  child.channel?.unref();
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  return {
    post: (request) => void child.send(request),
    onMessage: (listener) => child.on("message", listener),
    onFailure: (listener) => {
      child.on("error", (error) => listener(error.message));
      child.on("exit", (code, signal) => {
        listener(
          `${WORKER_FILE} ended with ${signal === null ? `status ${code}` : `signal ${signal}`}; out of memory, or the file is missing`,
        );
      });
    },
    terminate: kill,
  };
}
