import type { TrainEvent } from "../events.ts";
import { RUN_FILE, type RunHeader, type RunLog } from "./run-record.ts";

/** Where a record is written: a folder, the browser's file system, memory. */
export interface RunSink {
  /** @param line without a line break; the sink adds one */
  readonly append: (file: RunLog, line: string) => void | Promise<void>;
  readonly write: (file: typeof RUN_FILE, text: string) => void | Promise<void>;
}

/** Begins a record. */
export async function writeRunHeader(sink: RunSink, header: RunHeader): Promise<void> {
  await sink.write(RUN_FILE, headerText(header));
}

/** What `run.json` holds. */
export function headerText(header: RunHeader): string {
  return `${JSON.stringify(header, undefined, 2)}\n`;
}

/** Adds what an event says to the record; a checkpoint and the end leave no line. */
export async function writeEvent(sink: RunSink, event: TrainEvent): Promise<void> {
  switch (event.type) {
    case "step":
      // The step's metrics come last: where they are, its completions are whole.
      for (const completion of event.completions) await sink.append("completions.jsonl", JSON.stringify(completion));
      return sink.append("metrics.jsonl", metricsLine(event));
    case "eval":
      return sink.append("metrics.jsonl", metricsLine(event));
    case "warning": {
      const { type: _, ...warning } = event;
      return sink.append("warnings.jsonl", JSON.stringify(warning));
    }
    case "saved":
    case "done":
      return;
  }
}

/** JSON has no NaN; `JSON.stringify` writes null for it, which reading leaves out. */
function metricsLine({ step, metrics }: Extract<TrainEvent, { readonly metrics: unknown }>): string {
  return JSON.stringify({ step, ...metrics });
}
