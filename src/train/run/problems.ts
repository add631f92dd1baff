import { R1Error } from "../../errors.ts";
import { Rng } from "../rng.ts";
import { promptOf } from "../tasks/task.ts";
import type { Split, Task } from "../tasks/task.ts";
import { parseTask } from "../tasks/tasks.ts";
import { PURPOSE } from "./environment.ts";

/** A prompt and what its completions are judged by. */
export interface RunProblem {
  readonly prompt: string;
  readonly columns: Readonly<Record<string, unknown>>;
  /** Judges a completion; left out where only `columns` say what is right. */
  readonly verify?: (completion: string) => boolean;
}

/** Where a run's prompts come from; the same address gives the same problem, whatever ran before. */
export interface ProblemSource {
  /** The `index`-th prompt of training step `step` (from 0). */
  readonly training: (step: number, index: number, perStep: number) => RunProblem;
  /** The `index`-th held-out prompt; undefined where there are no more. */
  readonly heldout: (index: number) => RunProblem | undefined;
  /** Rows of a dataset; undefined for a task, which has no end. */
  readonly size?: number;
}

/** @param isInstructed each prompt says what the task asks for, and how it is to be answered */
export function taskProblems(task: Task, level: number | null, seed: number, isInstructed = false): ProblemSource {
  const draw = (split: Split, ...path: readonly number[]): RunProblem => {
    const problem = task.sample(new Rng(seed, ...path), split, level ?? task.defaultLevel);
    return {
      prompt: promptOf(task, problem, isInstructed),
      columns: problem.columns,
      verify: (completion) => task.check(problem.columns, completion),
    };
  };
  return {
    training: (step, index) => draw("train", PURPOSE.problems, step, index),
    heldout: (index) => draw("heldout", PURPOSE.evaluation, index),
  };
}

interface Sources {
  readonly task: string | null;
  readonly level: number | null;
  readonly dataset: string | null;
  readonly seed: number;
  readonly task_instructions?: boolean;
}

/** @throws R1Error E_OPTION for an unknown task, E_JSON and E_FORMAT for a dataset's rows */
export async function openProblems(
  { task, level, dataset, seed, task_instructions }: Sources,
  readDataset: (path: string) => Promise<string>,
): Promise<ProblemSource> {
  if (task !== null) return taskProblems(parseTask(task), level, seed, task_instructions);
  if (dataset === null) throw new R1Error("E_OPTION", "neither task nor dataset; expected one of them");
  return datasetProblems(parseRows(await readDataset(dataset), dataset), seed);
}

/** One row in eight, the last ones, is held out. */
const HELDOUT_SHARE = 8;

function datasetProblems(rows: readonly RunProblem[], seed: number): ProblemSource {
  const held = rows.length > HELDOUT_SHARE ? Math.floor(rows.length / HELDOUT_SHARE) : 0;
  const train = rows.slice(0, rows.length - held);
  let epoch = -1;
  let order: number[] = [];
  return {
    size: train.length,
    training: (step, index, perStep) => {
      const at = step * perStep + index;
      const wanted = Math.floor(at / train.length);
      if (wanted !== epoch) {
        epoch = wanted;
        order = new Rng(seed, PURPOSE.order, epoch).shuffle([...train.keys()]);
      }
      const row = train[order[at % train.length] ?? 0];
      if (!row) throw new RangeError("an empty dataset");
      return row;
    },
    heldout: (index) => rows[rows.length - held + index],
  };
}

export interface DatasetRow {
  readonly line: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

const MAX_DATASET_CHARS = 512 * 2 ** 20;

/**
 * Rows of a JSONL file.
 * @throws R1Error E_JSON for a line that is no JSON object, E_FORMAT for an empty or too large file
 */
export function parseJsonl(text: string, file: string): readonly DatasetRow[] {
  if (text.length > MAX_DATASET_CHARS) throw new R1Error("E_FORMAT", `${file}: more than 512 Mi characters`);
  const rows = text.split("\n").flatMap((line, i): DatasetRow[] => {
    if (line.trim() === "") return [];
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw new R1Error("E_JSON", `${file}, line ${i + 1}: no valid JSON`, { file, line: i + 1 }, { cause });
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new R1Error("E_JSON", `${file}, line ${i + 1}: expected a JSON object`, { file, line: i + 1 });
    }
    return [{ line: i + 1, fields: { ...value } }];
  });
  if (rows.length === 0) throw new R1Error("E_FORMAT", `${file}: no rows`, { file });
  return rows;
}

/**
 * The text of a field that TRL's formats allow as a string or as messages, of which the last one's content counts.
 * @throws R1Error E_FORMAT naming file, line and field
 */
export function textField({ line, fields }: DatasetRow, name: string, file: string): string {
  const value = fields[name];
  if (typeof value === "string") return value;
  const last: unknown = Array.isArray(value) ? value.at(-1) : undefined;
  if (typeof last === "object" && last !== null && "content" in last && typeof last.content === "string") {
    return last.content;
  }
  const found = value === undefined ? "missing" : `a ${Array.isArray(value) ? "list" : typeof value}`;
  throw new R1Error("E_FORMAT", `${file}, line ${line}: ${name} is ${found}; expected a string or a list of messages`, {
    file,
    line,
    field: name,
  });
}

function parseRows(text: string, file: string): readonly RunProblem[] {
  return parseJsonl(text, file).map((row) => {
    const { prompt: _, ...columns } = row.fields;
    return { prompt: textField(row, "prompt", file), columns };
  });
}
