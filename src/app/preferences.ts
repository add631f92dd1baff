import * as v from "valibot";
import { LANGUAGES, preferredLanguage } from "./i18n/texts.ts";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const schema = v.object({ language: v.picklist(LANGUAGES), theme: v.picklist(THEMES) });

/** How the reader wants the page; remembered where the browser allows it. */
export type Preferences = v.InferOutput<typeof schema>;

const KEY = "r1-playground";

export function readPreferences(): Preferences {
  const stored = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), storedText());
  return stored.success ? stored.output : { language: preferredLanguage(navigator.languages), theme: "auto" };
}

function storedText(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    // Storage is closed to the page (a private window, a frame on another site): nothing is remembered.
    return null;
  }
}

export function writePreferences(preferences: Preferences): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // As above; the choice holds until the page is left.
  }
}

/** Tells the document, so that fonts, line breaks, screen readers and colours follow. */
export function applyPreferences({ language, theme }: Preferences): void {
  const { documentElement: root } = document;
  root.lang = language;
  if (theme === "auto") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
}
