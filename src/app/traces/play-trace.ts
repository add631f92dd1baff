import { advance, newTurn } from "../playground/turn.ts";
import type { Turn } from "../playground/turn.ts";
import { eventsOf } from "./trace.ts";
import type { RecordedTurn } from "./trace.ts";

/** A reply that took longer is played faster, in this time. */
const LONGEST_MS = 15_000;
/** As often as a live reply is shown. */
const SHOW_EVERY_MS = 50;

export interface PlayOptions {
  /** How many of the recorded samples. */
  readonly samples: number;
  /** Shows the end at once: for readers who want nothing to move. */
  readonly isInstant?: boolean;
  readonly signal: AbortSignal;
  readonly show: (turn: Turn) => void;
}

/** Plays a recorded turn as if it were being written; its figures are those of the recording, whatever the speed. */
export async function playTrace(recorded: RecordedTurn, options: PlayOptions): Promise<void> {
  const { samples, isInstant = false, signal, show } = options;
  const events = eventsOf(recorded, samples);
  const startedAt = performance.now();
  let turn = newTurn(
    { id: 1, parent: 0, asked: 1, number: 1 },
    recorded.question,
    Math.min(samples, recorded.replies.length),
    startedAt,
  );
  let shownAt = startedAt;
  const last = events.reduce((latest, event) => Math.max(latest, "at" in event ? event.at : 0), 0);
  const speed = Math.max(1, last / LONGEST_MS);
  for (const event of events) {
    if (!isInstant && "at" in event) {
      const due = startedAt + event.at / speed;
      // What is due within one look is shown together.
      if (due - performance.now() > SHOW_EVERY_MS || performance.now() - shownAt > SHOW_EVERY_MS) {
        show(turn);
        shownAt = performance.now();
      }
      await until(due, signal);
      if (signal.aborted) return;
    }
    turn = advance(turn, event, "at" in event ? startedAt + event.at : startedAt + last);
  }
  show(turn);
}

async function until(due: number, signal: AbortSignal): Promise<void> {
  const wait = due - performance.now();
  if (wait <= 0 || signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, wait);
    signal.addEventListener("abort", end);
  });
}
