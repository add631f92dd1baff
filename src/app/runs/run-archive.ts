import * as v from "valibot";
import { isR1Error, R1Error } from "../../errors.ts";
import type { CheckpointFiles, TrainEvent } from "../../engine/protocol.ts";
import { parseRunRecord } from "../../train/record/read.ts";
import type { RunFiles } from "../../train/record/read.ts";
import { RUN_FILE, RUN_LOGS } from "../../train/record/run-record.ts";
import type { RunHeader, RunRecord } from "../../train/record/run-record.ts";
import { writeEvent } from "../../train/record/write.ts";
import { runDataOf } from "./record-data.ts";
import type { RunData } from "./run-data.ts";
import { checkpointStepOf } from "./checkpoint-files.ts";
import type { RunDatabase, StoredRun, WhichCheckpoint } from "./run-database.ts";
import { checkedCheckpoint, withSums } from "./stored-checkpoint.ts";
import { piecesOf, RunAssembly } from "./run-pieces.ts";
import type { RunHead, RunPiece } from "./run-pieces.ts";
import { visible, visibleLines } from "../../visible-text.ts";

const step = v.pipe(v.number(), v.integer(), v.minValue(0));
const runSchema = v.object({
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  name: v.pipe(v.string(), v.maxLength(200)),
  header: v.pipe(v.string(), v.maxLength(1 << 20)),
  step,
  checkpointStep: step,
});
const chunkSchema = v.object({
  seq: step,
  step,
  logs: v.record(v.picklist(RUN_LOGS), v.pipe(v.string(), v.maxLength(1 << 28))),
});
/** Chunks that are read from the database together; one is a step's, as a rule. */
const CHUNKS_AT_ONCE = 100;

/** A kept run as a list shows it. */
export interface ListedRun {
  readonly id: string;
  readonly name: string;
  readonly header: RunHeader;
  readonly step: number;
  /** 0 where there is no checkpoint. */
  readonly checkpointStep: number;
}

/** A row that cannot be read, and why. */
export interface BrokenRun {
  readonly id: string;
  readonly reason: string;
}

/** The reader's runs in a database: everything that is read is checked, and what is damaged is said, not thrown. */
export class RunArchive {
  readonly #database: RunDatabase;

  constructor(database: RunDatabase) {
    this.#database = database;
  }

  get isPersistent(): boolean {
    return this.#database.isPersistent;
  }

  /** Newest first. */
  async list(): Promise<{ readonly runs: readonly ListedRun[]; readonly broken: readonly BrokenRun[] }> {
    const runs: ListedRun[] = [];
    const broken: BrokenRun[] = [];
    for (const [id, row] of await this.#database.runs()) {
      try {
        runs.push(listed(checkedRun(row)));
      } catch (error) {
        broken.push({ id, reason: visibleLines(error instanceof Error ? error.message : String(error)) });
      }
    }
    return { runs: runs.toSorted((a, b) => b.header.started.localeCompare(a.header.started)), broken };
  }

  /** @throws R1Error E_FORMAT, E_JSON naming file, line and field */
  async open(id: string): Promise<RunData> {
    const { head, pieces } = await this.openInPieces(id);
    const assembly = new RunAssembly(head);
    for await (const piece of pieces) assembly.add(piece);
    return assembly.run();
  }

  /**
   * A run as it is read, a few of its steps at a time.
   * @throws R1Error as `open`, for what a piece has when it is its turn
   */
  async openInPieces(id: string): Promise<{ readonly head: RunHead; readonly pieces: AsyncGenerator<RunPiece> }> {
    const { header: json, name, step: last } = await this.#run(id);
    const about = { id, name: visible(name), isRecorded: false };
    const { header } = runDataOf(parseRunRecord({ [RUN_FILE]: json }), about);
    return { head: { ...about, header }, pieces: this.#pieces(id, json, last) };
  }

  async *#pieces(id: string, header: string, last: number): AsyncGenerator<RunPiece> {
    const about = { id, name: "", isRecorded: false };
    let seq = -1;
    let before = 0;
    for (;;) {
      const rows = await this.#database.chunks(id, seq, CHUNKS_AT_ONCE);
      if (rows.length === 0) return;
      const logs: Record<string, string> = {};
      let at = before;
      for (const row of rows) {
        const parsed = v.safeParse(chunkSchema, row);
        if (!parsed.success) throw damaged(id, parsed.issues[0]);
        // Rows that do not go on would be read for ever.
        if (parsed.output.seq <= seq)
          throw new R1Error("E_FORMAT", `run ${id}: row ${parsed.output.seq} is there twice`);
        if (parsed.output.step < at) {
          throw new R1Error("E_FORMAT", `run ${id}: found step ${parsed.output.step} after step ${at}`);
        }
        ({ seq, step: at } = parsed.output);
        for (const [log, lines] of Object.entries(parsed.output.logs)) logs[log] = (logs[log] ?? "") + lines;
      }
      const part = runDataOf(partOf(id, { ...logs, [RUN_FILE]: header }, before, at), about);
      yield* piecesOf(part, Math.min(1, before / Math.max(1, last)), Math.min(1, at / Math.max(1, last)));
      before = at;
    }
  }

