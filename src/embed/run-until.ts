import type { RunData } from "../app/runs/run-data.ts";

/** The run as it was after this many of its steps. */
export function runUntil(run: RunData, count: number): RunData {
  const steps = run.steps.slice(0, count);
  const last = steps.at(-1)?.step ?? 0;
  const isBefore = ({ step }: { readonly step: number }): boolean => step <= last;
  return {
    ...run,
    steps,
    evaluations: run.evaluations.filter(isBefore),
    warnings: run.warnings.filter(isBefore),
  };
}
