import type { EngineClient } from "../../engine/client.ts";
import type { CheckpointFiles, ModelSource } from "../../engine/protocol.ts";
import type { GrpoConfig } from "../../train/config/grpo-config.ts";
import type { Failure } from "../failure.ts";
import type { ReadOptions } from "../runs/read-run.ts";
import type { RecordedRun } from "../runs/recorded-run.ts";
import type { BrokenRun, ListedRun } from "../runs/run-archive.ts";
import type { RunData } from "../runs/run-data.ts";
import type { RunDatabase } from "../runs/run-database.ts";
import type { RunLock } from "../runs/run-lock.ts";

/** What the lab needs of its surroundings; tests give it doubles. */
export interface LabServices {
  readonly engine: () => Pick<EngineClient, "open" | "train">;
  readonly openDatabase: () => Promise<RunDatabase>;
  readonly lock: RunLock;
  /** Says that the engine is taken; returns the function that gives it back. */
  readonly hold: () => () => void;
  readonly fetchRecordedRuns: () => Promise<readonly RecordedRun[]>;
  readonly fetchRecordedRun: (entry: RecordedRun, options: ReadOptions) => Promise<RunData>;
  /** Reads a run that this browser keeps, where that does not hold up the page; from the archive if left out. */
  readonly readKeptRun?: (id: string, options: ReadOptions) => Promise<RunData>;
  /** Where a model that comes with the page is. */
  readonly builtInUrl: (folder: string) => string;
  /** Files that the reader has opened in this visit, by the model's name. */
  readonly pickedModel: (name: string) => ModelSource | undefined;
  readonly newRun: () => { readonly id: string; readonly started: string };
}

export interface ActiveRun {
  readonly id: string;
  /** `starting` lasts until the first event: the model is read, kernels are compiled, held-out prompts are answered. */
  readonly phase: "starting" | "running" | "pausing" | "paused" | "stepping" | "stopping";
}

export interface LabFailure extends Failure {
  /** The run that it ended, which can go on from its checkpoint. */
  readonly runId: string | undefined;
  /** Of a damaged checkpoint: the run's, and the step of the one before it. */
  readonly earlier: { readonly run: string; readonly step: number } | undefined;
}

export interface LabState {
  /** `closed`: the browser gives the page no storage, so that runs are gone with it. `full`: a write has failed. */
  readonly storage: "opening" | "open" | "closed" | "full";
  /** Another tab trains or writes; this one only reads. */
  readonly otherTab: boolean;
  readonly runs: readonly ListedRun[];
  readonly broken: readonly BrokenRun[];
  readonly recorded: readonly RecordedRun[];
  /** Runs that have been opened, by id. */
  readonly data: Readonly<Record<string, RunData>>;
  /** Ids of those that are drawn, the one in front first. */
  readonly shown: readonly string[];
  readonly active: ActiveRun | undefined;
  /** The run that is being read, and how much of it has been, 0 to 1. */
  readonly reading: { readonly id: string; readonly done: number } | undefined;
  readonly failure: LabFailure | undefined;
  /** Reads what is kept, and shows the first record; once. */
  readonly open: () => Promise<void>;
  readonly start: (config: GrpoConfig, name: string) => Promise<void>;
  /** Goes on with a run that has ended, from its last checkpoint, or from its beginning where it has none. */
  readonly resumeRun: (id: string) => Promise<void>;
  readonly pause: () => void;
  readonly step: () => void;
  readonly go: () => void;
  readonly stop: () => void;
  /** Gives up reading the run that is being read. */
  readonly cancelReading: () => void;
  /** Brings a run to the front. */
  readonly focus: (id: string) => Promise<void>;
  /** Draws a run behind the one in front, or no longer. */
  readonly overlay: (id: string, on: boolean) => Promise<void>;
  readonly rename: (id: string, name: string) => Promise<void>;
  readonly remove: (id: string) => Promise<void>;
  readonly checkpoint: (id: string) => Promise<CheckpointFiles>;
  /** Takes the checkpoint before the newest one, which is damaged, in its place. */
  readonly useEarlier: (id: string) => Promise<void>;
  /** Where a configuration's model is. @throws R1Error E_OPTION, E_FILE_MISSING, E_FILES_GONE */
  readonly sourceOf: (model: string) => Promise<ModelSource>;
  /** What a run has trained, at its last checkpoint: a model's files, or its base with the adapter. @throws as `sourceOf` */
  readonly trainedSource: (id: string, name: string) => Promise<ModelSource>;
  readonly fail: (error: unknown) => void;
  readonly dismiss: () => void;
}
