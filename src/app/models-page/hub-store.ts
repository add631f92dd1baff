import { create } from "zustand";
import { parseHubAddress } from "../../checkpoint/hub/address.ts";
import type { EngineClient } from "../../engine/client.ts";
import type { DownloadProgress, HubOffer, HubRequest, StoredModel, StoredModels } from "../../engine/protocol.ts";
import { startEngine } from "../../engine/start.ts";
import { toFailure } from "../failure.ts";
import type { Failure } from "../failure.ts";
import { hubEndpoint } from "./endpoint.ts";

/** A download that this visit has begun, by its address. */
export interface Download {
  readonly address: string;
  readonly state: "running" | "paused" | "failed";
  readonly progress: DownloadProgress | undefined;
  readonly failure: Failure | undefined;
  readonly abort: AbortController;
  /** What its weights must be. */
  readonly sha256: string | undefined;
}

interface HubState {
  /** Undefined until they are listed. */
  readonly stored: StoredModels | undefined;
  readonly downloads: Readonly<Record<string, Download>>;
  /** What the repository that was asked for last has. */
  readonly offer: HubOffer | undefined;
  readonly isLooking: boolean;
  readonly failure: Failure | undefined;
  /** Commits that the branches of stored models are at now, by address; those that the hub did not tell are missing. */
  readonly latest: Readonly<Record<string, string>>;
  /** For this visit; it is written nowhere. */
  readonly token: string;
  /** Whether the browser keeps downloads when its disk fills; undefined where it does not tell. */
  readonly isPersisted: boolean | undefined;
  readonly setToken: (token: string) => void;
  readonly refresh: () => Promise<void>;
  readonly look: (address: string) => Promise<void>;
  /** @param sha256 what its weights must be; as in an earlier try where it is left out */
  readonly download: (address: string, sha256?: string) => Promise<void>;
  readonly pause: (address: string) => void;
  /** Stops a download and takes away what has arrived. */
  readonly cancel: (address: string) => Promise<void>;
  readonly remove: (model: StoredModel) => Promise<void>;
  /** Keeps a model as it is although its branch has moved on to a commit. */
  readonly keep: (model: StoredModel, commit: string) => Promise<void>;
  readonly persist: () => Promise<void>;
  readonly dismiss: () => void;
}

let worker: EngineClient | undefined;

/** A worker of their own: hashing gigabytes would hold up a model that answers. */
function downloader(): EngineClient {
  if (worker) return worker;
  const started = startEngine();
  worker = started;
  started.onLost(() => {
    started.dispose();
    if (worker === started) worker = undefined;
  });
  return started;
}

const COMMIT = /^[0-9a-f]{40}$/;
const asked = new Set<string>();

/** Downloads that are running, so that one can be waited for. */
const running = new Map<string, Promise<void>>();

export const useHub = create<HubState>()((set, get) => {
  const change = (address: string, part: Partial<Download>): void => {
    const { downloads } = get();
    const download = downloads[address];
    if (download) set({ downloads: { ...downloads, [address]: { ...download, ...part } } });
  };
  const forget = (address: string): void => {
    set({ downloads: Object.fromEntries(Object.entries(get().downloads).filter(([key]) => key !== address)) });
  };
  const requestOf = (address: string): HubRequest => {
    const endpoint = hubEndpoint(location);
    const { token } = get();
    return { address, ...(endpoint === undefined ? {} : { endpoint }), ...(token === "" ? {} : { token }) };
  };
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      set({ failure: toFailure(error) });
    }
  };

  const run = async (address: string, sha256: string | undefined, signal: AbortSignal): Promise<void> => {
    try {
      const request = { ...requestOf(address), ...(sha256 === undefined ? {} : { sha256 }) };
      await downloader().download(request, (progress) => change(address, { progress }), signal);
      forget(address);
    } catch (error) {
      const failure = toFailure(error);
      if (failure.code === "E_ABORTED") change(address, { state: "paused" });
      else change(address, { state: "failed", failure });
    }
    await get().refresh();
  };

  /** Asks the hub about the branches of stored models, each once a visit; without a connection nothing is said. */
  const lookForLater = async (models: readonly StoredModel[]): Promise<void> => {
    for (const { address, source } of models) {
      if (!source || asked.has(address) || COMMIT.test(parseHubAddress(address).revision)) continue;
      asked.add(address);
      const commit = await downloader()
        .hubCommit(requestOf(address))
        .catch(() => undefined);
      if (commit !== undefined && COMMIT.test(commit)) set({ latest: { ...get().latest, [address]: commit } });
    }
  };

  return {
    latest: {},
    stored: undefined,
    downloads: {},
    offer: undefined,
    isLooking: false,
    failure: undefined,
    token: "",
    isPersisted: undefined,
    setToken: (token) => set({ token: token.trim() }),
    dismiss: () => set({ failure: undefined }),

    refresh: () =>
      attempt(async () => {
        const isPersisted = await navigator.storage?.persisted?.().catch(() => undefined);
        const stored = await downloader().listStored();
        set({ stored, isPersisted });
        void lookForLater(stored.models);
      }),

    look: async (address) => {
      set({ isLooking: true, offer: undefined, failure: undefined });
      await attempt(async () => set({ offer: await downloader().listHub(requestOf(address)) }));
      set({ isLooking: false });
    },

    download: async (address, sha256 = get().downloads[address]?.sha256) => {
      if (running.has(address)) return;
      const abort = new AbortController();
      const begun: Download = { address, state: "running", progress: undefined, failure: undefined, abort, sha256 };
      set({ downloads: { ...get().downloads, [address]: begun } });
      void get().persist();
      const work = run(address, sha256, abort.signal).finally(() => running.delete(address));
      running.set(address, work);
      await work;
    },

    pause: (address) => get().downloads[address]?.abort.abort(),

    cancel: async (address) => {
      get().pause(address);
      await running.get(address);
      forget(address);
      const model = get().stored?.models.find((stored) => stored.address === address);
      if (model) await get().remove(model);
    },

    remove: (model) =>
      attempt(async () => {
        await downloader().removeStored(model.id);
        forget(model.address);
        await get().refresh();
      }),

    keep: ({ id }, commit) =>
      attempt(async () => {
        await downloader().keepStored({ id, commit });
        await get().refresh();
      }),

    persist: () =>
      attempt(async () => {
        const isPersisted = await navigator.storage?.persist?.().catch(() => undefined);
        set({ isPersisted });
      }),
  };
});
