import { join } from "node:path";
import { R1Error } from "../../errors.ts";
import type { FileMap } from "../../train/run/model-files.ts";
import { assessCheckpoint, writeCheckpoint } from "./checkpoint-folders.ts";
import type { Disk } from "./disk.ts";

/** The last checkpoint, the one that is being written, the one before, and one that turned out to be damaged. */
export const CHECKPOINT_FOLDERS = ["checkpoint", "checkpoint.new", "checkpoint.old", "checkpoint.damaged"] as const;
const [LAST, FRESH, BEFORE, DAMAGED] = CHECKPOINT_FOLDERS;

export interface FoundCheckpoint {
  readonly step: number;
  /** False for one of before there were sums, whose step nothing vouches for. */
  readonly isSummed: boolean;
  /** What the reader should know: a newer one is damaged. */
  readonly warnings: readonly string[];
}

/**
 * A run's checkpoints. Whatever operation a process is ended at, one that is whole is under one of three names, and
 * {@link settle} finds it.
 */
export class KeptCheckpoint {
  readonly #disk: Disk;
  readonly #directory: string;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  get path(): string {
    return this.#pathOf(LAST);
  }

  /** True where one has its name: not where a process was ended as it gave that. */
  get isThere(): boolean {
    return this.#disk.exists(this.path);
  }

  /**
   * Finds the newest checkpoint that is whole, and gives it its name.
   * @param mostSteps that one without sums may be of; more is no step of this run
   * @returns undefined where none has been written yet
   * @throws R1Error E_HASH, naming what is wrong with each, where all are damaged
   */
  async settle(mostSteps: number): Promise<FoundCheckpoint | undefined> {
    const found = [];
    for (const name of [LAST, FRESH, BEFORE]) {
      const one = await assessCheckpoint(this.#disk, this.#pathOf(name));
      const isTooFar = one.kind === "whole" && !one.isSummed && one.step > mostSteps;
      const problem = `global_step is ${isTooFar ? one.step : 0}; the run has ${mostSteps} steps`;
      found.push({ name, ...(isTooFar ? ({ kind: "damaged", problem } as const) : one) });
    }
    const whole = found.flatMap((one) => (one.kind === "whole" ? [one] : []));
    const damaged = found.flatMap((one) => (one.kind === "damaged" && one.name !== FRESH ? [one] : []));
    // The first of several of one step.
    const newest = whole.toSorted((a, b) => b.step - a.step)[0];
    if (!newest) {
      if (damaged.length === 0) return undefined;
      const problems = damaged.map(({ name, problem }) => `${name}: ${problem}`).join("; ");
      throw new R1Error(
        "E_HASH",
        `${this.#directory}: no whole checkpoint to go on from: ${problems}. Begin anew with --overwrite, or in another folder`,
        { file: this.path },
      );
    }
    const last = damaged.find(({ name }) => name === LAST);
    this.#putInPlace(newest.name, last !== undefined);
    const { step, isSummed } = newest;
    const warnings = last
      ? [
          `${this.path}: ${last.problem}; the run goes on from the one before, of step ${step}, and ${DAMAGED} keeps the damaged one`,
        ]
      : [];
    return { step, isSummed, warnings };
  }

  /** Writes a checkpoint and makes it the last one; the one before stays. */
  save(files: FileMap): void {
    const [last, fresh, before] = [this.path, this.#pathOf(FRESH), this.#pathOf(BEFORE)];
    this.#remove(fresh);
    // Two lie on the disk at most; the last one is whole.
    if (this.#disk.exists(last)) this.#remove(before);
    writeCheckpoint(this.#disk, fresh, files);
    if (this.#disk.exists(last)) this.#disk.rename(last, before);
    this.#disk.rename(fresh, last);
    this.#disk.sync(this.#directory);
  }

  /** For a run that begins anew. */
  clear(): void {
    for (const name of CHECKPOINT_FOLDERS) this.#remove(this.#pathOf(name));
  }

  #putInPlace(name: string, lastIsDamaged: boolean): void {
    const [last, fresh, before] = [this.path, this.#pathOf(FRESH), this.#pathOf(BEFORE)];
    if (name !== LAST && this.#disk.exists(last)) {
      const aside = lastIsDamaged ? this.#pathOf(DAMAGED) : before;
      this.#remove(aside);
      this.#disk.rename(last, aside);
    }
    if (name !== LAST) {
      this.#disk.rename(this.#pathOf(name), last);
      this.#disk.sync(this.#directory);
    }
    if (name !== FRESH) this.#remove(fresh);
  }

  #remove(path: string): void {
    if (this.#disk.exists(path)) this.#disk.remove(path);
  }

  #pathOf(name: string): string {
    return join(this.#directory, name);
  }
}
