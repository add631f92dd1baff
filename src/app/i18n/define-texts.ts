import type { Language } from "./texts.ts";

/**
 * The texts of one part of the page, in every language: a key that one of them lacks is a compile error. Parts that are
 * loaded later bring their own, so that the first page does not carry them.
 */
export function defineTexts<Key extends string>(
  texts: Readonly<Record<Language, Readonly<Record<Key, string>>>>,
): Readonly<Record<Language, Readonly<Record<Key, string>>>> {
  return texts;
}
