import { create } from "zustand";
import { discardEngine } from "../app/engine.ts";
import type { ChatSettings, SettingName } from "../app/playground/settings.ts";
import { playgroundShare, writeQuestion } from "../app/share/playground-share.ts";
import { usePage } from "../app/store.ts";
import type { EmbedAddress } from "./params.ts";

/** Training in the frame, once its part of the page is there. */
export interface FrameRunner {
  start(): void;
  stop(): void;
}

interface FrameState {
  /** Undefined until it has been read. */
  readonly address: EmbedAddress | undefined;
  /** The reader has pressed start: only then may anything be loaded or computed. */
  readonly isStarted: boolean;
  /** The embedding page has asked to start before the reader did. */
  readonly wasAsked: boolean;
  readonly isClosed: boolean;
  /** What the address and the embedding page have set; the rest is as suits the model. */
  readonly params: Partial<ChatSettings>;
  readonly runner: FrameRunner | undefined;
  readonly runStatus: "idle" | "loading" | "running";
}

export const useFrame = create<FrameState>()(() => ({
  address: undefined,
  isStarted: false,
  wasAsked: false,
  isClosed: false,
  params: {},
  runner: undefined,
  runStatus: "idle",
}));

/** Sandboxed without an origin, a frame has no worker to compute in. */
export const HAS_WORKER = globalThis.origin !== "null";
export const HAS_WEBGPU = "gpu" in navigator;

/** Shows what the address asks for; nothing is loaded yet. */
export function openAddress(address: EmbedAddress): void {
  const { model: _, draft, ...params } = address.state;
  usePage.getState().setPreference(address.preferences);
  if (draft !== undefined) usePage.getState().setDraft(draft);
  setParams(params);
  useFrame.setState({ address });
}

export function setParams(params: { readonly [K in SettingName]?: number | undefined }): void {
  const given: Partial<ChatSettings> = Object.fromEntries(
    Object.entries(params).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
  useFrame.setState({ params: { ...useFrame.getState().params, ...given } });
  writeQuestion(given);
}

/** What the reader's press on start does. */
export async function startByReader(): Promise<void> {
  const { address, isStarted, isClosed, params, runner } = useFrame.getState();
  if (!address || isStarted || isClosed) return;
  useFrame.setState({ isStarted: true, wasAsked: false });
  if (address.view === "grpo") {
    runner?.start();
    return;
  }
  const { model } = address.state;
  await playgroundShare.write({ ...params, ...(model === undefined ? {} : { model }) });
}

/** Frees the GPU for good. */
export function closeFrame(): void {
  usePage.getState().stop();
  useFrame.getState().runner?.stop();
  discardEngine();
  useFrame.setState({ isClosed: true });
}
