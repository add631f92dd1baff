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

/** A checkpoint as it is kept. Earlier pages have kept its files alone. */
export interface StoredCheckpoint {
  readonly files: CheckpointFiles;
  /** SHA-256 of each file in hexadecimal; none where the browser does not compute it. */
  readonly sums: Readonly<Record<string, string>>;
}

export type WhichCheckpoint = "newest" | "before";

/** Lines of a run's logs that were written together: those of one step. */
export interface StoredChunk {
  readonly run: string;
  /** Order of writing. */
  readonly seq: number;
  readonly step: number;
  /** Text by log, each line with its line break. */
  readonly logs: Readonly<Record<string, string>>;
}

/** Where the checkpoint before a run's newest is kept, beside that under the run's id. */
export function beforeKey(run: string): string {
  return `before/${run}`;
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
  /**
   * Puts a run's checkpoint and the run's row that goes with it. The one before is kept beside it, unless there is no
   * room for both.
   */
  putCheckpoint(checkpoint: StoredCheckpoint, run: StoredRun): Promise<void>;
  checkpoint(run: string, which: WhichCheckpoint): Promise<unknown>;
  /** Lets the two checkpoints of a run change places, and puts the run's row that goes with it. */
  swapCheckpoints(run: StoredRun): Promise<void>;
  /** With its chunks and its checkpoints. */
  remove(run: string): Promise<void>;
}
