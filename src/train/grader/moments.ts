/** Times of day and dates, which are neither ratios nor differences. */

const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2}))?\s{0,3}(?:([ap])\.?\s?m\.?)?$/i;
const MONTHS = "january february march april may june july august september october november december".split(" ");
const MONTH = `(${MONTHS.map((name) => `${name.slice(0, 3)}(?:${name.slice(3)})?`).join("|")}|sept)\\.?`;
const DAY = String.raw`(\d{1,2})(?:st|nd|rd|th)?`;
const MONTH_FIRST = new RegExp(`^${MONTH}\\s+${DAY}(?:,?\\s+(\\d{4}))?$`, "i");
const DAY_FIRST = new RegExp(`^${DAY}\\s+(?:of\\s+)?${MONTH}(?:,?\\s+(\\d{4}))?$`, "i");
const ISO = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$/;
const EAST_ASIAN_DATE = /^(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日$/;

interface Time {
  readonly seconds: number;
  /** Said to be before or after noon. */
  readonly half: boolean;
}

interface CalendarDate {
  readonly year: number | undefined;
  readonly month: number;
  readonly day: number;
}

function timeOf(text: string): Time | undefined {
  const [whole, hours, minutes, seconds, half] = CLOCK.exec(text) ?? [];
  if (whole === undefined || Number(minutes) > 59 || Number(hours) > 24) return undefined;
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (half.toLowerCase() === "p" ? 12 : 0);
  return { seconds: hour * 3600 + Number(minutes) * 60 + Number(seconds ?? 0), half: half !== undefined };
}

function monthOf(name: string | undefined): number {
  return MONTHS.findIndex((month) => month.startsWith((name ?? "").slice(0, 3).toLowerCase())) + 1;
}

function dateOf(text: string): CalendarDate | undefined {
  const numbers = (parts: readonly (string | undefined)[]): CalendarDate => {
    const [year, month, day] = parts;
    return { year: year === undefined ? undefined : Number(year), month: Number(month), day: Number(day) };
  };
  const numeric = ISO.exec(text) ?? EAST_ASIAN_DATE.exec(text);
  if (numeric) return numbers(numeric.slice(1));
  const first = MONTH_FIRST.exec(text);
  if (first) return numbers([first[3], String(monthOf(first[1])), first[2]]);
  const last = DAY_FIRST.exec(text);
  return last ? numbers([last[3], String(monthOf(last[2])), last[1]]) : undefined;
}

/** Is the text a time of day or a date, and nothing else? */
export function isMoment(text: string): boolean {
  const start = text.trim().slice(0, 60);
  return start.length === text.trim().length && (timeOf(start) !== undefined || dateOf(start) !== undefined);
}

/**
 * Are both texts the same time of day, or the same date? Noon's half and the year count where both say them.
 * @returns undefined where neither is one, or where one is and the other may be a ratio
 */
export function sameMoment(a: string, b: string): boolean | undefined {
  const [dateA, dateB] = [dateOf(a.trim().slice(0, 60)), dateOf(b.trim().slice(0, 60))];
  if (dateA && dateB) {
    const sameYear = dateA.year === undefined || dateB.year === undefined || dateA.year === dateB.year;
    return sameYear && dateA.month === dateB.month && dateA.day === dateB.day;
  }
  if (dateA || dateB) return false;
  const [timeA, timeB] = [timeOf(a.trim().slice(0, 40)), timeOf(b.trim().slice(0, 40))];
  if (!timeA || !timeB) return timeA?.half === true || timeB?.half === true ? false : undefined;
  if (timeA.half === timeB.half) return timeA.seconds === timeB.seconds;
  const HALF_DAY = 12 * 3600;
  return timeA.seconds % HALF_DAY === timeB.seconds % HALF_DAY;
}
