import { createContext } from "react";
import type { RunData } from "../runs/run-data.ts";
import { seriesOf } from "../runs/run-data.ts";

/** The run whose figures stand beside the paper's: the reader's newest, or the recorded one. Undefined until there is one. */
export const OwnRunContext = createContext<RunData | undefined>(undefined);

/** A metric as a run began and as it ended. */
export interface StartAndEnd {
  readonly start: number;
  readonly end: number;
}

/** Steps at each end that are averaged: one step's groups are few and noisy. */
const AVERAGED_STEPS = 5;

/**
 * An evaluation's values are taken as they are, a step's are averaged over a few.
 * @returns undefined for a metric the run has not twice
 */
export function startAndEnd(run: RunData, metric: string): StartAndEnd | undefined {
  const { values } = seriesOf(run, metric);
  if (values.length < 2) return undefined;
  const count = metric.startsWith("eval_") ? 1 : Math.min(AVERAGED_STEPS, Math.floor(values.length / 2));
  return { start: mean(values.slice(0, count)), end: mean(values.slice(-count)) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
