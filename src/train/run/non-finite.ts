import { R1Error } from "../../errors.ts";
import type { Metrics } from "../events.ts";
import type { DataWarning } from "./data-warnings.ts";

/** Updates in a row that may be left out; after so many nothing will get better by itself. */
const MOST_SKIPPED = 10;

export const UPDATE_SKIPPED: DataWarning = {
  code: "NON_FINITE",
  message: "the gradient held a value that is not finite; the update was left out",
};

/** Metrics without those that are no number a record could hold, and what to say of these. */
export function finiteMetrics(metrics: Metrics): {
  readonly metrics: Metrics;
  readonly warnings: readonly DataWarning[];
} {
  const lost = Object.entries(metrics).filter(([, value]) => !Number.isFinite(value));
  if (lost.length === 0) return { metrics, warnings: [] };
  const named = lost.map(([name, value]) => `${name} is ${value}`).join(", ");
  return {
    metrics: Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value))),
    warnings: [{ code: "METRIC_NON_FINITE", message: `not finite, and left out of the metrics: ${named}` }],
  };
}

/** Ends a run of which update after update is left out, instead of going through all its steps without learning. */
export class SkippedUpdates {
  #inARow = 0;

  /** @param skipped all updates of a step were left out */
  count(skipped: boolean): void {
    this.#inARow = skipped ? this.#inARow + 1 : 0;
  }

  /** @throws R1Error E_NON_FINITE */
  check(step: number): void {
    if (this.#inARow < MOST_SKIPPED) return;
    throw new R1Error(
      "E_NON_FINITE",
      `the gradient was not finite in ${MOST_SKIPPED} steps in a row, up to step ${step}; the last checkpoint is kept. Try a lower learning_rate, or other weights`,
      { step },
    );
  }
}
