import { create } from "zustand";
import type { StoreApi, UseBoundStore } from "zustand";
import type { TrainingRun } from "../../engine/client.ts";
import type { CheckpointFiles, TrainEvent } from "../../engine/protocol.ts";
import { isR1Error, R1Error, throwIfAborted } from "../../errors.ts";
import { VERSION } from "../../train/record/run-record.ts";
import { visible } from "../../visible-text.ts";
import { toFailure } from "../failure.ts";
import { checkpointStepOf } from "../runs/checkpoint-files.ts";
import { memoryDatabase } from "../runs/memory-database.ts";
import { lastStepOf, runUpTo } from "../runs/record-data.ts";
import { RunArchive } from "../runs/run-archive.ts";
import type { ListedRun, RunWriter } from "../runs/run-archive.ts";
import type { RunData } from "../runs/run-data.ts";
import type { LabFailure, LabServices, LabState } from "./lab-state.ts";
import { followRun } from "./live-run.ts";
import { modelSources } from "./model-sources.ts";

export type { ActiveRun, LabFailure, LabServices, LabState } from "./lab-state.ts";

/** The active run's parts that are no state of the page. */
interface LiveRun {
  readonly abort: AbortController;
  training: TrainingRun | undefined;
  writer: RunWriter | undefined;
  files: CheckpointFiles | undefined;
}

const MAX_NAME = 80;

