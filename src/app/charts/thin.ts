import type { ChartLine, ChartTable } from "./series.ts";

/** More rows than this are not told apart on any screen. */
const MOST_ROWS = 3000;
const BUCKETS = 500;

/**
 * A table with fewer rows that looks the same when it is drawn: of the steps that share a place on the axis, the first, the
 * last, and each line's lowest and highest. The steps within the range alone count, and the ones next to it.
 */
export function thinned(table: ChartTable, [from, to]: readonly [number, number]): ChartTable {
  const { steps, lines, band } = table;
  if (steps.length <= MOST_ROWS) return table;
  const begin = Math.max(0, steps.findIndex((step) => step >= from) - 1);
  const after = steps.findIndex((step) => step > to);
  const end = after < 0 ? steps.length : after + 1;
  const rows = end - begin <= MOST_ROWS ? range(begin, end) : telling(table, begin, end);
  const pick = <T>(values: readonly T[]): T[] => rows.map((row) => values[row]).filter((value) => value !== undefined);
  return {
    steps: pick(steps),
    lines: lines.map((line): ChartLine => ({ ...line, raw: pick(line.raw), smooth: pick(line.smooth) })),
    band: band && [pick(band[0]), pick(band[1])],
  };
}

function range(begin: number, end: number): number[] {
  return Array.from({ length: end - begin }, (_, i) => begin + i);
}

function telling({ lines, band }: ChartTable, begin: number, end: number): number[] {
  const columns = [...lines.flatMap(({ raw, smooth }) => [raw, smooth]), ...(band ?? [])];
  const rows: number[] = [];
  const size = (end - begin) / BUCKETS;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const first = begin + Math.floor(bucket * size);
    const last = begin + Math.floor((bucket + 1) * size) - 1;
    if (last < first) continue;
    const kept = new Set([first, last]);
    for (const column of columns) {
      let [low, high] = [-1, -1];
      for (let row = first; row <= last; row++) {
        const value = column[row];
        if (value === null || value === undefined) continue;
        if (low < 0 || value < (column[low] ?? 0)) low = row;
        if (high < 0 || value > (column[high] ?? 0)) high = row;
      }
      if (low >= 0) kept.add(low).add(high);
    }
    rows.push(...[...kept].toSorted((a, b) => a - b));
  }
  return rows;
}
