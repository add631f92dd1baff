import { holdEngine, sharedEngine } from "../app/engine.ts";
import { checkDraft } from "../app/lab/draft.ts";
import { useForm } from "../app/lab/form-store.ts";
import { labShare } from "../app/lab/lab-share.ts";
import { createLab } from "../app/lab/lab-store.ts";
import { PRESETS } from "../app/lab/presets.ts";
import { suggestRun } from "../app/lab/suggestion.ts";
import { fetchBuiltInModels } from "../app/models.ts";
import { memoryDatabase } from "../app/runs/memory-database.ts";
import { fetchRecordedRun } from "../app/runs/recorded-run.ts";
import { useLinkProblem } from "../app/share/link.ts";
import { decodeState } from "../app/share/state-query.ts";
import { useFrame } from "./frame-store.ts";
import type { FrameRunner } from "./frame-store.ts";

/** The lab of a frame: nothing is stored, and no other tab can collide with it. */
export const useFrameLab = createLab({
  engine: sharedEngine,
  openDatabase: async () => memoryDatabase(),
  lock: { take: async () => () => undefined, whenFree: async () => undefined },
  hold: holdEngine,
  fetchRecordedRuns: async () => [],
  fetchRecordedRun: (entry) => fetchRecordedRun(entry),
  builtInUrl: (folder) => new URL(`models/${folder}/`, document.baseURI).href,
  pickedModel: () => undefined,
  newRun: () => ({ id: crypto.randomUUID(), started: new Date().toISOString() }),
});

let isStarting = false;
/** Stop was asked for before there was a run to be stopped. */
let wasStopped = false;

/** Starts what the address describes, with what suits the device where it says nothing. */
async function startRun(): Promise<void> {
  if (isStarting) return;
  isStarting = true;
  wasStopped = false;
  // The page around the frame must not start a second one while this one is prepared.
  useFrame.setState({ runStatus: "loading" });
  const { address } = useFrame.getState();
  const lab = useFrameLab.getState();
  await lab.open();
  try {
    const [builtIns, device] = await Promise.all([fetchBuiltInModels(), sharedEngine().open()]);
    suggestRun(builtIns, device.isFallback);
    if (address) {
      const { state, problem } = await decodeState(address.query, labShare.entries);
      const fields = await labShare.write(state);
      useLinkProblem.setState({ problem: problem ?? (fields.length > 0 ? { kind: "fields", fields } : undefined) });
    }
    const { config: draft, preset } = useForm.getState();
    const checked = checkDraft(draft);
    if ("config" in checked && !wasStopped) void lab.start(checked.config, PRESETS[preset].title);
  } catch (error) {
    lab.fail(error);
  }
  isStarting = false;
  tellStatus();
}

const runner: FrameRunner = {
  start: () => void startRun(),
  stop: () => {
    wasStopped = true;
    useFrameLab.getState().stop();
  },
};
useFrame.setState({ runner });

function tellStatus(): void {
  const { active } = useFrameLab.getState();
  if (isStarting) return;
  const runStatus = active === undefined ? "idle" : active.phase === "starting" ? "loading" : "running";
  if (useFrame.getState().runStatus !== runStatus) useFrame.setState({ runStatus });
}
useFrameLab.subscribe(tellStatus);
