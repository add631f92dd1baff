import { join } from "node:path";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import { quote } from "../checkpoint/quote.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { R1Error } from "../errors.ts";
import { parseRunHeader } from "../train/record/read.ts";
import { RUN_FILE, RUN_LOGS } from "../train/record/run-record.ts";
import type { RunHeader, RunLog } from "../train/record/run-record.ts";
import { lastStepOf, trimLog } from "../train/record/trim.ts";
import { headerText } from "../train/record/write.ts";
import type { RunSink } from "../train/record/write.ts";
import type { CheckpointStore } from "../train/run/environment.ts";
import type { FileMap } from "../train/run/model-files.ts";
import { nodeDisk } from "./run/disk.ts";
import type { Disk } from "./run/disk.ts";
import { CHECKPOINT_FOLDERS, KeptCheckpoint } from "./run/kept-checkpoint.ts";
import type { FoundCheckpoint } from "./run/kept-checkpoint.ts";
import { LOCK_FILE, RunLock } from "./run/lock.ts";
import type { Processes } from "./run/lock.ts";

/** What is written beside a file before it takes its place. */
const BESIDE = ".new";
/** Names of other files that a message lists. */
const MAX_LISTED = 3;

/** A process that is taking the lock needs its own file for less than this. */
const LEFT_MS = 60_000;

/** Holds a run that is in the folder to the one that is asked for. @throws R1Error E_OPTION naming what differs */
export type CheckRun = (before: RunHeader) => void;

export interface StartedRun {
  /** Whether it goes on from a checkpoint; else it begins with the first step. */
  readonly resumes: boolean;
  /** What the reader should know. */
  readonly notes: readonly string[];
}

export interface RunFolderOptions {
  readonly disk?: Disk;
  readonly processes?: Processes;
}

/**
 * A run's folder on disk: its record and its checkpoints, of one process at a time. A process or machine that goes down
 * at any operation leaves what {@link resume} goes on from: files are written beside and renamed, and are on the disk
 * before the checkpoint that counts them.
 */
export class RunFolder implements RunSink, CheckpointStore {
  readonly directory: string;
  readonly #disk: Disk;
  readonly #lock: RunLock;
  readonly #checkpoint: KeptCheckpoint;
  /** Step that the logs are cut back to as the run's first event comes; undefined once they are. */
  #trimTo: number | undefined;
  #hasHeader = false;

  constructor(directory: string, { disk = nodeDisk, processes }: RunFolderOptions = {}) {
    this.directory = directory;
    this.#disk = disk;
    this.#lock = new RunLock(disk, directory, processes);
    this.#checkpoint = new KeptCheckpoint(disk, directory);
  }

