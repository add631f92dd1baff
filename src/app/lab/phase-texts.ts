import type { ActiveRun } from "./lab-store.ts";
import type { labTexts } from "./lab-texts.ts";

const PHASE_TEXTS = {
  starting: "phaseStarting",
  running: "phaseRunning",
  pausing: "phasePausing",
  paused: "phasePaused",
  stepping: "phaseStepping",
  stopping: "phaseStopping",
} as const satisfies Readonly<Record<ActiveRun["phase"], keyof (typeof labTexts)["en"]>>;

/** The text of what a run is doing, or of how it stands when it is doing nothing. */
export function phaseText(active: ActiveRun | undefined, step: number, total: number): keyof (typeof labTexts)["en"] {
  if (active) return PHASE_TEXTS[active.phase];
  return step >= total ? "phaseFinished" : "phaseEnded";
}
