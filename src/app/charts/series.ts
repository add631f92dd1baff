import { seriesOf } from "../runs/run-data.ts";
import type { RunData } from "../runs/run-data.ts";
import type { ChartSpec, LineSpec } from "./metrics.ts";
import { debiasedEma } from "./smoothing.ts";

export interface ChartLine {
  /** TRL's name, the reward function's in its place. */
  readonly metric: string;
  readonly spec: LineSpec;
  /** A reward function's name, where the line is one's. */
  readonly part: string | undefined;
  readonly run: RunData;
  /** Which of the shown runs. */
  readonly runIndex: number;
  /** By the table's steps; null where the run has none. */
  readonly raw: readonly (number | null)[];
  readonly smooth: readonly (number | null)[];
  readonly last: { readonly step: number; readonly value: number } | undefined;
}

/** What one chart draws: every line over the same steps. */
export interface ChartTable {
  readonly steps: readonly number[];
  readonly lines: readonly ChartLine[];
  /** The shaded range, low and high, of the run in focus. */
  readonly band: readonly [readonly (number | null)[], readonly (number | null)[]] | undefined;
}

/**
 * The lines of a chart. Several runs are compared by their main lines alone; of one run its parts are shown too, but for
 * those that only repeat the main line (pass@k of one sample is its accuracy).
 * @param smoothing weight of the past, as in {@link debiasedEma}
 */
export function chartTable(chart: ChartSpec, runs: readonly RunData[], focus: string, smoothing: number): ChartTable {
  const found = runs.flatMap((run, runIndex) => linesOf(chart, run, runIndex, runs.length === 1));
  const focused = runs.find(({ id }) => id === focus) ?? runs[0];
  const bandSeries = focused && chart.band?.map((metric) => seriesOf(focused, metric));
  const steps = unionOf(found.map(({ series }) => series.steps));
  let place: ReadonlyMap<number, number> | undefined;
  const spread = (at: readonly number[], values: readonly number[]): readonly (number | null)[] => {
    // As a rule every step has every metric.
    if (isEqual(at, steps)) return values;
    place ??= new Map(steps.map((step, i) => [step, i]));
    const row: (number | null)[] = Array.from(steps, () => null);
    for (const [i, step] of at.entries()) {
      const column = place.get(step);
      if (column !== undefined) row[column] = values[i] ?? null;
    }
    return row;
  };
  const lines = found.map(({ series, ...line }): ChartLine => {
    const smooth = chart.isSparse ? series.values : debiasedEma(series.values, smoothing);
    const [step, value] = [series.steps.at(-1), series.values.at(-1)];
    return {
      ...line,
      raw: spread(series.steps, series.values),
      smooth: spread(series.steps, smooth),
      last: step === undefined || value === undefined ? undefined : { step, value },
    };
  });
  const [low, high] = bandSeries ?? [];
  const band = low && high ? ([spread(low.steps, low.values), spread(high.steps, high.values)] as const) : undefined;
  return { steps, lines, band };
}

/** All steps of some lists, each in its order. */
function unionOf(lists: readonly (readonly number[])[]): readonly number[] {
  const [first = []] = lists;
  if (lists.every((list) => isEqual(list, first))) return first;
  return [...new Set(lists.flat())].toSorted((a, b) => a - b);
}

function isEqual(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((value, i) => value === b[i]));
}

type Series = ReturnType<typeof seriesOf>;
type FoundLine = Omit<ChartLine, "raw" | "smooth" | "last"> & { readonly series: Series };

function linesOf(chart: ChartSpec, run: RunData, runIndex: number, withParts: boolean): FoundLine[] {
  const found: FoundLine[] = [];
  for (const spec of chart.lines) {
    if (spec.isPart && !withParts) continue;
    for (const { metric, part } of namesOf(spec.metric, run)) {
      const series = seriesOf(run, metric);
      if (series.steps.length === 0) continue;
      const main = found[0]?.series;
      if (spec.isPart && main && isSame(series, main)) continue;
      found.push({ metric, spec, part, run, runIndex, series });
    }
  }
  return found;
}

/** The names of all metrics of some steps, which several charts ask for. */
const namesIn = new WeakMap<readonly unknown[], Set<string>>();

/** The metrics that a name with a `*` stands for, in the order in which the run has them. */
function namesOf(pattern: string, run: RunData): { readonly metric: string; readonly part: string | undefined }[] {
  const [before = "", after] = pattern.split("*", 2);
  if (after === undefined) return [{ metric: pattern, part: undefined }];
  // A reward that applied to no completion of a step has no mean there.
  let names = namesIn.get(run.steps);
  if (!names) {
    names = new Set<string>();
    for (const { metrics } of run.steps) for (const name of Object.keys(metrics)) names.add(name);
    namesIn.set(run.steps, names);
  }
  return [...names]
    .filter((name) => name.startsWith(before) && name.endsWith(after) && name.length > before.length + after.length)
    .map((metric) => ({ metric, part: metric.slice(before.length, metric.length - after.length) }));
}

function isSame(a: Series, b: Series): boolean {
  return (
    a.steps.length === b.steps.length && a.steps.every((step, i) => step === b.steps[i] && a.values[i] === b.values[i])
  );
}

/** The lowest and highest value of a chart's lines within some steps, with what its axis has to include. */
export function valueRange(
  table: ChartTable,
  [from, to]: readonly [number, number],
  includes: readonly number[],
): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  const see = (value: number | null | undefined): void => {
    if (value === null || value === undefined) return;
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  for (const value of includes) see(value);
  for (const [i, step] of table.steps.entries()) {
    if (step < from || step > to) continue;
    for (const { raw } of table.lines) see(raw[i]);
    for (const edge of table.band ?? []) see(edge[i]);
  }
  if (low > high) return [0, 1];
  if (low === high) return [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  const margin = (high - low) * 0.04;
  // An axis that is to begin at zero, or to end at one, does so exactly.
  return [includes.includes(low) ? low : low - margin, includes.includes(high) ? high : high + margin];
}
