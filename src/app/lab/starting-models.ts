import { create } from "zustand";
import type { ModelSource, StoredModel } from "../../engine/protocol.ts";
import { sharedEngine } from "../engine.ts";
import { usePage } from "../store.ts";
import { visible } from "../../visible-text.ts";

// What a configuration's `model` may say besides the models that come with the page: a download, or files that the
// reader has opened in the playground.
const STORED = "stored/";
const PICKED = "files/";

/** A model that somebody else trained, as opposed to the page's small ones and to what was trained here. */
export function isCheckpoint(model: string | undefined): boolean {
  return model !== undefined && (model.startsWith(STORED) || model.startsWith(PICKED));
}

export interface StartingModel {
  /** As a configuration's `model` says it. */
  readonly value: string;
  readonly name: string;
}

interface StartingModels {
  readonly stored: readonly StartingModel[];
  /** Opened in this visit, with what they were opened from: a page may not keep files for the next one. */
  readonly picked: Readonly<Record<string, ModelSource>>;
  /** Looks what has been downloaded. */
  readonly refresh: () => Promise<void>;
}

export const useStartingModels = create<StartingModels>()((set) => ({
  stored: [],
  picked: {},
  refresh: async () => {
    try {
      const { models } = await sharedEngine().listStored();
      set({ stored: models.flatMap(startingModel) });
    } catch {
      // Storage that is closed holds nothing to start from.
      set({ stored: [] });
    }
  },
}));

/** What has arrived whole. */
function startingModel({ id, address, source }: StoredModel): StartingModel[] {
  return source ? [{ value: `${STORED}${id}`, name: visible(address) }] : [];
}

/** Files stay readable for as long as the page is open, also after another model took their place in the playground. */
function remember({ model }: Pick<ReturnType<typeof usePage.getState>, "model">): void {
  if (model.status !== "ready" || model.choice.source.kind !== "files") return;
  const { picked } = useStartingModels.getState();
  const { name } = model.model;
  if (picked[name] === model.choice.source) return;
  useStartingModels.setState({ picked: { ...picked, [name]: model.choice.source } });
}

usePage.subscribe(remember);
// Opened before the lab was.
remember(usePage.getState());

export function pickedModels(picked: StartingModels["picked"]): readonly StartingModel[] {
  return Object.keys(picked).map((name) => ({ value: `${PICKED}${name}`, name: visible(name) }));
}

/** Files by the name that the playground gave them; undefined for those of an earlier visit. */
export function pickedModel(name: string): ModelSource | undefined {
  return useStartingModels.getState().picked[name];
}
