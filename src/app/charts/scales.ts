/** An advantage this small is a dead group's, whose rewards differ by rounding alone. */
const NO_ADVANTAGE = 1e-6;

export type Sign = "positive" | "negative" | "zero";

export function signOf(advantage: number): Sign {
  if (!(Math.abs(advantage) > NO_ADVANTAGE)) return "zero";
  return advantage > 0 ? "positive" : "negative";
}

/** The colour variables of styles.css that a chart may use, each with one meaning. */
export type Tone = Sign | "reward" | "kl" | "entropy" | "thought" | "ink" | "quiet" | "failure";

/** The most colour that text in ink can stand on with a contrast of 4.5 in both themes. */
const DEEPEST_PERCENT = 45;

/**
 * A background for text, from clear at 0 to the tone at ±limit and beyond.
 * @param limit where the scale ends; 0 or less means that nothing differs, and all is clear
 */
export function wash(value: number, limit: number, tone: Tone): string {
  const share = limit > 0 && Number.isFinite(value) ? Math.min(1, Math.abs(value) / limit) : 0;
  const percent = Math.round(share * DEEPEST_PERCENT);
  return percent === 0 ? "transparent" : `color-mix(in srgb, var(--${tone}) ${percent}%, transparent)`;
}

/** The greatest distance from zero, of the values that are finite. */
export function reachOf(values: Iterable<number>): number {
  let most = 0;
  for (const value of values) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  return most;
}

/** The end of the axis of steps: it grows in leaps, so that a run's points keep their places in between. */
export function stepAxisEnd(newest: number, maxSteps: number): number {
  let end = 10;
  for (let leap = 0; end < newest; leap++) end *= leap % 3 === 1 ? 2.5 : 2;
  return Math.max(1, newest, Math.min(end, maxSteps));
}

/** Round numbers from `low` to `high`, about `count` of them: 1, 2 or 5 times a power of ten apart. */
export function ticks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0) || !Number.isFinite(rough)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const found: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) {
    // What a step of 0.1 leaves of rounding would show in a label.
    found.push(Number((k * step).toPrecision(12)));
  }
  return found;
}

/** The steps a chart shows: a part that the reader chose by dragging, or the newest few. */
export type StepWindow = { readonly from: number; readonly to: number } | { readonly last: number };

/** @returns the axis's ends; all steps without a window */
export function stepRange(window: StepWindow | undefined, newest: number, maxSteps: number): readonly [number, number] {
  if (!window) return [0, stepAxisEnd(newest, maxSteps)];
  if ("from" in window) return [window.from, window.to];
  return [Math.max(0, newest - window.last), Math.max(newest, window.last)];
}
