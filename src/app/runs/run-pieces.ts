import type { TrainEvalEvent, TrainStepEvent, TrainWarningEvent } from "../../engine/protocol.ts";
import type { RunData } from "./run-data.ts";

/** What a run is, before any of its steps. */
export type RunHead = Pick<RunData, "id" | "name" | "header" | "isRecorded">;

/** Some of a run's events, in their order: as much as can be taken over without holding up the page. */
export interface RunPiece {
  readonly steps: readonly TrainStepEvent[];
  readonly evaluations: readonly TrainEvalEvent[];
  readonly warnings: readonly TrainWarningEvent[];
  /** Of the whole run, how much has been read, 0 to 1. */
  readonly done: number;
}

/** Completions in a piece, and their tokens: a few milliseconds of the main thread. */
const MOST_COMPLETIONS = 150;
const MOST_TOKENS = 4000;

/** A run that is being put together. */
export class RunAssembly {
  readonly #head: RunHead;
  readonly #steps: TrainStepEvent[] = [];
  readonly #evaluations: TrainEvalEvent[] = [];
  readonly #warnings: TrainWarningEvent[] = [];

  constructor(head: RunHead) {
    this.#head = head;
  }

  add({ steps, evaluations, warnings }: Pick<RunPiece, "steps" | "evaluations" | "warnings">): void {
    this.#steps.push(...steps);
    this.#evaluations.push(...evaluations);
    this.#warnings.push(...warnings);
  }

  run(): RunData {
    return { ...this.#head, steps: this.#steps, evaluations: this.#evaluations, warnings: this.#warnings };
  }
}

/**
 * A run, or a part of one, cut into pieces.
 * @param from how much of the whole came before it, 0 to 1
 * @param to how much there is with it
 */
export function* piecesOf(
  run: Pick<RunData, "steps" | "evaluations" | "warnings">,
  from: number,
  to: number,
): Generator<RunPiece> {
  let steps: TrainStepEvent[] = [];
  let completions = 0;
  let tokens = 0;
  for (const [i, step] of run.steps.entries()) {
    steps.push(step);
    completions += step.completions.length;
    for (const completion of step.completions) tokens += completion.tokens?.length ?? 0;
    if (steps.length < MOST_COMPLETIONS && completions < MOST_COMPLETIONS && tokens < MOST_TOKENS) continue;
    yield { steps, evaluations: [], warnings: [], done: from + ((to - from) * (i + 1)) / run.steps.length };
    [steps, completions, tokens] = [[], 0, 0];
  }
  yield { steps, evaluations: run.evaluations, warnings: run.warnings, done: to };
}
