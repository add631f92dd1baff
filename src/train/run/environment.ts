import type { ModelFolder } from "../../checkpoint/source.ts";
import type { GpuContext } from "../../gpu/device.ts";
import type { TemplateHost } from "../../text/template-host.ts";

/** What a run needs from where it runs: Node and the worker each have their own. */
export interface RunEnvironment {
  readonly context: GpuContext;
  /** Opens the folder that a configuration names. */
  readonly openFolder: (path: string) => ModelFolder | Promise<ModelFolder>;
  /** Text of the JSONL file that a configuration names. */
  readonly readDataset: (path: string) => Promise<string>;
  readonly templateHost: TemplateHost;
  readonly checkpoints: CheckpointStore;
  /** Milliseconds of a clock that only differences are taken of. */
  readonly now: () => number;
}

/** Where checkpoints are kept. A checkpoint replaces the last one whole, or not at all. */
export interface CheckpointStore {
  /** @returns the checkpoint's path, for the event */
  readonly save: (files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) => Promise<string>;
  /** The last checkpoint's folder; undefined when there is none. */
  readonly open: () => Promise<ModelFolder | undefined>;
}

/** Stops a run between two steps, or inside a rollout. */
export interface RunControl {
  readonly signal?: AbortSignal;
  /** Goes on from the checkpoint in the store. */
  readonly resume?: boolean;
}

/** First parts of random paths: what a random number is for. */
export const PURPOSE = {
  init: 1,
  examples: 2,
  order: 3,
  problems: 4,
  rollout: 5,
  evaluation: 6,
  adapter: 7,
} as const;
