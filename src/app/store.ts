import { create } from "zustand";
import type { DeviceInfo, LoadedModel, LoadProgress, ModelSource, PickedFile } from "../engine/protocol.ts";
import { R1Error } from "../errors.ts";
import { discardEngine, isEngineHeld, onEngineLost, sharedEngine } from "./engine.ts";
import { toFailure } from "./failure.ts";
import type { Failure } from "./failure.ts";
import { builtInSource, fetchBuiltInModels } from "./models.ts";
import type { BuiltInModel } from "./models.ts";
import { readPreferences } from "./preferences.ts";
import type { Preferences } from "./preferences.ts";
import { DEFAULT_SETTINGS, settingsFor } from "./playground/settings.ts";
import type { ChatSettings, SettingName } from "./playground/settings.ts";
import { streamTurn } from "./playground/stream-turn.ts";
import { isEmpty } from "./playground/turn.ts";
import type { Turn } from "./playground/turn.ts";

/** A model to load: where it is, and what the page's list says about it if it is on it. */
export interface ModelChoice {
  readonly source: ModelSource;
  readonly builtIn: BuiltInModel | undefined;
}

export type ModelState =
  | { readonly status: "none" }
  | {
      readonly status: "loading";
      readonly progress: LoadProgress;
      readonly abort: AbortController;
      /** What there is again if the load fails. */
      readonly before: ModelState;
    }
  | { readonly status: "ready"; readonly model: LoadedModel; readonly choice: ModelChoice }
  /** It was there and is gone (a lost device, a load that failed after it had made room); it can come back. */
  | { readonly status: "lost"; readonly name: string; readonly choice: ModelChoice };

interface PageState extends Preferences {
  readonly device: DeviceInfo | undefined;
  readonly builtIns: readonly BuiltInModel[];
  readonly model: ModelState;
  readonly settings: ChatSettings;
  readonly turns: readonly Turn[];
  /** What the reader has written but not sent; undefined until there is something. */
  readonly draft: string | undefined;
  /** Stops the reply that is being written. */
  readonly running: AbortController | undefined;
  readonly failure: Failure | undefined;
  readonly setPreference: (preference: Partial<Preferences>) => void;
  readonly setDraft: (draft: string) => void;
  readonly setSetting: (name: SettingName, value: number) => void;
  /** Opens the device and loads the first built-in model; once. */
  readonly start: () => Promise<void>;
  readonly load: (choice: ModelChoice) => Promise<void>;
  readonly loadFiles: (files: Promise<readonly PickedFile[]>) => Promise<void>;
  /** Brings a lost model back, with the settings as they are. */
  readonly reload: () => Promise<void>;
  readonly ask: (question: string) => Promise<void>;
  readonly stop: () => void;
  readonly clear: () => void;
  readonly dismiss: () => void;
}

let started = false;

export const usePage = create<PageState>()((set, get) => {
  const lose = (): void => set({ model: withoutModel(get().model) });

  const fail = (error: unknown): void => {
    const failure = toFailure(error);
    if (failure.code === "E_ABORTED") return;
    set({ failure });
    if (failure.code !== "E_WORKER") return;
    // The next load starts another worker.
    discardEngine();
    lose();
  };

  onEngineLost((error) => {
    lose();
    fail(error);
  });

  /** @returns the model, or undefined when it could not be loaded */
  const loadModel = async (choice: ModelChoice): Promise<LoadedModel | undefined> => {
    const abort = new AbortController();
    const onProgress = (progress: LoadProgress): void => {
      const { model } = get();
      const before = model.status === "loading" ? model.before : model;
      // A folder that is found to be wrong leaves the model before as it was; once weights are read it is gone.
      const kept = progress.stage === "weights" ? withoutModel(before) : before;
      set({ model: { status: "loading", progress, abort, before: kept } });
    };
    onProgress({ stage: "device", loadedBytes: 0, totalBytes: 0 });
    set({ failure: undefined });
    try {
      set({ device: await sharedEngine().open() });
      const model = await sharedEngine().load({ source: choice.source }, { onProgress, signal: abort.signal });
      set({ model: { status: "ready", model, choice } });
      return model;
    } catch (error) {
      const { model } = get();
      if (model.status === "loading") set({ model: model.before });
      fail(error);
      return undefined;
    }
  };

  /** Says so where a run of the lab has the engine: a call would wait for its end. */
  const isHeld = (): boolean => {
    if (isEngineHeld()) fail(new R1Error("E_BUSY", "a run of training has the engine; stop it in the GRPO lab"));
    return isEngineHeld();
  };

  const isBusy = (): boolean => get().running !== undefined || get().model.status === "loading";

  return {
    ...readPreferences(),
    device: undefined,
    builtIns: [],
    model: { status: "none" },
    settings: DEFAULT_SETTINGS,
    turns: [],
    draft: undefined,
    running: undefined,
    failure: undefined,

    setPreference: (preference) => set(preference),
    setDraft: (draft) => set({ draft }),
    setSetting: (name, value) => set({ settings: { ...get().settings, [name]: value } }),
    dismiss: () => set({ failure: undefined }),
    clear: () => {
      if (!get().running) set({ turns: [], failure: undefined });
    },
    stop: () => get().running?.abort(),

    start: async () => {
      if (started) return;
      started = true;
      try {
        const builtIns = await fetchBuiltInModels();
        set({ builtIns });
        const [first] = builtIns;
        if (first) await get().load({ source: builtInSource(first), builtIn: first });
      } catch (error) {
        fail(error);
      }
    },

    load: async (choice) => {
      if (isBusy()) {
        fail(new R1Error("E_BUSY", "a model was dropped while another was being loaded or asked"));
        return;
      }
      if (isHeld()) return;
      const loaded = await loadModel(choice);
      if (!loaded) return;
      const { n, seed } = get().settings;
      set({ settings: { ...settingsFor(loaded.recommended, choice.builtIn?.settings ?? {}), n, seed } });
    },

    loadFiles: async (files) => {
      try {
        await get().load({ source: { kind: "files", files: await files }, builtIn: undefined });
      } catch (error) {
        fail(error);
      }
    },

    reload: async () => {
      const { model } = get();
      if (model.status === "lost" && !isBusy() && !isHeld()) await loadModel(model.choice);
    },

    ask: async (text) => {
      const { model, turns: before, settings } = get();
      if (isBusy() || model.status !== "ready" || isHeld()) return;
      const running = new AbortController();
      set({ running, failure: undefined, draft: undefined });
      try {
        await streamTurn(sharedEngine(), { text, before, settings }, running.signal, (turn) =>
          set({ turns: [...before, turn] }),
        );
      } catch (error) {
        // A question that was refused can be changed and sent again.
        if (isEmpty(get().turns.at(-1))) set({ turns: before, draft: get().draft ?? text });
        fail(error);
      } finally {
        set({ running: undefined });
      }
    },
  };
});

/** The state when the engine no longer has what it had loaded. */
function withoutModel(model: ModelState): ModelState {
  switch (model.status) {
    case "ready":
      return { status: "lost", name: model.model.name, choice: model.choice };
    case "loading":
      return { ...model, before: withoutModel(model.before) };
    case "none":
    case "lost":
      return model;
  }
}
