import { create } from "zustand";
import type {
  DeviceInfo,
  LoadedModel,
  LoadProgress,
  LoadRequest,
  ModelSource,
  PickedFile,
} from "../engine/protocol.ts";
import { isR1Error, R1Error } from "../errors.ts";
import { discardEngine, isEngineHeld, onEngineLost, sharedEngine } from "./engine.ts";
import { toFailure } from "./failure.ts";
import type { Failure } from "./failure.ts";
import { builtInSource, fetchBuiltInModels } from "./models.ts";
import type { BuiltInModel } from "./models.ts";
import { readPreferences } from "./preferences.ts";
import { wantedRuntime } from "./wanted-runtime.ts";
import type { Preferences } from "./preferences.ts";
import { DEFAULT_SETTINGS, settingsFor } from "./playground/settings.ts";
import type { ChatSettings, SettingName } from "./playground/settings.ts";
import { branchesOf, EMPTY, nextId, pathOf, withBranch, withoutTurn, withTurn } from "./playground/conversation.ts";
import type { Branches, Conversation } from "./playground/conversation.ts";
import { streamTurn } from "./playground/stream-turn.ts";
import type { Question } from "./playground/stream-turn.ts";
import type { TokenView } from "./playground/heat.ts";
import { isEmpty } from "./playground/turn.ts";
import type { Turn, TurnPlace } from "./playground/turn.ts";

/** A model to load: where it is, and what the page's list says about it if it is on it. */
export interface ModelChoice {
  readonly source: ModelSource;
  readonly builtIn: BuiltInModel | undefined;
  /** What its weights become while they are loaded. */
  readonly format?: LoadRequest["format"];
  /** As in `LoadRequest`. */
  readonly contextTokens?: number;
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

/** A token of a reply. */
export interface TokenPlace {
  /** The turn's id. */
  readonly turn: number;
  readonly sample: number;
  /** 0 for the reply's first token. */
  readonly index: number;
}

interface CutOff {
  /** The turn's id. */
  readonly turn: number;
  readonly settings: ChatSettings;
}

interface PageState extends Preferences {
  readonly device: DeviceInfo | undefined;
  readonly builtIns: readonly BuiltInModel[];
  readonly model: ModelState;
  readonly settings: ChatSettings;
  readonly conversation: Conversation;
  /** The conversation's turns that are shown. */
  readonly turns: readonly Turn[];
  /** Thoughts that the reader has opened or closed, by "turn.sample": their choice outlives the thought's panel. */
  readonly openThoughts: Readonly<Record<string, boolean>>;
  /** How replies show their tokens. */
  readonly tokenView: TokenView;
  /** The token that is looked at. */
  readonly inspected: TokenPlace | undefined;
  /** What the reader has written but not sent; undefined until there is something. */
  readonly draft: string | undefined;
  /** Stops the reply that is being written. */
  readonly running: AbortController | undefined;
  readonly failure: Failure | undefined;
  /** The model that the failure's offer is about. */
  readonly refused: ModelChoice | undefined;
  /** The reply that was cut off when the device or the worker was lost, and what it had been asked with. */
  readonly cutOff: CutOff | undefined;
  /**
   * After a lost device the model comes back by itself, `due` until that can begin and `done` then. A device that is lost
   * again before a reply has come to its end is left to the reader.
   */
  readonly recovery: "none" | "due" | "done";
  readonly setPreference: (preference: Partial<Preferences>) => void;
  readonly setDraft: (draft: string) => void;
  readonly setSetting: (name: SettingName, value: number) => void;
  /** Opens the device and loads a built-in model, the first unless its folder is named; once. */
  readonly start: (folder?: string) => Promise<void>;
  readonly load: (choice: ModelChoice) => Promise<void>;
  readonly loadFiles: (files: Promise<readonly PickedFile[]>) => Promise<void>;
  /** Brings a lost model back, with the settings as they are. */
  readonly reload: () => Promise<void>;
  /** Loads the model that did not fit as its failure offers it. */
  readonly takeOffer: () => Promise<void>;
  readonly ask: (question: string) => Promise<void>;
  /** Asks a turn's question once more, with the next seed: another reply beside the one there is. */
  readonly retry: (turn: Turn) => Promise<void>;
  /** Lets the reply that was cut off go on from its last token. */
  readonly goOn: () => Promise<void>;
  /** Asks another question in a turn's place; both stay. */
  readonly edit: (turn: Turn, question: string) => Promise<void>;
  readonly showBranch: (turn: Turn, kind: keyof Branches, at: number) => void;
  /** Lets the conversation go on from one of a turn's samples. */
  readonly pick: (turn: Turn, sample: number) => void;
  readonly openThought: (key: string, open: boolean) => void;
  readonly setTokenView: (view: TokenView) => void;
  readonly inspect: (place: TokenPlace | undefined) => void;
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
    if (!failure.restart) return;
    // The next load starts another worker.
    discardEngine();
    lose();
  };

