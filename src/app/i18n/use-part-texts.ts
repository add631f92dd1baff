import { usePage } from "../store.ts";
import type { Language } from "./texts.ts";

/** A part's texts in the reader's language. */
export function usePartTexts<Key extends string>(
  texts: Readonly<Record<Language, Readonly<Record<Key, string>>>>,
): { readonly t: Readonly<Record<Key, string>>; readonly language: Language } {
  const language = usePage((state) => state.language);
  return { t: texts[language], language };
}
