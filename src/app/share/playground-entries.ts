import * as v from "valibot";
import { settingsSchema } from "../playground/settings.ts";
import type { ChatSettings } from "../playground/settings.ts";
import type { StateEntries } from "./state-query.ts";

/** The longest question that a link may bring. */
export const MAX_DRAFT = 8000;

export interface PlaygroundShare extends ChatSettings {
  /** Folder of a built-in model; no other model can be named. */
  readonly model: string;
  readonly draft: string;
}

export const playgroundEntries: StateEntries<PlaygroundShare> = {
  ...settingsSchema.entries,
  model: v.pipe(v.string(), v.regex(/^[\w.-]{1,64}$/)),
  draft: v.pipe(v.string(), v.maxLength(MAX_DRAFT)),
};
