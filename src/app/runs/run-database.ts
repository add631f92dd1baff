import type { CheckpointFiles } from "../../engine/protocol.ts";

/** What is kept of a run beside its logs; `header` is the text of its `run.json`. */
export interface StoredRun {
  readonly id: string;
  readonly name: string;
  readonly header: string;
  /** Updates done, and updates after which the last checkpoint was made; 0 for none. */
  readonly step: number;
  readonly checkpointStep: number;
}

/** Lines of a run's logs that were written together: those of one step. */
export interface StoredChunk {
  readonly run: string;
  /** Order of writing. */
  readonly seq: number;
  readonly step: number;
  /** Text by log, each line with its line break. */
  readonly logs: Readonly<Record<string, string>>;
}

/**
 * Where runs are kept: the browser's database, or memory. What is read may have been written by another version of the
 * page or be damaged; whoever reads it checks it. Each write happens whole or not at all.
 */
export interface RunDatabase {
  /** Whether what is written is still there after a reload. */
  readonly isPersistent: boolean;
  /** Rows by id. */
  runs(): Promise<ReadonlyMap<string, unknown>>;
  putRun(run: StoredRun): Promise<void>;
  /** In their order, those that were written after `after`, at most `most` of them. */
  chunks(run: string, after?: number, most?: number): Promise<readonly unknown[]>;
  /** The order of the last chunk; below 0 where there is none. */
  lastSeq(run: string): Promise<number>;
  /** Adds a chunk and puts the run's row that goes with it. */
  append(chunk: StoredChunk, run: StoredRun): Promise<void>;
  /** Takes away the chunks of steps after `step`, and puts the run's row that goes with it. */
  truncate(step: number, run: StoredRun): Promise<void>;
  /** Replaces a run's checkpoint, and puts the run's row that goes with it. */
  putCheckpoint(files: CheckpointFiles, run: StoredRun): Promise<void>;
  checkpoint(run: string): Promise<unknown>;
  /** With its chunks and its checkpoint. */
  remove(run: string): Promise<void>;
}
