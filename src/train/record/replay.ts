import { throwIfAborted } from "../../errors.ts";
import type { CompletionRecord, TrainEvent } from "../events.ts";
import { isEvaluation, type RunRecord } from "./run-record.ts";

export interface ReplayOptions {
  /** Waited for before each step; left out, the record is read as fast as it is consumed. */
  readonly pace?: (step: number) => Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * A run again, from its record: the events it gave, but for checkpoints, in their order and without a GPU.
 * @throws R1Error E_ABORTED when the signal fires
 */
export async function* replay(record: RunRecord, options: ReplayOptions = {}): AsyncGenerator<TrainEvent, void> {
  const completionsOf = byStep(record.completions);
  const warnings = [...record.warnings];
  let last = 0;
  for (const { step, metrics } of record.metrics) {
    throwIfAborted(options.signal);
    const evaluation = isEvaluation(metrics);
    if (!evaluation) await options.pace?.(step);
    throwIfAborted(options.signal);
    while ((warnings[0]?.step ?? Infinity) <= step) {
      const warning = warnings.shift();
      if (warning) yield { type: "warning", ...warning };
    }
    // Completions of a step without metrics are of a step that was cut off.
    if (evaluation) yield { type: "eval", step, metrics };
    else yield { type: "step", step, metrics, completions: completionsOf.get(step) ?? [] };
    last = step;
  }
  for (const warning of warnings) yield { type: "warning", ...warning };
  yield { type: "done", step: last, reason: last >= record.run.max_steps ? "finished" : "stopped" };
}

function byStep(completions: readonly CompletionRecord[]): ReadonlyMap<number, readonly CompletionRecord[]> {
  const steps = new Map<number, CompletionRecord[]>();
  for (const completion of completions) {
    const found = steps.get(completion.step);
    if (found) found.push(completion);
    else steps.set(completion.step, [completion]);
  }
  return steps;
}