  /**
   * Makes the folder ready for a new run: also where one was ended before its first checkpoint, which begins again.
   * @param isOverwritten a run that is there gives way
   * @throws R1Error E_OPTION when a run or files of something else are there; E_BUSY for a folder in use; E_STORAGE
   */
  async begin(check: CheckRun, isOverwritten = false): Promise<StartedRun> {
    this.#disk.makeFolder(this.directory);
    if (!isOverwritten) this.#refuseForeign();
    const notes = this.#take();
    if (isOverwritten) this.#clear();
    else {
      const first = await this.#beginAgain(check);
      if (first) return this.#goOn(first, notes);
    }
    if (this.#hasHeader)
      notes.push(`${this.directory}: its run was ended before its first checkpoint, and begins again`);
    this.#removeLeftovers();
    this.#trimTo = -1;
    return { resumes: false, notes };
  }

  /**
   * Makes the folder ready for its run to go on from the newest checkpoint that is whole; where it was ended before the
   * first one, from the beginning.
   * @param steps that are asked for; null for as many as the data make
   * @throws R1Error E_FILE_MISSING when there is no run; E_HASH when all its checkpoints are damaged; E_BUSY; E_STORAGE
   */
  async resume(check: CheckRun, steps: number | null): Promise<StartedRun> {
    this.#refuseNoRun();
    const notes = this.#take();
    const header = this.#header();
    if (header) check(header);
    this.#hasHeader = header !== undefined;
    const logged = this.#loggedSteps();
    const found = await this.#checkpoint.settle(Math.max(header?.max_steps || Infinity, steps ?? Infinity, logged));
    if (found && !header) throw this.#noRun();
    if (found) return this.#goOn(found, notes);
    this.#refuseLost(header, logged);
    notes.push(`${this.directory}: the run was ended before its first checkpoint; it begins with its first step`);
    this.#removeLeftovers();
    this.#trimTo = -1;
    return { resumes: false, notes };
  }

  /** Gives the folder back for other processes. */
  release(): void {
    this.#lock.release();
  }

  /** The run's first event is there: logs are cut back, and the header is written where there is none. @returns notes */
  started(header: () => RunHeader): readonly string[] {
    const last = this.#trimTo;
    if (last === undefined) return [];
    this.#trimTo = undefined;
    const notes = RUN_LOGS.flatMap((file) => this.#trim(file, last));
    if (!this.#hasHeader) this.write(RUN_FILE, headerText(header()));
    this.#hasHeader = true;
    return notes;
  }

  readonly append = (file: RunLog, line: string): void => {
    this.#disk.append(this.#pathOf(file), `${line}\n`);
  };

  readonly write = (file: typeof RUN_FILE | RunLog, content: string | Uint8Array): void => {
    const path = this.#pathOf(file);
    this.#disk.write(`${path}${BESIDE}`, content);
    this.#disk.rename(`${path}${BESIDE}`, path);
    this.#disk.sync(this.directory);
  };

  readonly save = async (files: FileMap): Promise<string> => {
    // What the checkpoint counts is on the disk before it.
    for (const file of RUN_LOGS) if (this.#disk.exists(this.#pathOf(file))) this.#disk.sync(this.#pathOf(file));
    this.#checkpoint.save(files);
    return this.#checkpoint.path;
  };

  readonly open = async (): Promise<ModelFolder | undefined> => {
    const { path } = this.#checkpoint;
    return this.#disk.exists(path) ? nodeFolder(path) : undefined;
  };

  #take(): string[] {
    const from = this.#lock.take();
    return from === undefined ? [] : [`${this.directory}: ${from}`];
  }

  #goOn(found: FoundCheckpoint, notes: string[]): StartedRun {
    notes.push(...found.warnings, ...this.#gaps(found, this.#loggedSteps()));
    this.#removeLeftovers();
    this.#trimTo = stepsKept(found.step);
    return { resumes: true, notes };
  }

  /**
   * Of a run that is there and was ended before its first checkpoint had its name.
   * @returns that checkpoint, where it is whole
   * @throws R1Error E_OPTION for a run that would be lost
   */
  async #beginAgain(check: CheckRun): Promise<FoundCheckpoint | undefined> {
    const header = this.#header();
    if (this.#checkpoint.isThere) {
      const which = header ? `a run already (${header.kind})` : "a run's checkpoint";
      throw this.#refused(`holds ${which}; resume it with --resume`);
    }
    if (!header) return undefined;
    try {
      check(header);
    } catch (error) {
      if (!(error instanceof R1Error)) throw error;
      throw this.#refused(`holds a run that has no checkpoint yet, and ${error.message}; resume it as it began`);
    }
    this.#hasHeader = true;
    const found = await this.#checkpoint.settle(Infinity);
    if (!found) this.#refuseLost(header, this.#loggedSteps());
    return found;
  }

  /** @throws R1Error E_OPTION for a folder that holds files of something else, and no run */
  #refuseForeign(): void {
    const names = this.#disk.list(this.directory);
    const foreign = names.filter((name) => !isOwn(name));
    if (foreign.length === 0 || names.includes(RUN_FILE)) return;
    const listed = foreign.slice(0, MAX_LISTED).map(quote).join(", ");
    const more = foreign.length > MAX_LISTED ? ` and ${foreign.length - MAX_LISTED} more` : "";
    throw this.#refused(`is not empty, and holds no run but ${listed}${more}`);
  }

  /** @throws R1Error E_FILE_MISSING for a folder in which no run was begun */
  #refuseNoRun(): void {
    const names = this.#disk.list(this.directory);
    if (names.some(isOwn) || (names.length === 0 && this.#disk.exists(this.directory))) return;
    throw this.#noRun();
  }

  #noRun(): R1Error {
    const message = `${this.directory}: no ${RUN_FILE}; expected a run's folder`;
    return new R1Error("E_FILE_MISSING", message, { file: RUN_FILE });
  }

  /** @throws R1Error E_FILE_MISSING where the log says that there was a checkpoint: beginning again would lose the log */
  #refuseLost(header: RunHeader | undefined, logged: number): void {
    if (!header) return;
    const { save_every } = header.config;
    const first = Math.min(save_every > 0 ? save_every : Infinity, header.max_steps > 0 ? header.max_steps : Infinity);
    if (logged <= first) return;
    throw new R1Error(
      "E_FILE_MISSING",
      `${this.directory}: metrics.jsonl goes to step ${logged}, but there is no checkpoint to resume from; begin anew with --overwrite, or in another folder`,
      { file: "checkpoint" },
    );
  }