  /** What had to wait can be done now: nothing says so any more. */
  const setFree = (): void => {
    if (get().failure?.code === "E_BUSY") set({ failure: undefined });
  };

  onEngineLost((error) => {
    lose();
    fail(error);
    // A worker that failed by itself may fail so again; one that the browser has ended may not.
    const isTaken = error.code === "E_DEVICE_LOST" || error.details["ended"] === true;
    if (isTaken && get().recovery === "none") set({ recovery: "due" });
    void recoverIfDue();
  });

  /** A reply that is being written hears of the loss by itself, before or after the page does. */
  const recoverIfDue = async (): Promise<void> => {
    const { model, recovery } = get();
    if (recovery !== "due" || model.status !== "lost" || isBusy() || isEngineHeld()) return;
    set({ recovery: "done" });
    await loadModel(model.choice);
  };

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
      set({ device: await deviceIfAny() });
      const model = await sharedEngine().load(requestFor(choice), { onProgress, signal: abort.signal });
      set({ model: { status: "ready", model, choice } });
      setFree();
      return model;
    } catch (error) {
      const { model } = get();
      if (model.status === "loading") set({ model: model.before });
      set({ refused: choice });
      fail(error);
      return undefined;
    }
  };

  /** Says so where a run of the lab has the engine: a call would wait for its end. */
  const isHeld = (): boolean => {
    if (isEngineHeld()) fail(new R1Error("E_BUSY", "a run of training has the engine; stop it in the GRPO lab"));
    return isEngineHeld();
  };

  const setConversation = (conversation: Conversation): void => set({ conversation, turns: pathOf(conversation) });

  /** @param again which time it is that this question is asked here; 0 for the first */
  const askAt = async (place: TurnPlace, text: string, again: number): Promise<void> => {
    const { settings } = get();
    // The same seed would say the same again.
    await stream({ place, text, settings: { ...settings, seed: (settings.seed + again) >>> 0 } }, again === 0);
  };

  /** @param isNew nothing was asked here before */
  const stream = async (question: Omit<Question, "before">, isNew: boolean): Promise<void> => {
    const { model, turns } = get();
    if (!canStream() || model.status !== "ready") return;
    const { place, text, settings } = question;
    const before = turns.slice(0, place.number - 1);
    const running = new AbortController();
    set({ running, failure: undefined, inspected: undefined, cutOff: undefined });
    try {
      await streamTurn(sharedEngine(), { ...question, before }, running.signal, (turn) => {
        const { conversation } = get();
        // The reader may have picked a sample while they stream.
        const { picked } = conversation.turns.find(({ id }) => id === place.id) ?? turn;
        setConversation(withTurn(conversation, { ...turn, picked }));
      });
      set({ recovery: "none" });
    } catch (error) {
      // A question that was refused can be changed and sent again.
      const turn = get().conversation.turns.find(({ id }) => id === place.id);
      if (turn && isEmpty(turn)) {
        setConversation(withoutTurn(get().conversation, turn));
        if (isNew) set({ draft: get().draft ?? text });
      } else if (isLoss(error)) set({ cutOff: { turn: place.id, settings } });
      if (isFull(error)) {
        // The engine has freed all that it had.
        set({ refused: model.choice });
        lose();
      }
      fail(error);
    } finally {
      set({ running: undefined });
      setFree();
      void recoverIfDue();
    }
  };

  /** Says so where the engine has something else to do. */
  const isFree = (): boolean => {
    if (isBusy()) fail(new R1Error("E_BUSY", "a model is being loaded or asked"));
    return !isBusy() && !isHeld();
  };

  /** Says so where no model can be asked; what the reader has written stays. */
  const canStream = (): boolean => {
    const { status } = get().model;
    if (status === "none" || status === "lost") fail(new R1Error("E_NO_MODEL", "a question was sent without a model"));
    else if (isFree()) return true;
    return false;
  };

  const isBusy = (): boolean => get().running !== undefined || get().model.status === "loading";

  return {
    ...readPreferences(),
    device: undefined,
    builtIns: [],
    model: { status: "none" },
    settings: DEFAULT_SETTINGS,
    conversation: EMPTY,
    turns: [],
    openThoughts: {},
    tokenView: "text",
    inspected: undefined,
    draft: undefined,
    running: undefined,
    failure: undefined,
    refused: undefined,
    cutOff: undefined,
    recovery: "none",

    setPreference: (preference) => set(preference),
    setDraft: (draft) => set({ draft }),
    setSetting: (name, value) => set({ settings: { ...get().settings, [name]: value } }),
    dismiss: () => set({ failure: undefined }),
    clear: () => {
      if (!get().running)
        set({
          conversation: EMPTY,
          turns: [],
          openThoughts: {},
          inspected: undefined,
          failure: undefined,
          cutOff: undefined,
        });
    },
    stop: () => get().running?.abort(),

    start: async (folder) => {
      if (started) return;
      started = true;
      try {
        const builtIns = await fetchBuiltInModels();
        set({ builtIns });
        const first = builtIns.find((entry) => entry.folder === folder) ?? builtIns[0];
        // The reader may have opened files of their own meanwhile.
        if (first && get().model.status === "none") await get().load({ source: builtInSource(first), builtIn: first });
      } catch (error) {
        fail(error);
      }
    },

    load: async (choice) => {
      if (!isFree()) return;
      const loaded = await loadModel(choice);
      if (!loaded) return;
      const { n, seed } = get().settings;
      const settings = { ...settingsFor(loaded.recommended, choice.builtIn?.settings ?? {}), n, seed };
      // Another model cannot go on with the tokens of the one before.
      set({ settings, cutOff: undefined, recovery: "none" });
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
      if (model.status === "lost" && isFree()) await loadModel(model.choice);
    },

    takeOffer: async () => {
      const { failure, refused, model } = get();
      if (!failure?.offer || !refused) return;
      const smaller = { ...refused, ...failure.offer };
      // A model that is only gone comes back under its conversation; another one begins its own.
      if (model.status !== "lost" || model.choice !== refused) await get().load(smaller);
      else if (isFree()) await loadModel(smaller);
    },

    ask: async (text) => {
      if (!canStream()) return;
      const { conversation, turns } = get();
      const id = nextId(conversation);
      set({ draft: undefined });
      await askAt({ id, parent: turns.at(-1)?.id ?? 0, asked: id, number: turns.length + 1 }, text, 0);
    },

    retry: async (turn) => {
      const { conversation } = get();
      const { parent, asked, number, question } = turn;
      const again = branchesOf(conversation, turn).replies.of;
      await askAt({ id: nextId(conversation), parent, asked, number }, question, again);
    },

    goOn: async () => {
      const { cutOff, conversation } = get();
      const turn = conversation.turns.find(({ id }) => id === cutOff?.turn);
      if (!cutOff || !turn) return;
      await stream({ place: turn, text: turn.question, settings: cutOff.settings, from: turn }, false);
    },

    edit: async ({ parent, number }, question) => {
      const id = nextId(get().conversation);
      await askAt({ id, parent, asked: id, number }, question, 0);
    },

    showBranch: (turn, kind, at) => {
      setConversation(withBranch(get().conversation, turn, kind, at));
      set({ inspected: undefined });
    },
    pick: (turn, picked) => setConversation(withTurn(get().conversation, { ...turn, picked })),
    openThought: (key, open) => set({ openThoughts: { ...get().openThoughts, [key]: open } }),
    setTokenView: (tokenView) => set({ tokenView, inspected: undefined }),
    inspect: (inspected) => set({ inspected }),
  };
});

/** What a reply can go on from once the model is there again. */
function isLoss(error: unknown): boolean {
  return isR1Error(error) && (error.code === "E_DEVICE_LOST" || error.code === "E_WORKER" || isFull(error));
}

function isFull(error: unknown): boolean {
  return isR1Error(error) && error.code === "E_OUT_OF_MEMORY";
}

function requestFor({ source, format, contextTokens }: ModelChoice): LoadRequest {
  return {
    source,
    runtime: wantedRuntime(location.search),
    ...(format ? { format } : {}),
    ...(contextTokens === undefined ? {} : { contextTokens }),
  };
}

/** Without a device a model may run on the processor; whether it does, loading says. */
async function deviceIfAny(): Promise<DeviceInfo | undefined> {
  try {
    return await sharedEngine().open();
  } catch (error) {
    const { code } = toFailure(error);
    if (code === "E_NO_WEBGPU" || code === "E_NO_ADAPTER") return undefined;
    throw error;
  }
}

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
