import { runUpTo } from "../app/runs/record-data.ts";
import type { RunData } from "../app/runs/run-data.ts";

/** The run as it was after this many of its steps. */
export function runUntil(run: RunData, count: number): RunData {
  return runUpTo(run, run.steps.slice(0, count).at(-1)?.step ?? 0);
}