  #refused(what: string): R1Error {
    const message = `${this.directory} ${what}, name another folder, or give --overwrite to replace a run that is there`;
    return new R1Error("E_OPTION", message, { option: "out" });
  }

  /** Lines that a checkpoint counts and that are gone, as a kill left them in earlier versions. */
  #gaps({ step }: FoundCheckpoint, logged: number): string[] {
    if (logged >= step) return [];
    return [
      `${this.#pathOf("metrics.jsonl")}: ends at step ${logged}, the checkpoint is of step ${step}: the lines of steps ${logged + 1} to ${step} are lost`,
    ];
  }

  /** The last step in the metrics; a line that a process was ended in does not count. */
  #loggedSteps(): number {
    const path = this.#pathOf("metrics.jsonl");
    if (!this.#disk.exists(path)) return 0;
    return lastStepOf(this.#disk.read(path)) ?? 0;
  }

  #header(): RunHeader | undefined {
    const path = this.#pathOf(RUN_FILE);
    if (!this.#disk.exists(path)) return undefined;
    try {
      return parseRunHeader(new TextDecoder().decode(this.#disk.read(path)));
    } catch (error) {
      if (!(error instanceof R1Error) || error.code.startsWith("E_FILE")) throw error;
      // It is written once, whole: what else is in it, something else wrote.
      const message = `${this.directory}: ${error.message}; put the run's own ${RUN_FILE} back, or begin anew with --overwrite`;
      throw new R1Error(error.code, message, { ...error.details, file: path }, { cause: error });
    }
  }

  #trim(file: RunLog, last: number): string[] {
    const path = this.#pathOf(file);
    if (!this.#disk.exists(path)) return [];
    const before = this.#disk.read(path);
    const { bytes, isRepaired, later } = trimLog(before, last, file);
    if (Buffer.compare(bytes, before) !== 0) this.write(file, bytes);
    if (isRepaired) return [`${path}: its end was cut off where the run went down, and was repaired`];
    return later > 0 && last >= 0 ? [`${path}: ${later} lines after step ${last} are written anew`] : [];
  }

  /** Also what is beside: whoever wrote it is gone. */
  #removeLeftovers(): void {
    for (const name of this.#disk.list(this.directory)) {
      const isBeside = isOwn(name) && name.endsWith(BESIDE) && name !== CHECKPOINT_FOLDERS[1];
      const isStale = name.startsWith(`${LOCK_FILE}.stale.`);
      const isLeft = isStale || (isLeftLock(name) && (this.#disk.age(this.#pathOf(name)) ?? 0) > LEFT_MS);
      if (isBeside || isLeft) this.#disk.remove(this.#pathOf(name));
    }
  }

  #clear(): void {
    // The record first: without it nothing is taken for a run that goes on.
    for (const name of [RUN_FILE, ...RUN_LOGS]) {
      if (this.#disk.exists(this.#pathOf(name))) this.#disk.remove(this.#pathOf(name));
    }
    this.#checkpoint.clear();
  }

  #pathOf(name: string): string {
    return join(this.directory, name);
  }
}

/** A run begins with an evaluation at step 0: from a checkpoint of step 0 it comes again. */
function stepsKept(step: number): number {
  return step === 0 ? -1 : step;
}

function isOwn(name: string): boolean {
  const plain = name.endsWith(BESIDE) ? name.slice(0, -BESIDE.length) : name;
  if ([RUN_FILE, ...RUN_LOGS].some((file) => file === plain)) return true;
  return name === LOCK_FILE || isLeftLock(name) || CHECKPOINT_FOLDERS.some((folder) => folder === name);
}

/** What a process that went down while it took the lock left beside it. */
function isLeftLock(name: string): boolean {
  return name.startsWith(`${LOCK_FILE}.`);
}
