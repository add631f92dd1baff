import { LOCALES } from "./i18n/texts.ts";
import type { Language, Texts } from "./i18n/texts.ts";
import { usePage } from "./store.ts";

/** The page's texts in the reader's language. */
export function useTexts(): { readonly t: Texts; readonly language: Language } {
  const language = usePage((state) => state.language);
  return { t: LOCALES[language].texts, language };
}
