import { note } from "./command.ts";

/** Signals that end a command in good order, and the number that a shell adds to 128 for its exit status. */
const NUMBERS: ReadonlyMap<NodeJS.Signals, number> = new Map([
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGTERM", 15],
]);

let caught: NodeJS.Signals | undefined;

function statusOf(name: NodeJS.Signals): number {
  return 128 + (NUMBERS.get(name) ?? 0);
}

/** Exit status of a command that a signal stopped: 129, 130 or 143; undefined where none did. */
export function signalStatus(): number | undefined {
  return caught && statusOf(caught);
}

export interface Interruption {
  readonly signal: AbortSignal;
  readonly dispose: () => void;
}

/** One key press may come twice: from the terminal, and passed on by npm. */
const SAME_MS = 100;

/**
 * Aborts on the first signal, so that the command ends in good order; the second one ends the process at once. Where the
 * command ends, the exit status is the signal's.
 * @param first what is told on the first one
 */
export function interruptible(first: string): Interruption {
  const controller = new AbortController();
  let [at, last] = [-Infinity, ""];
  const stop = (name: NodeJS.Signals): void => {
    const isSame = name === last && performance.now() - at < SAME_MS;
    [at, last] = [performance.now(), name];
    if (isSame) return;
    if (caught !== undefined) process.exit(statusOf(name));
    caught = name;
    note(first);
    controller.abort();
  };
  const names = [...NUMBERS.keys()];
  for (const name of names) process.on(name, stop);
  return {
    signal: controller.signal,
    dispose: () => names.forEach((name) => process.off(name, stop)),
  };
}
