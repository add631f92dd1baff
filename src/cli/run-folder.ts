import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { R1Error } from "../errors.ts";
import { RUN_FILE, RUN_LOGS } from "../train/record/run-record.ts";
import type { RunLog } from "../train/record/run-record.ts";
import type { RunFiles } from "../train/record/read.ts";
import { truncateRecord } from "../train/record/read.ts";
import type { RunSink } from "../train/record/write.ts";
import type { CheckpointStore } from "../train/run/environment.ts";

const CHECKPOINT = "checkpoint";

/** A run's folder on disk: its record and its last checkpoint. */
export class RunFolder implements RunSink, CheckpointStore {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /**
   * Makes the folder ready for a new run.
   * @throws R1Error E_OPTION when a run is already there, which would be lost
   */
  begin(): void {
    if (existsSync(join(this.directory, RUN_FILE))) {
      throw new R1Error(
        "E_OPTION",
        `${this.directory} holds a run already; resume it with --resume, or name another folder`,
      );
    }
    mkdirSync(this.directory, { recursive: true });
  }

  readonly append = (file: RunLog, line: string): void => {
    appendFileSync(join(this.directory, file), `${line}\n`);
  };

  readonly write = (file: typeof RUN_FILE, text: string): void => {
    writeFileSync(join(this.directory, file), text);
  };

  /** Drops what was logged after the checkpoint that the run goes on from. */
  truncate(step: number): void {
    for (const file of RUN_LOGS) {
      const path = join(this.directory, file);
      if (!existsSync(path)) continue;
      const lines = readFileSync(path, "utf8").split("\n");
      const kept = truncateRecord(lines, step, file);
      writeFileSync(path, kept.map((line) => `${line}\n`).join(""));
    }
  }

  /** @throws R1Error E_FILE_MISSING when there is no run */
  files(): RunFiles {
    const read = (file: string): string | undefined => {
      const path = join(this.directory, file);
      return existsSync(path) ? readFileSync(path, "utf8") : undefined;
    };
    const run = read(RUN_FILE);
    if (run === undefined) {
      throw new R1Error("E_FILE_MISSING", `${this.directory}: no ${RUN_FILE}; expected a run's folder`, {
        file: RUN_FILE,
      });
    }
    return {
      [RUN_FILE]: run,
      ...Object.fromEntries(RUN_LOGS.flatMap((file) => [[file, read(file)] as const]).filter(([, text]) => text)),
    };
  }

  readonly save = (files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<string> => {
    const target = join(this.directory, CHECKPOINT);
    const fresh = `${target}.new`;
    const old = `${target}.old`;
    rmSync(fresh, { recursive: true, force: true });
    for (const [file, bytes] of files) {
      const path = join(fresh, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
    }
    // The old checkpoint stays until the new one is whole.
    rmSync(old, { recursive: true, force: true });
    if (existsSync(target)) renameSync(target, old);
    renameSync(fresh, target);
    rmSync(old, { recursive: true, force: true });
    return Promise.resolve(target);
  };

  readonly open = (): Promise<ModelFolder | undefined> => {
    const target = join(this.directory, CHECKPOINT);
    // Cut off between the two renames, the old one is the last that is whole.
    const found = [target, `${target}.old`].find((path) => existsSync(path));
    return Promise.resolve(found ? nodeFolder(found) : undefined);
  };
}
