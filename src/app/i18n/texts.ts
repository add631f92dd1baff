import type { ErrorCode } from "../../errors.ts";
import { en, enErrors } from "./en.ts";
import { ja, jaErrors } from "./ja.ts";

/** A missing or extra key in another language is a compile error. */
export type Texts = { readonly [K in keyof typeof en]: string };

export const LANGUAGES = ["en", "ja"] as const;
export type Language = (typeof LANGUAGES)[number];

interface Locale {
  readonly name: string;
  readonly texts: Texts;
  readonly errors: Record<ErrorCode, string>;
}

export const LOCALES: Record<Language, Locale> = {
  en: { name: "English", texts: en, errors: enErrors },
  ja: { name: "日本語", texts: ja, errors: jaErrors },
};

/** The reader's language among ours: the first of the browser's list that we speak, else English. */
export function preferredLanguage(languages: readonly string[]): Language {
  for (const tag of languages) {
    const base = tag.toLowerCase().split("-")[0];
    const found = LANGUAGES.find((language) => language === base);
    if (found) return found;
  }
  return "en";
}
