import type { CompletionRecord, TrainEvalEvent, TrainStepEvent } from "../../engine/protocol.ts";
import { isEvaluation, type RunRecord } from "../../train/record/run-record.ts";
import type { RunData } from "./run-data.ts";

/** A record as a run that the page can show. */
export function runDataOf(record: RunRecord, about: Pick<RunData, "id" | "name" | "isRecorded">): RunData {
  const completionsOf = new Map<number, CompletionRecord[]>();
  for (const completion of record.completions) {
    const found = completionsOf.get(completion.step);
    if (found) found.push(completion);
    else completionsOf.set(completion.step, [completion]);
  }
  const steps: TrainStepEvent[] = [];
  const evaluations: TrainEvalEvent[] = [];
  for (const { step, metrics } of record.metrics) {
    if (isEvaluation(metrics)) evaluations.push({ type: "eval", step, metrics });
    else steps.push({ type: "step", step, metrics, completions: completionsOf.get(step) ?? [] });
  }
  const warnings = record.warnings.map((warning) => ({ type: "warning", ...warning }) as const);
  return { ...about, header: record.run, steps, evaluations, warnings };
}

/** The run as it was after a step: what a replay shows, and what a resumed run goes on from. */
export function runUpTo(run: RunData, step: number): RunData {
  const within = (event: { readonly step: number }): boolean => event.step <= step;
  return {
    ...run,
    steps: run.steps.filter(within),
    evaluations: run.evaluations.filter(within),
    warnings: run.warnings.filter(within),
  };
}

/** Updates that the run has done. */
export function lastStepOf(run: RunData): number {
  return run.steps.at(-1)?.step ?? 0;
}
