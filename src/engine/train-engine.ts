import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { quote } from "../checkpoint/quote.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { R1Error, throwIfAborted } from "../errors.ts";
import type { GpuContext } from "../gpu/device.ts";
import type { TemplateHost } from "../text/template-host.ts";
import { parseGrpoConfig } from "../train/config/grpo-config.ts";
import { parseSftConfig } from "../train/config/sft-config.ts";
import type { TrainEvent } from "../train/events.ts";
import type { RunControl, RunEnvironment } from "../train/run/environment.ts";
import { trainGrpo } from "../train/run/grpo.ts";
import { folderOf } from "../train/run/model-files.ts";
import type { FileMap } from "../train/run/model-files.ts";
import { trainSft } from "../train/run/sft.ts";
import { openFolder } from "./open-folder.ts";
import type { CheckpointFiles, TrainCall, TrainProgress, TrainResult } from "./protocol.ts";
import type { RunPace } from "./run-pace.ts";

type Run = (environment: RunEnvironment, control: RunControl) => AsyncGenerator<TrainEvent>;

/** By kind: checks a configuration, and makes the run of it. */
const RUNS: Readonly<Record<TrainCall["kind"], (json: unknown) => Run>> = {
  grpo: (json) => {
    const config = parseGrpoConfig(json);
    return (environment, control) => trainGrpo(environment, config, control);
  },
  sft: (json) => {
    const config = parseSftConfig(json);
    return (environment, control) => trainSft(environment, config, control);
  },
};

/** One run of training with its last checkpoint in memory. */
export class TrainEngine {
  readonly #start: Run;
  readonly #call: TrainCall;
  readonly #templates: TemplateHost;
  readonly #pace: RunPace;
  readonly #signal: AbortSignal;
  /** The one it goes on from, until it has made its own. */
  #checkpoint: FileMap | undefined;

  /**
   * @param signal stops the run: after its step, with a checkpoint
   * @throws R1Error E_OPTION for a wrong configuration
   */
  constructor(call: TrainCall, templates: TemplateHost, pace: RunPace, signal: AbortSignal) {
    this.#start = RUNS[call.kind](call.config);
    this.#call = call;
    this.#templates = templates;
    this.#pace = pace;
    this.#signal = signal;
    if (call.checkpoint) this.#checkpoint = new Map(Object.entries(call.checkpoint));
  }

  /**
   * Takes the run's steps as its pace allows, and tells what happens.
   * @throws R1Error E_ABORTED when it is stopped before its model is loaded, and what the run throws
   */
  async run(gpu: GpuContext, report: (progress: TrainProgress) => void): Promise<TrainResult> {
    const control = { signal: this.#signal, resume: this.#checkpoint !== undefined };
    const events = this.#start(this.#environment(gpu), control);
    try {
      let last: TrainEvent | undefined;
      // Warnings come before their step's event, and a run is not held within a step.
      while (last?.type === "warning" || (await this.#pace.turn())) {
        if (!last) throwIfAborted(this.#signal);
        const next = await events.next();
        if (next.done === true) break;
        last = next.value;
        if (last.type === "step") this.#pace.stepped();
        if (last.type === "saved") report({ type: "checkpoint", step: last.step, files: this.#files });
        report(last);
        if (last.type === "done") return { step: last.step, reason: last.reason, checkpoint: this.#files };
      }
      throw new R1Error("E_INTERNAL", "the run ended without telling how");
    } finally {
      // Frees what a run holds that is left between two events.
      await events.return(undefined);
    }
  }

  get #files(): CheckpointFiles {
    return Object.fromEntries(this.#checkpoint ?? []);
  }

  #environment(context: GpuContext): RunEnvironment {
    const models = new Map(Object.entries(this.#call.models));
    const datasets = new Map(Object.entries(this.#call.datasets ?? {}));
    return {
      context,
      openFolder: async (path) => stoppable(await openFolder(given("model", models, path), this.#signal), this.#signal),
      readDataset: async (path) => given("dataset", datasets, path),
      templateHost: this.#templates,
      checkpoints: {
        save: async (files) => {
          this.#checkpoint = files;
          return "memory";
        },
        open: async () => this.#checkpoint && folderOf("checkpoint", this.#checkpoint),
      },
      now: () => performance.now(),
    };
  }
}

/** @throws R1Error E_OPTION for a path that did not come with the call */
function given<T>(field: string, values: ReadonlyMap<string, T>, path: string): T {
  const value = values.get(path);
  if (value !== undefined) return value;
  const known = values.size === 0 ? "none was given" : `given are ${Array.from(values.keys(), quote).join(", ")}`;
  throw new R1Error("E_OPTION", `${field}: found ${quote(path)}; ${known}`, { field });
}

/** A folder whose files are read until the signal fires: a run reads them only before its first step. */
function stoppable(folder: ModelFolder, signal: AbortSignal): ModelFolder {
  const { checkpoint } = folder;
  return {
    ...folder,
    ...(checkpoint ? { checkpoint: stoppableCheckpoint(checkpoint, signal) } : {}),
    open: async (file) => {
      const source = await folder.open(file, signal);
      return source && { ...source, read: (offset, length) => source.read(offset, length, signal) };
    },
  };
}

function stoppableCheckpoint(checkpoint: Checkpoint, signal: AbortSignal): Checkpoint {
  const { format, metadata, tensors } = checkpoint;
  return { format, metadata, tensors, read: (name, begin, end) => checkpoint.read(name, begin, end, signal) };
}
