import { useEffect } from "react";
import { create } from "zustand";
import type { DeviceInfo, LoadRequest, MemoryAdvice, MemoryNeed, PlanRequest } from "../../engine/protocol.ts";
import { isEngineHeld, sharedEngine } from "../engine.ts";
import { usePage } from "../store.ts";
import { wantedRuntime } from "../wanted-runtime.ts";

/** How a model is to be loaded, where it is not as its form says. */
export type LoadChoice = Pick<MemoryNeed, "format" | "contextTokens">;

/** Context that plans are for unless more is asked for; as models are loaded with. */
const CONTEXT_TOKENS = 4096;

interface PlanState {
  /** That the page's plans are for. */
  readonly contextTokens: number;
  /** What the reader has taken in a form's place, by the form. */
  readonly taken: Readonly<Record<string, LoadChoice>>;
  /** By request; undefined for a model that cannot be judged. */
  readonly answers: ReadonlyMap<string, MemoryAdvice | undefined>;
  readonly setContext: (contextTokens: number) => void;
  readonly take: (id: string, choice: LoadChoice) => void;
  /** Asks the engine once. */
  readonly ask: (key: string, request: PlanRequest) => void;
}

const asked = new Set<string>();

export const usePlans = create<PlanState>()((set, get) => ({
  contextTokens: CONTEXT_TOKENS,
  taken: {},
  answers: new Map(),
  // What was taken was for another context.
  setContext: (contextTokens) => set({ contextTokens, taken: {} }),
  take: (id, { format, contextTokens }) =>
    set({ taken: { ...get().taken, [id]: { contextTokens, ...(format ? { format } : {}) } } }),
  ask: (key, request) => {
    if (asked.has(key)) return;
    asked.add(key);
    const answer = (advice: MemoryAdvice | undefined): void =>
      set({ answers: new Map(get().answers).set(key, advice) });
    openDevice()
      .then(() => sharedEngine().plan({ runtime: wantedRuntime(location.search), ...request }))
      .then(answer, () => answer(undefined));
  },
}));

let opening: Promise<void> | undefined;

/** A plan is about the device: without one, about the processor. */
function openDevice(): Promise<void> {
  opening ??= (async () => {
    // A run of training has opened it, and would have to end first.
    if (usePage.getState().device || isEngineHeld()) return;
    try {
      usePage.setState({ device: await sharedEngine().open() });
    } catch {
      // The next load says why.
    }
  })();
  return opening;
}

/** A plan is of a form, as it is to be loaded, on a device. */
export function planKey(id: string, { format, contextTokens }: LoadChoice, device: DeviceInfo | undefined): string {
  return JSON.stringify([
    id,
    format,
    contextTokens,
    device?.maxBufferSize,
    device?.maxBindingSize,
    device?.description,
  ]);
}

export interface Planned {
  /** Undefined until it is known; null for what cannot be judged. */
  readonly advice: MemoryAdvice | null | undefined;
  /** How the model is loaded: as its form says, or as the reader has taken it. */
  readonly choice: LoadChoice;
}

/**
 * The plan of a model.
 * @param id of the form, stable over visits
 * @param model undefined where nothing is known of it
 * @param format that its form is loaded in
 */
export function usePlan(id: string, model: PlanRequest["model"] | undefined, format: LoadRequest["format"]): Planned {
  const contextTokens = usePlans((state) => state.contextTokens);
  const taken = usePlans((state) => state.taken[id]);
  const ask = usePlans((state) => state.ask);
  const device = usePage((state) => state.device);
  const choice = taken ?? { contextTokens, ...(format ? { format } : {}) };
  const key = planKey(id, choice, device);
  const isKnown = usePlans((state) => state.answers.has(key));
  const found = usePlans((state) => state.answers.get(key));
  // What was asked already is not asked again.
  useEffect(() => {
    if (model) ask(key, { model, ...choice });
  });
  return { choice, advice: model && !isKnown ? undefined : (found ?? null) };
}
