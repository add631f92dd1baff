const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

const two = (value: number) => String(value).padStart(2, "0");

const CODES: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getFullYear()),
  y: (date) => two(date.getFullYear() % 100),
  m: (date) => two(date.getMonth() + 1),
  d: (date) => two(date.getDate()),
  B: (date) => MONTHS[date.getMonth()] ?? "",
  b: (date) => (MONTHS[date.getMonth()] ?? "").slice(0, 3),
  A: (date) => DAYS[date.getDay()] ?? "",
  a: (date) => (DAYS[date.getDay()] ?? "").slice(0, 3),
  H: (date) => two(date.getHours()),
  M: (date) => two(date.getMinutes()),
  S: (date) => two(date.getSeconds()),
  j: (date) => String(dayOfYear(date)).padStart(3, "0"),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  I: (date) => two(date.getHours() % 12 || 12),
  f: (date) => `${String(date.getMilliseconds()).padStart(3, "0")}000`,
  w: (date) => String(date.getDay()),
  u: (date) => String(date.getDay() || 7),
  D: (date) => strftime(date, "%m/%d/%y"),
  F: (date) => strftime(date, "%Y-%m-%d"),
  T: (date) => strftime(date, "%H:%M:%S"),
  X: (date) => strftime(date, "%H:%M:%S"),
  x: (date) => strftime(date, "%m/%d/%y"),
  c: (date) => strftime(date, "%a %b %e %H:%M:%S %Y"),
  R: (date) => strftime(date, "%H:%M"),
  e: (date) => String(date.getDate()).padStart(2, " "),
  h: (date) => strftime(date, "%b"),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  n: () => "\n",
  t: () => "\t",
  z: () => "",
  Z: () => "",
  U: (date) => two(Math.floor((dayOfYear(date) + 6 - date.getDay()) / 7)),
  W: (date) => two(Math.floor((dayOfYear(date) + 6 - ((date.getDay() + 6) % 7)) / 7)),
  "%": () => "%",
};

function dayOfYear(date: Date): number {
  const start = Date.UTC(date.getFullYear(), 0, 1);
  return 1 + Math.round((Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - start) / 86_400_000);
}

/**
 * Python's `strftime` in the C locale and local time, for the codes that chat templates use; others are left as they
 * are. The names are English whatever the reader's language: the model was trained on English dates.
 */
export function strftime(date: Date, format: string): string {
  return format.replace(/%-?([A-Za-z%])/g, (code, letter: string) => {
    const text = CODES[letter]?.(date);
    // `%-d` is `%d` without padding.
    return text === undefined ? code : code.startsWith("%-") ? text.replace(/^[0 ]+(?=\d)/, "") : text;
  });
}
