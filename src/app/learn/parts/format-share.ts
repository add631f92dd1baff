import { formatDecimal } from "../../format.ts";
import type { Language } from "../../i18n/texts.ts";

/** A share of 1 as the papers write it: 43 % */
export function formatShare(share: number, language: Language, digits = 0): string {
  return `${formatDecimal(100 * share, language, digits)} %`;
}
