import { R1Error } from "../../errors.ts";
import { readDatasetRows } from "../data/jsonl.ts";
import { promptField, promptText } from "../data/rows.ts";
import type { PromptInput } from "../data/rows.ts";
import { Rng } from "../rng.ts";
import { promptOf } from "../tasks/task.ts";
import type { Split, Task } from "../tasks/task.ts";
import { parseTask } from "../tasks/tasks.ts";
import { PURPOSE } from "./environment.ts";

/** A prompt and what its completions are judged by. */
export interface RunProblem {
  /** For a reader; a conversation in one piece. */
  readonly prompt: string;
  /** What the model is asked. */
  readonly input: PromptInput;
  readonly columns: Readonly<Record<string, unknown>>;
  /** Judges a completion; left out where only `columns` say what is right. */
  readonly verify?: (completion: string) => boolean;
  /** Of the dataset; left out for a task. */
  readonly line?: number;
}

/** Where a run's prompts come from; the same address gives the same problem, whatever ran before. */
export interface ProblemSource {
  /** The `index`-th prompt of training step `step` (from 0). */
  readonly training: (step: number, index: number, perStep: number) => RunProblem;
  /** The `index`-th held-out prompt; undefined where there are no more. */
  readonly heldout: (index: number) => RunProblem | undefined;
  /** Rows to train on of a dataset; undefined for a task, which has no end. */
  readonly size?: number;
  /** A dataset's rows; undefined for a task. */
  readonly rows?: DatasetProblems;
}

export interface DatasetProblems {
  readonly training: readonly RunProblem[];
  readonly heldout: readonly RunProblem[];
  /** The same source with those rows alone for which `keep` is true; held-out rows stay held out. */
  readonly filter: (keep: (problem: RunProblem) => boolean) => ProblemSource;
}

/** @param isInstructed each prompt says what the task asks for, and how it is to be answered */
export function taskProblems(task: Task, level: number | null, seed: number, isInstructed = false): ProblemSource {
  const draw = (split: Split, ...path: readonly number[]): RunProblem => {
    const problem = task.sample(new Rng(seed, ...path), split, level ?? task.defaultLevel);
    const prompt = promptOf(task, problem, isInstructed);
    return {
      prompt,
      input: prompt,
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
  const rows = parseRows(await readDataset(dataset), dataset);
  const held = rows.length > HELDOUT_SHARE ? Math.floor(rows.length / HELDOUT_SHARE) : 0;
  return datasetProblems(rows.slice(0, rows.length - held), rows.slice(rows.length - held), seed);
}

/** One row in eight, the last ones, is held out. */
const HELDOUT_SHARE = 8;

function datasetProblems(train: readonly RunProblem[], heldout: readonly RunProblem[], seed: number): ProblemSource {
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
    heldout: (index) => heldout[index],
    rows: {
      training: train,
      heldout,
      filter: (keep) => datasetProblems(train.filter(keep), heldout.filter(keep), seed),
    },
  };
}

function parseRows(text: string, file: string): readonly RunProblem[] {
  return readDatasetRows(text, file).map((row) => {
    const { prompt: _, ...columns } = row.fields;
    const input = promptField(row, file);
    return { prompt: promptText(input), input, columns, line: row.line };
  });
}
