import type { Language } from "./i18n/texts.ts";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

// Making a format is slow, and lists ask for hundreds.
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(language: Language, options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  const key = `${language} ${Object.values(options).join(" ")}`;
  const made = formats.get(key) ?? new Intl.NumberFormat(language, options);
  formats.set(key, made);
  return made;
}

/** 1,234,567 */
export function formatCount(value: number, language: Language): string {
  return formatOf(language).format(value);
}

/** 754K, 1.5B */
export function formatCompact(value: number, language: Language): string {
  return formatOf(language, { notation: "compact", maximumFractionDigits: 1 }).format(value);
}

/** 3.5 GB */
export function formatBytes(bytes: number, language: Language): string {
  const step = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  return formatOf(language, {
    style: "unit",
    unit: UNITS[step] ?? "byte",
    unitDisplay: "short",
    maximumFractionDigits: step === 0 ? 0 : 1,
  }).format(bytes / 1000 ** step);
}

/** 43%, 4.3% with one digit at most */
export function formatPercent(share: number, language: Language, mostDigits = 0): string {
  return formatOf(language, { style: "percent", maximumFractionDigits: mostDigits }).format(share);
}

/** 12.3; what rounds to nothing has no sign */
export function formatDecimal(value: number, language: Language, digits = 1): string {
  return formatOf(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: "negative",
  }).format(value);
}
