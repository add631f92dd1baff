import type { TrainEvalEvent, TrainEvent, TrainStepEvent, TrainWarningEvent } from "../../engine/protocol.ts";
import type { RunHeader } from "../../train/record/run-record.ts";

/** A run as the page shows it: live, saved here, or recorded and shipped with the page. */
export interface RunData {
  /** Unique among the runs that are shown. */
  readonly id: string;
  /** The reader's name for it. */
  readonly name: string;
  readonly header: RunHeader;
  /** Played back from a record that comes with the page, and marked so. */
  readonly isRecorded: boolean;
  /** In the order of their steps; steps count from 1. */
  readonly steps: readonly TrainStepEvent[];
  readonly evaluations: readonly TrainEvalEvent[];
  readonly warnings: readonly TrainWarningEvent[];
}

/** The run after one more event; events come in the order of their steps. */
export function withEvent(run: RunData, event: TrainEvent): RunData {
  switch (event.type) {
    case "step":
      return { ...run, steps: [...run.steps, event] };
    case "eval":
      return { ...run, evaluations: [...run.evaluations, event] };
    case "warning":
      return { ...run, warnings: [...run.warnings, event] };
    case "saved":
    case "done":
      return run;
  }
}

/** A metric's points, `[steps, values]`; steps that lack it are left out. Names beginning with `eval_` are an evaluation's. */
export function seriesOf(run: RunData, metric: string): { readonly steps: number[]; readonly values: number[] } {
  const events = metric.startsWith("eval_") ? run.evaluations : run.steps;
  const steps: number[] = [];
  const values: number[] = [];
  for (const { step, metrics } of events) {
    const value = metrics[metric];
    if (value === undefined || !Number.isFinite(value)) continue;
    steps.push(step);
    values.push(value);
  }
  return { steps, values };
}
