import { statSync } from "node:fs";
import { dirname } from "node:path";
import * as v from "valibot";
import { R1Error } from "../../errors.ts";
import { checkFileWritable } from "../output.ts";
import type { Disk } from "./disk.ts";
import { nodeDisk } from "./disk.ts";

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const progressSchema = v.object({
  settings: v.record(v.string(), v.union([v.string(), v.number()])),
  problems: whole,
  accepted: whole,
  bytes: whole,
});
type Progress = v.InferOutput<typeof progressSchema>;

/** What the same lines come from; other settings make other lines. */
export type SamplingSettingsKey = Progress["settings"];

/**
 * A file of accepted samples that grows as they come. Beside it lies how far it is, until all are there: after a kill the
 * same command goes on, with the very lines that it would have had.
 */
export class AcceptedFile {
  readonly #path: string;
  readonly #disk: Disk;
  /** False for a device or a pipe, which can be added to alone. */
  readonly #isFile: boolean;
  #progress: Progress;

  /**
   * Finds out whether the file can be written, and how far it is; changes nothing yet.
   * @throws R1Error E_STORAGE, E_QUOTA; E_OPTION for a part of another sampling, naming what differs
   */
  constructor(path: string, settings: SamplingSettingsKey, disk: Disk = nodeDisk) {
    checkFileWritable(path);
    this.#path = path;
    this.#disk = disk;
    this.#isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
    this.#progress = (this.#isFile ? this.#partOf(settings) : undefined) ?? beginningOf(settings);
  }

  /**
   * Makes the file ready for {@link add}: what is in it and does not belong to this sampling gives way.
   * @returns what the reader should know
   */
  start(): readonly string[] {
    if (!this.#isFile) return [];
    const { problems, accepted, bytes } = this.#progress;
    const content = this.#content();
    if (problems > 0) {
      // What was added after the note, half a line perhaps, is sampled again.
      if (content.length > bytes) this.#replace(content.subarray(0, bytes));
      return [`${this.#path}: goes on after ${problems} problems, of which ${accepted} samples were accepted`];
    }
    const notes = [];
    if (content.length > 0) {
      this.#disk.rename(this.#path, `${this.#path}.old`);
      notes.push(`${this.#path}.old: what was in ${this.#path} before`);
    }
    this.#replace(new Uint8Array());
    this.#note();
    return notes;
  }

  /** Problems that are done. */
  get problems(): number {
    return this.#progress.problems;
  }

  get accepted(): number {
    return this.#progress.accepted;
  }

  add(problems: number, lines: readonly string[]): void {
    const text = lines.map((line) => `${line}\n`).join("");
    this.#disk.append(this.#path, text);
    const { settings, ...before } = this.#progress;
    this.#progress = {
      settings,
      problems: before.problems + problems,
      accepted: before.accepted + lines.length,
      bytes: before.bytes + Buffer.byteLength(text),
    };
    if (!this.#isFile) return;
    this.#disk.sync(this.#path);
    this.#note();
  }

  finish(): void {
    if (!this.#isFile) return;
    this.#disk.remove(this.#notePath);
    this.#disk.sync(dirname(this.#path));
  }

  get #notePath(): string {
    return `${this.#path}.progress.json`;
  }

  /** How far a part of this sampling is; undefined where there is none, or nothing in it that counts. */
  #partOf(settings: SamplingSettingsKey): Progress | undefined {
    const before = this.#readNote();
    if (!before || before.problems === 0 || this.#content().length < before.bytes) return undefined;
    refuseOther(this.#path, before.settings, settings);
    return before;
  }

  #content(): Uint8Array {
    return this.#disk.exists(this.#path) ? this.#disk.read(this.#path) : new Uint8Array();
  }

  #replace(bytes: Uint8Array): void {
    this.#disk.write(`${this.#path}.part`, bytes);
    this.#disk.rename(`${this.#path}.part`, this.#path);
  }

  #note(): void {
    this.#disk.write(`${this.#notePath}.part`, `${JSON.stringify(this.#progress)}\n`);
    this.#disk.rename(`${this.#notePath}.part`, this.#notePath);
    this.#disk.sync(dirname(this.#path));
  }

  #readNote(): Progress | undefined {
    if (!this.#disk.exists(this.#notePath)) return undefined;
    try {
      const parsed = v.safeParse(progressSchema, JSON.parse(new TextDecoder().decode(this.#disk.read(this.#notePath))));
      return parsed.success ? parsed.output : undefined;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}

function beginningOf(settings: SamplingSettingsKey): Progress {
  return { settings, problems: 0, accepted: 0, bytes: 0 };
}

function refuseOther(path: string, before: SamplingSettingsKey, now: SamplingSettingsKey): void {
  for (const [name, value] of Object.entries(now)) {
    const was = before[name];
    if (was === value) continue;
    throw new R1Error(
      "E_OPTION",
      `${path}: is a part of a sampling with ${name} ${was}, here it is ${value}; go on with that, remove the file and its .progress.json, or name another one`,
      { option: name },
    );
  }
}