export function createLab(services: LabServices): UseBoundStore<StoreApi<LabState>> {
  let archive = new RunArchive(memoryDatabase());
  let opening: Promise<void> | undefined;
  let recordsOpened = false;
  /** Of runs that could not be written down. */
  const unwritten = new Map<string, CheckpointFiles | undefined>();
  let live: LiveRun | undefined;
  let isWatching = false;
  let reading: AbortController | undefined;

  return create<LabState>()((set, get) => {
    const fail = (error: unknown, runId?: string): void => {
      const failure = toFailure(error);
      if (failure.code !== "E_ABORTED") set({ failure: { ...failure, runId, earlier: earlierOf(error) } });
    };

    const refresh = async (): Promise<void> => {
      const { runs, broken } = await archive.list();
      const others = get().runs.filter(({ id }) => unwritten.has(id));
      set({ runs: [...others, ...runs.filter(({ id }) => !unwritten.has(id))], broken });
    };

    const refuse = (why: string): void => fail(new R1Error("E_BUSY", why));

    const openStorage = async (): Promise<void> => {
      try {
        try {
          archive = new RunArchive(await services.openDatabase());
        } catch {
          // Memory, then.
        }
        set({ storage: archive.isPersistent ? "open" : "closed" });
        await refresh();
      } catch (error) {
        fail(error);
      }
    };

    /** Resolves when the runs' place is known: what is written or looked for before would be lost. */
    const storageOpened = (): Promise<void> => (opening ??= openStorage());

    /** Says that another tab trains, until it no longer does. */
    const watchOtherTab = async (): Promise<void> => {
      if (isWatching) return;
      isWatching = true;
      set({ otherTab: true });
      await services.lock.whenFree();
      isWatching = false;
      set({ otherTab: false });
      await refresh();
    };

    /** Runs `write` while no other tab trains or writes, and says how that failed. @returns whether it could begin */
    const alone = async (write: () => Promise<void>): Promise<boolean> => {
      await storageOpened();
      const release = await services.lock.take();
      if (!release) {
        watchOtherTab().catch((error: unknown) => fail(error));
        return false;
      }
      try {
        await write();
      } catch (error) {
        fail(error);
      } finally {
        release();
      }
      return true;
    };

    /** The same for what the reader has asked for: they are told where it could not begin. */
    const asked = async (write: () => Promise<void>): Promise<void> => {
      if (!(await alone(write))) refuse("another tab trains or writes");
    };

    const patchRun = (id: string, patch: Partial<ListedRun>): void =>
      set({ runs: get().runs.map((run) => (run.id === id ? { ...run, ...patch } : run)) });

    const toFront = (id: string): readonly string[] => [
      id,
      ...get().shown.filter((other) => other !== id && get().data[other]?.isRecorded === false),
    ];

    const load = async (id: string): Promise<RunData> => {
      const known = get().data[id];
      if (known) return known;
      const entry = get().recorded.find(({ name }) => id === `recorded/${name}`);
      if (!entry) await storageOpened();
      // Who asks for another run no longer waits for this one.
      reading?.abort();
      const own = new AbortController();
      reading = own;
      const onProgress = (done: number): void => {
        if (reading === own && done - (get().reading?.done ?? 0) >= 0.01) set({ reading: { id, done } });
      };
      set({ reading: { id, done: 0 } });
      try {
        const options = { onProgress, signal: own.signal };
        const readKept = archive.isPersistent ? services.readKeptRun : undefined;
        const run = await (entry
          ? services.fetchRecordedRun(entry, options)
          : (readKept?.(id, options) ?? archive.open(id)));
        throwIfAborted(own.signal);
        set({ data: { ...get().data, [id]: run } });
        return run;
      } finally {
        if (reading === own) {
          reading = undefined;
          set({ reading: undefined });
        }
      }
    };

    const checkpoint = async (id: string): Promise<CheckpointFiles> => {
      await storageOpened();
      return unwritten.get(id) ?? archive.checkpoint(id);
    };

    const { sourceOf, trainedSource } = modelSources(
      services,
      checkpoint,
      (id) => get().data[id]?.header ?? get().runs.find((run) => run.id === id)?.header,
    );

    const onEvent = (event: TrainEvent): void => {
      const { active } = get();
      if (!active) return;
      const { phase } = active;
      if (event.type === "step") patchRun(active.id, { step: event.step });
      if (phase === "starting") set({ active: { ...active, phase: "running" } });
      // A run is held before whatever comes after an event, but never within a step.
      if ((phase === "pausing" && event.type !== "warning") || (phase === "stepping" && event.type === "step")) {
        set({ active: { ...active, phase: "paused" } });
      }
    };

    const isUnwritten = (id: string): boolean => unwritten.has(id);

    /** @param after the step that it goes on from; below 0 for a run from its beginning */
    const train = async (run: RunData, after: number, from: CheckpointFiles | undefined): Promise<void> => {
      const { id, header } = run;
      const onUnwritten = (): void => {
        unwritten.set(id, live?.files ?? unwritten.get(id));
        set({ storage: "full" });
      };
      const model = header.config.model ?? "";
      const models = { [model]: await sourceOf(model) };
      const row = { id, name: run.name, header, step: lastStepOf(run), checkpointStep: Math.max(0, after) };
      set({
        data: { ...get().data, [id]: run },
        runs: get().runs.some((other) => other.id === id)
          ? get().runs.map((other) => (other.id === id ? { ...other, step: row.step } : other))
          : [row, ...get().runs],
        shown: toFront(id),
      });
      let writer: RunWriter | undefined;
      try {
        if (!isUnwritten(id)) writer = await archive.writer(run, after);
      } catch {
        onUnwritten();
      }
      if (!live) return;
      const call = { kind: header.kind, config: header.config, models, ...(from ? { checkpoint: from } : {}) };
      live.writer = writer;
      live.training = services.engine().train(call, { signal: live.abort.signal });
      await followRun(live.training, run, writer, {
        onEvent,
        onUnwritten,
        show: (next) => set({ data: { ...get().data, [id]: { ...next, name: get().data[id]?.name ?? next.name } } }),
        onCheckpoint: (files, step) => {
          if (live) live.files = files;
          if (isUnwritten(id)) unwritten.set(id, files);
          patchRun(id, { checkpointStep: step });
        },
      });
    };

    /** Holds the engine and the lock for a run, and says how it ended. It is there from the click on. */
    const active = async (id: string, run: () => Promise<void>): Promise<void> => {
      if (get().active) {
        refuse("a run is being trained");
        return;
      }
      const giveBack = services.hold();
      const own = { abort: new AbortController(), training: undefined, writer: undefined, files: undefined };
      live = own;
      set({ active: { id, phase: "starting" }, failure: undefined });
      await asked(async () => {
        try {
          if (!own.abort.signal.aborted) await run();
        } catch (error) {
          fail(error, get().data[id] ? id : undefined);
        }
      });
      live = undefined;
      giveBack();
      set({ active: undefined });
    };

    return {
      storage: "opening",
      otherTab: false,
      runs: [],
      broken: [],
      recorded: [],
      data: {},
      shown: [],
      active: undefined,
      reading: undefined,
      cancelReading: () => reading?.abort(),
      failure: undefined,
      fail: (error) => fail(error),
      dismiss: () => set({ failure: undefined }),
      checkpoint,
      sourceOf,
      trainedSource,

      open: async () => {
        if (recordsOpened) return;
        recordsOpened = true;
        const openRecords = async (): Promise<void> => {
          const recorded = await services.fetchRecordedRuns();
          set({ recorded });
          const [first] = recorded;
          if (!first || get().shown.length > 0 || get().active) return;
          await load(`recorded/${first.name}`);
          // While it was fetched the reader may have chosen a run, or started one.
          if (get().shown.length === 0) set({ shown: [`recorded/${first.name}`] });
        };
        // Says so where another tab trains.
        void storageOpened().then(() => alone(async () => undefined));
        await Promise.all([storageOpened(), openRecords().catch((error: unknown) => fail(error))]);
      },

      start: (config, name) => {
        const { id, started } = services.newRun();
        return active(id, async () => {
          const { features, ...device } = await services.engine().open();
          const facts = { ...device, features: features.join(" ") };
          const header = { kind: "grpo", version: VERSION, started, seed: config.seed, config } as const;
          const run: RunData = {
            id,
            name: name.slice(0, MAX_NAME),
            header: { ...header, max_steps: config.max_steps, device: facts },
            isRecorded: false,
            steps: [],
            evaluations: [],
            warnings: [],
          };
          if (live?.abort.signal.aborted !== true) await train(run, -1, undefined);
        });
      },

      resumeRun: (id) =>
        active(id, async () => {
          const run = await load(id);
          const row = get().runs.find((other) => other.id === id);
          const files = row && row.checkpointStep > 0 ? await checkpoint(id) : undefined;
          const after = files ? checkpointStepOf(files) : -1;
          await train(runUpTo(run, after), after, files);
        }),

      pause: () => setPace("pause"),
      step: () => setPace("step"),
      go: () => setPace("resume"),
      stop: () => {
        const { active: current } = get();
        if (!current) return;
        live?.abort.abort();
        set({ active: { ...current, phase: "stopping" } });
      },

      focus: async (id) => {
        try {
          await load(id);
          set({ shown: toFront(id) });
        } catch (error) {
          fail(error);
        }
      },

      overlay: async (id, on) => {
        try {
          const others = get().shown.filter((other) => other !== id);
          if (on) await load(id);
          set({ shown: on ? [...others, id] : others });
        } catch (error) {
          fail(error);
        }
      },

      rename: async (id, given) => {
        const name = visible(given.trim().slice(0, MAX_NAME));
        if (name === "") return;
        const write = async (): Promise<void> => {
          if (get().active?.id === id) await live?.writer?.rename(name);
          else if (!isUnwritten(id)) await archive.rename(id, name);
          const run = get().data[id];
          if (run) set({ data: { ...get().data, [id]: { ...run, name } } });
          patchRun(id, { name });
        };
        await asked(write);
      },

      useEarlier: (id) =>
        asked(async () => {
          patchRun(id, { checkpointStep: await archive.useEarlierCheckpoint(id) });
          set({ failure: undefined });
        }),

      remove: (id) =>
        asked(async () => {
          if (get().active?.id === id) {
            refuse("the run is being trained");
            return;
          }
          await archive.remove(id);
          unwritten.delete(id);
          const { [id]: _, ...data } = get().data;
          set({
            data,
            shown: get().shown.filter((other) => other !== id),
            runs: get().runs.filter((run) => run.id !== id),
            broken: get().broken.filter((run) => run.id !== id),
          });
        }),
    };

    function setPace(pace: "pause" | "step" | "resume"): void {
      const { active: current } = get();
      if (!current || !live?.training || current.phase === "stopping") return;
      live.training[pace]();
      const phase = { pause: "pausing", step: "stepping", resume: "running" } as const;
      set({ active: { ...current, phase: phase[pace] } });
    }
  });
}

function earlierOf(error: unknown): LabFailure["earlier"] {
  if (!isR1Error(error) || error.code !== "E_CHECKPOINT") return undefined;
  const { run, earlierStep } = error.details;
  return typeof run === "string" && typeof earlierStep === "number" ? { run, step: earlierStep } : undefined;
}
