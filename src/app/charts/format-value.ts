import type { Language } from "../i18n/texts.ts";
import type { ValueFormat } from "./metrics.ts";

const OPTIONS: Readonly<Record<ValueFormat | "scientific" | "signed", Intl.NumberFormatOptions>> = {
  number: { maximumSignificantDigits: 3 },
  percent: { style: "percent", maximumFractionDigits: 2 },
  count: { maximumFractionDigits: 1, notation: "compact" },
  small: { maximumSignificantDigits: 3 },
  scientific: { notation: "scientific", maximumSignificantDigits: 2 },
  signed: { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "exceptZero" },
};

// Making a format is slow, and a chart asks for dozens in every drawing.
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(name: keyof typeof OPTIONS, language: Language): Intl.NumberFormat {
  const key = `${language} ${name}`;
  const known = formats.get(key);
  if (known) return known;
  const made = new Intl.NumberFormat(language, OPTIONS[name]);
  formats.set(key, made);
  return made;
}

/** A metric's value, short enough for an axis. */
export function formatValue(value: number, format: ValueFormat, language: Language): string {
  const isTiny = format === "small" && value !== 0 && Math.abs(value) < 1e-3;
  return formatOf(isTiny ? "scientific" : format, language).format(value);
}

/** An advantage: +0.53, −1.20, 0.00 */
export function formatSigned(value: number, language: Language): string {
  // A hyphen is too short to be seen as a minus.
  return formatOf("signed", language).format(value).replace("-", "−");
}
