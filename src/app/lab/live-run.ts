import type { TrainingRun } from "../../engine/client.ts";
import type { CheckpointFiles, TrainEvent, TrainStepEvent } from "../../engine/protocol.ts";
import { checkpointStepOf } from "../runs/checkpoint-files.ts";
import type { RunWriter } from "../runs/run-archive.ts";
import { withEvent } from "../runs/run-data.ts";
import type { RunData } from "../runs/run-data.ts";

/** Shown at most this often: charts that move faster cost time and cannot be read. */
const SHOW_EVERY_MS = 100;

/** Tokens of a completion are many: they are kept of the last steps, and of one step in ten for good. */
const TOKENS_OF_LAST = 20;
const TOKENS_EVERY = 10;

export interface LiveRunHooks {
  readonly onEvent: (event: TrainEvent) => void;
  readonly show: (run: RunData) => void;
  readonly onCheckpoint: (files: CheckpointFiles, step: number) => void;
  /** A write has failed; the run goes on, and nothing more is written. */
  readonly onUnwritten: (error: unknown) => void;
}

/**
 * Takes a run's events as they come: shows the run, and writes it down.
 * @throws R1Error what the run throws, after what came before it is shown
 */
export async function followRun(
  training: TrainingRun,
  before: RunData,
  writer: RunWriter | undefined,
  { onEvent, show, onCheckpoint, onUnwritten }: LiveRunHooks,
): Promise<void> {
  let run = before;
  let failed = false;
  const written = (write: Promise<void> | undefined): void => {
    write?.catch((error: unknown) => {
      if (!failed) onUnwritten(error);
      failed = true;
    });
  };
  const shown = throttled(() => show(run));
  try {
    for await (const event of training) {
      run = withoutOldTokens(withEvent(run, event), event.step - TOKENS_OF_LAST);
      shown.soon();
      written(writer?.event(event.type === "step" && !keepsTokens(event.step) ? withoutTokens(event) : event));
      if (event.type === "saved" && training.checkpoint) {
        // The newest that has arrived, which may be of a later step than the event that is read.
        const step = checkpointStepOf(training.checkpoint);
        onCheckpoint(training.checkpoint, step);
        written(writer?.checkpoint(training.checkpoint, step));
      }
      onEvent(event);
    }
  } finally {
    shown.now();
    await writer?.settled();
  }
}

/** Runs `show` at once, and then at most once in each interval. */
function throttled(show: () => void): { readonly soon: () => void; readonly now: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let shownAt = -Infinity;
  const now = (): void => {
    clearTimeout(timer);
    timer = undefined;
    shownAt = performance.now();
    show();
  };
  return {
    now,
    soon: () => {
      if (timer !== undefined) return;
      const wait = shownAt + SHOW_EVERY_MS - performance.now();
      if (wait <= 0) now();
      else timer = setTimeout(now, wait);
    },
  };
}

function keepsTokens(step: number): boolean {
  return step === 1 || step % TOKENS_EVERY === 0;
}

function withoutOldTokens(run: RunData, step: number): RunData {
  if (step < 1 || keepsTokens(step)) return run;
  const at = run.steps.findLastIndex((event) => event.step === step);
  const event = run.steps[at];
  return event?.completions[0]?.tokens ? { ...run, steps: run.steps.with(at, withoutTokens(event)) } : run;
}

function withoutTokens(event: TrainStepEvent): TrainStepEvent {
  const completions = event.completions.map((completion) => {
    const { tokens: _, ...rest } = completion;
    return rest;
  });
  return { ...event, completions };
}
