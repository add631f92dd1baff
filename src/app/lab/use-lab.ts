import { holdEngine, sharedEngine } from "../engine.ts";
import { openBrowserDatabase } from "../runs/browser-database.ts";
import { readRun } from "../runs/read-run.ts";
import { fetchRecordedRuns } from "../runs/recorded-run.ts";
import { browserRunLock } from "../runs/run-lock.ts";
import { createLab } from "./lab-store.ts";
import { pickedModel } from "./starting-models.ts";

/** The page's lab. It outlives its view: a run goes on while the reader is on another page. */
export const useLab = createLab({
  engine: sharedEngine,
  openDatabase: openBrowserDatabase,
  lock: browserRunLock(),
  hold: holdEngine,
  fetchRecordedRuns,
  fetchRecordedRun: (entry, options) => readRun({ kind: "recorded", entry, base: document.baseURI }, options),
  readKeptRun: (id, options) => readRun({ kind: "kept", id }, options),
  builtInUrl: (folder) => new URL(`models/${folder}/`, document.baseURI).href,
  pickedModel,
  newRun: () => ({ id: crypto.randomUUID(), started: new Date().toISOString() }),
});
