import type { EngineClient } from "../engine/client.ts";
import { startEngine } from "../engine/start.ts";
import type { R1Error } from "../errors.ts";

/** The page's one worker: the playground's model and the lab's run share its device. */

let engine: EngineClient | undefined;
const listeners = new Set<(error: R1Error) => void>();

/** Starts the worker when it is first needed, and again after it was discarded. */
export function sharedEngine(): EngineClient {
  if (engine) return engine;
  const started = startEngine();
  engine = started;
  started.onLost((error) => {
    // A worker that has failed answers no more: the next call starts another.
    if (error.code === "E_WORKER" && engine === started) discardEngine();
    for (const listener of listeners) listener(error);
  });
  return started;
}

export function discardEngine(): void {
  engine?.dispose();
  engine = undefined;
}

/** Calls back when what the worker held is gone. Returns the function that stops listening. */
export function onEngineLost(listener: (error: R1Error) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let holders = 0;

/** A run of training begins, behind which every other call would wait. Returns the function that says it has ended. */
export function holdEngine(): () => void {
  holders++;
  return () => holders--;
}

export function isEngineHeld(): boolean {
  return holders > 0;
}