  /**
   * The newest checkpoint.
   * @throws R1Error E_FILE_MISSING where there is none; E_CHECKPOINT for a damaged one, with what is damaged and, in
   *   `earlierStep`, of which step the one before it is, where that is whole
   */
  async checkpoint(id: string): Promise<CheckpointFiles> {
    const row = await this.#read(id, "newest");
    if (row === undefined) throw new R1Error("E_FILE_MISSING", `run ${id}: there is no checkpoint`);
    const newest = await checkedCheckpoint(row);
    if ("files" in newest) return newest.files;
    const before = await checkedCheckpoint(await this.#read(id, "before"));
    const earlier = "files" in before ? { earlierStep: checkpointStepOf(before.files) } : {};
    const { checkpointStep } = await this.#run(id);
    throw new R1Error("E_CHECKPOINT", `run ${id}: checkpoint of step ${checkpointStep}: ${newest.damage}`, {
      run: id,
      ...earlier,
    });
  }

  /** Goes back to the checkpoint before the newest, which is damaged. @returns its step. @throws R1Error E_FILE_MISSING */
  async useEarlierCheckpoint(id: string): Promise<number> {
    const before = await checkedCheckpoint(await this.#read(id, "before"));
    if (!("files" in before)) throw new R1Error("E_FILE_MISSING", `run ${id}: there is no whole checkpoint before it`);
    const checkpointStep = checkpointStepOf(before.files);
    await this.#database.swapCheckpoints({ ...(await this.#run(id)), checkpointStep });
    return checkpointStep;
  }

  /** What the browser cannot read any more is damaged as well. */
  async #read(id: string, which: WhichCheckpoint): Promise<unknown> {
    try {
      return await this.#database.checkpoint(id, which);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async rename(id: string, name: string): Promise<void> {
    await this.#database.putRun({ ...(await this.#run(id)), name });
  }

  async remove(id: string): Promise<void> {
    await this.#database.remove(id);
  }

  /** Begins to write a run down; a run of that id goes on after `after`. */
  async writer(run: Pick<RunData, "id" | "name" | "header">, after: number): Promise<RunWriter> {
    const known = (await this.#database.runs()).has(run.id);
    const row: StoredRun = known
      ? { ...(await this.#run(run.id)), step: Math.max(0, after) }
      : { id: run.id, name: run.name, header: JSON.stringify(run.header), step: 0, checkpointStep: 0 };
    await this.#database.truncate(after, row);
    return new RunWriter(this.#database, row, (await this.#database.lastSeq(run.id)) + 1);
  }

  async #run(id: string): Promise<StoredRun> {
    return checkedRun((await this.#database.runs()).get(id));
  }
}

/** Writes a run down as its events come, in their order. After a write has failed nothing more is written. */
export class RunWriter {
  readonly #database: RunDatabase;
  #row: StoredRun;
  #seq: number;
  #queue: Promise<void> = Promise.resolve();

  constructor(database: RunDatabase, row: StoredRun, seq: number) {
    this.#database = database;
    this.#row = row;
    this.#seq = seq;
  }

  /** Resolves when it is written. @throws what the database throws: that it is full */
  event(event: TrainEvent): Promise<void> {
    return this.#next(async () => {
      const logs: Record<string, string> = {};
      await writeEvent(
        { append: (log, line) => void (logs[log] = `${logs[log] ?? ""}${line}\n`), write: () => undefined },
        event,
      );
      if (Object.keys(logs).length === 0) return;
      if (event.type === "step") this.#row = { ...this.#row, step: event.step };
      await this.#database.append({ run: this.#row.id, seq: this.#seq++, step: event.step, logs }, this.#row);
    });
  }

  checkpoint(files: CheckpointFiles, checkpointStep: number): Promise<void> {
    return this.#next(async () => {
      const row = { ...this.#row, checkpointStep };
      await this.#database.putCheckpoint(await withSums(files), row);
      this.#row = row;
    });
  }

  rename(name: string): Promise<void> {
    return this.#next(async () => {
      this.#row = { ...this.#row, name };
      await this.#database.putRun(this.#row);
    });
  }

  /** Resolves when nothing is left to be written, or can be. */
  settled(): Promise<void> {
    return this.#queue.catch(() => undefined);
  }

  #next(write: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(write);
    // Each caller is told; the chain itself stays broken.
    this.#queue.catch(() => undefined);
    return this.#queue;
  }
}

function checkedRun(row: unknown): StoredRun {
  const parsed = v.safeParse(runSchema, row);
  if (parsed.success) return parsed.output;
  throw new R1Error("E_FORMAT", complaintOf(parsed.issues[0]));
}

function listed({ header, ...run }: StoredRun): ListedRun {
  return { ...run, name: visible(run.name), header: parseRunRecord({ [RUN_FILE]: header }).run };
}

/** Where in a run the lines are that cannot be read. */
function partOf(id: string, files: RunFiles, from: number, to: number): RunRecord {
  try {
    return parseRunRecord(files);
  } catch (error) {
    if (!isR1Error(error)) throw error;
    throw new R1Error(error.code, `run ${id}: steps ${from} to ${to}: ${error.message}`, error.details, {
      cause: error,
    });
  }
}

function damaged(id: string, issue: v.BaseIssue<unknown>): R1Error {
  return new R1Error("E_FORMAT", `run ${id}: ${complaintOf(issue)}`);
}

function complaintOf(issue: v.BaseIssue<unknown>): string {
  return `${v.getDotPath(issue) ?? "the row"}: ${issue.message}`;
}
