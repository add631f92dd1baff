import * as v from "valibot";
import { LANGUAGES } from "../i18n/texts.ts";
import { THEMES } from "../preferences.ts";
import type { Preferences } from "../preferences.ts";

const preferenceEntries = { lang: v.picklist(LANGUAGES), theme: v.picklist(THEMES) };

/** Language and theme that an address asks for. */
export function preferencesOf(query: URLSearchParams): Partial<Preferences> {
  const lang = v.safeParse(preferenceEntries.lang, query.get("lang"));
  const theme = v.safeParse(preferenceEntries.theme, query.get("theme"));
  return { ...(lang.success ? { language: lang.output } : {}), ...(theme.success ? { theme: theme.output } : {}) };
}
