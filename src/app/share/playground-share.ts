import { builtInSource } from "../models.ts";
import { settingsSchema } from "../playground/settings.ts";
import type { ChatSettings, SettingName } from "../playground/settings.ts";
import { usePage } from "../store.ts";
import type { SharePart } from "./link.ts";
import { MAX_DRAFT, playgroundEntries } from "./playground-entries.ts";
import type { PlaygroundShare } from "./playground-entries.ts";

/** The playground in a link: which model, how it is asked, and the question. */
export const playgroundShare: SharePart<PlaygroundShare> = {
  entries: playgroundEntries,

  read() {
    const { model, settings, turns, draft } = usePage.getState();
    const folder = "choice" in model ? model.choice.builtIn?.folder : undefined;
    // What was asked last is what a reader means to show, unless something new is being written.
    const question = draft?.trim() ? draft : turns.at(-1)?.question;
    return {
      ...settings,
      ...(folder === undefined ? {} : { model: folder }),
      ...(question === undefined || question.length > MAX_DRAFT ? {} : { draft: question }),
    };
  },

  async write({ model: folder, draft, ...settings }) {
    const { start, load } = usePage.getState();
    writeQuestion({ ...settings, ...(draft === undefined ? {} : { draft }) });
    await start(folder);
    const { builtIns, model } = usePage.getState();
    const builtIn = builtIns.find((entry) => entry.folder === folder);
    const isThere = "choice" in model && model.choice.builtIn?.folder === folder;
    if (builtIn && !isThere && model.status !== "none") await load({ source: builtInSource(builtIn), builtIn });
    // Loading a model sets what suits it.
    writeSettings(settings);
    return folder !== undefined && builtIns.length > 0 && !builtIn ? ["model"] : [];
  },
};

/** The part of a link that needs no model. */
export function writeQuestion({ draft, ...settings }: Partial<Omit<PlaygroundShare, "model">>): void {
  if (draft !== undefined) usePage.getState().setDraft(draft);
  writeSettings(settings);
}

function writeSettings(settings: Partial<ChatSettings>): void {
  const { setSetting } = usePage.getState();
  for (const [name, value] of Object.entries(settings)) if (isName(name)) setSetting(name, value);
}

function isName(name: string): name is SettingName {
  return name in settingsSchema.entries;
}
