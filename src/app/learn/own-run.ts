import { createContext } from "react";
import type { RunData } from "../runs/run-data.ts";
import { seriesOf } from "../runs/run-data.ts";

/** The run whose figures stand beside the paper's: the reader's newest, or the recorded one. Undefined until there is one. */
export const OwnRunContext = createContext<RunData | undefined>(undefined);

/** A metric's first value and its last. */
export interface StartAndEnd {
  readonly start: number;
  readonly end: number;
}

export interface RunSummary {
  /** Share of held-out problems answered rightly. */
  readonly accuracy: StartAndEnd | undefined;
  /** Mean tokens of a sampled completion, its thought included. */
  readonly length: StartAndEnd | undefined;
  readonly reward: StartAndEnd | undefined;
  readonly steps: number;
}

/** Steps at each end that are averaged: one step's groups are few and noisy. */
const AVERAGED_STEPS = 5;

export function summarize(run: RunData): RunSummary {
  return {
    accuracy: ends(seriesOf(run, "eval_accuracy").values, 1) ?? ends(seriesOf(run, "rewards/accuracy/mean").values),
    length: ends(seriesOf(run, "completions/mean_length").values),
    reward: ends(seriesOf(run, "reward").values),
    steps: run.steps.at(-1)?.step ?? 0,
  };
}

function ends(values: readonly number[], averaged = AVERAGED_STEPS): StartAndEnd | undefined {
  if (values.length < 2) return undefined;
  const count = Math.min(averaged, Math.floor(values.length / 2));
  return { start: mean(values.slice(0, count)), end: mean(values.slice(-count)) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
