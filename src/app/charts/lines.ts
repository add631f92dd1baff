import type { ChartSpec } from "./metrics.ts";
import type { Palette } from "./palette.ts";
import type { ChartLine } from "./series.ts";

/** By run, or by part where there is one run: told apart without colour. */
const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [9, 3, 2, 3], [4, 2, 1, 2, 1, 2]];

export interface LineStyle {
  readonly color: string;
  readonly dash: readonly number[];
  readonly width: number;
}

export function dashOf(index: number): readonly number[] {
  return DASHES[index % DASHES.length] ?? [];
}

/** The run in focus has the metric's own colour; the others stand back in grey and differ by their dashes. */
export function runColor(runIndex: number, isFocus: boolean, chart: ChartSpec, palette: Palette): string {
  if (isFocus) return palette[chart.tone];
  return runIndex % 2 === 0 ? palette.quiet : palette.edge;
}

/** @param part which of the parts beside a run's main line, 0 for the main line itself */
export function styleOf(
  line: ChartLine,
  part: number,
  isFocus: boolean,
  chart: ChartSpec,
  palette: Palette,
): LineStyle {
  return {
    color: runColor(line.runIndex, isFocus, chart, palette),
    dash: dashOf(part > 0 ? part : line.runIndex),
    width: part > 0 ? 1.5 : 2.25,
  };
}
