import uPlot from "uplot";
import { formatValue } from "./format-value.ts";
import type { Language } from "../i18n/texts.ts";
import type { LineStyle } from "./lines.ts";
import type { ChartSpec } from "./metrics.ts";
import type { Palette } from "./palette.ts";
import type { ChartTable } from "./series.ts";
import { spread } from "./spread.ts";

const SMALL = 12;
const CHIP_HEIGHT = 18;
const CHIP_PADDING = 5;

/** What a chart draws now; read anew in every drawing. */
export interface PlotState {
  readonly table: ChartTable;
  readonly styles: readonly LineStyle[];
  /** Beside each line's end: its name where there are several, and its last value. */
  readonly labels: readonly string[];
  readonly xRange: readonly [number, number];
  readonly yRange: readonly [number, number];
  /** The step that is selected. */
  readonly step: number | undefined;
  /** Steps with a warning. */
  readonly warnings: readonly number[];
}

export interface PlotSetup {
  readonly chart: ChartSpec;
  readonly palette: Palette;
  readonly language: Language;
  /** Under the axis of steps. */
  readonly stepLabel: string;
  /** Charts of the same key share their cursor. */
  readonly syncKey: string;
  readonly state: () => PlotState;
  readonly onCursor: (index: number | undefined) => void;
  readonly onZoom: (from: number, to: number) => void;
  readonly onPick: (step: number) => void;
}

/** The table's columns as uPlot takes them: a line's raw values, then its smooth ones; last the shaded range. */
export function plotData({ steps, lines, band }: ChartTable): uPlot.AlignedData {
  const columns = [...lines.flatMap(({ raw, smooth }) => [raw, smooth]), ...(band ?? [])];
  return [[...steps], ...columns.map((column) => [...column])];
}

/** A chart of metrics by step in an element, which it fills. */
export function createPlot(host: HTMLElement, setup: PlotSetup): uPlot {
  const { palette, chart, language, state } = setup;
  const { table, styles } = state();
  const width = 2 * table.lines.length;
  let dragged = false;
  const axis = {
    stroke: palette.quiet,
    font: `${SMALL}px ${palette.font}`,
    grid: { stroke: palette.line, width: 1 },
    ticks: { show: false },
  };
  const options: uPlot.Options = {
    width: host.clientWidth,
    height: host.clientHeight,
    legend: { show: false },
    padding: [12, (u) => chipRoom(u, state().labels, palette), 0, 0],
    scales: { x: { time: false, range: () => [...state().xRange] }, y: { range: () => [...state().yRange] } },
    axes: [
      {
        ...axis,
        size: 26,
        gap: 4,
        label: setup.stepLabel,
        labelFont: `${SMALL}px ${palette.font}`,
        labelSize: 16,
        labelGap: 0,
        grid: { show: false },
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000, 1_000_000],
      },
      {
        ...axis,
        gap: 4,
        space: 28,
        size: (u, values) => axisWidth(u, values, axis.font),
        values: (_, splits) => splits.map((value) => formatValue(value, chart.format, language)),
      },
    ],
    series: [
      {},
      ...styles.flatMap(({ color, dash, width: strong }): uPlot.Series[] => {
        const line = { stroke: color, dash: [...dash], spanGaps: true };
        const points = { show: chart.isSparse === true, size: 6, fill: color, stroke: color };
        return [
          { ...line, dash: [], width: 1, alpha: 0.32, points: { show: false } },
          { ...line, width: strong, points },
        ];
      }),
      ...(table.band ? [{ points: { show: false } }, { points: { show: false } }] : []),
    ],
    ...(table.band ? { bands: [{ series: [width + 2, width + 1], fill: faint(palette[chart.tone], 0.13) }] } : {}),
    cursor: {
      y: false,
      points: { size: 7 },
      drag: { x: true, y: false, setScale: false, dist: 5 },
      sync: { key: setup.syncKey, filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
    },
    hooks: {
      setCursor: [(u) => setup.onCursor(u.cursor.idx ?? undefined)],
      setSelect: [
        (u) => {
          if (u.select.width < 5) return;
          dragged = true;
          const from = u.posToVal(u.select.left, "x");
          const to = u.posToVal(u.select.left + u.select.width, "x");
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          // At least two steps, or there is no line to see.
          const first = Math.max(0, Math.floor(from));
          setup.onZoom(first, Math.max(Math.ceil(to), first + 2));
        },
      ],
      drawAxes: [(u) => drawMarks(u, state(), palette)],
      draw: [(u) => drawChips(u, state(), palette)],
      ready: [
        (u) => {
          u.over.addEventListener("mousedown", () => (dragged = false));
          u.over.addEventListener("click", () => {
            const { left } = u.cursor;
            if (!dragged && left !== undefined && left >= 0) setup.onPick(Math.round(u.posToVal(left, "x")));
          });
        },
      ],
    },
  };
  return new uPlot(options, plotData(table), host);
}

/** The same colour, less of it. */
export function faint(color: string, alpha: number): string {
  return color.replace(/^rgb\((.*)\)$/, (_, parts: string) => `rgba(${parts}, ${alpha})`);
}

function axisWidth(u: uPlot, values: readonly string[] | null, font: string): number {
  u.ctx.save();
  u.ctx.font = font;
  const widest = Math.max(12, ...(values ?? []).map((text) => u.ctx.measureText(text).width));
  u.ctx.restore();
  return Math.ceil(widest) + 8;
}

function chipRoom({ ctx }: uPlot, labels: readonly string[], palette: Palette): number {
  ctx.save();
  ctx.font = `600 ${SMALL}px ${palette.font}`;
  const widest = Math.max(0, ...labels.map((label) => ctx.measureText(label).width));
  ctx.restore();
  return Math.ceil(widest) + 2 * CHIP_PADDING + 8;
}

/** The selected step, and where there were warnings. */
function drawMarks(u: uPlot, { step, warnings, xRange }: PlotState, palette: Palette): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const isShown = (at: number): boolean => at >= xRange[0] && at <= xRange[1];
  ctx.save();
  if (step !== undefined && isShown(step)) {
    const x = Math.round(u.valToPos(step, "x", true));
    ctx.fillStyle = faint(palette.ink, 0.55);
    ctx.fillRect(x - ratio / 2, bbox.top, ratio, bbox.height);
  }
  ctx.fillStyle = palette.failure;
  for (const at of warnings.filter(isShown)) {
    const x = u.valToPos(at, "x", true);
    const y = bbox.top + bbox.height;
    ctx.beginPath();
    ctx.moveTo(x, y - 7 * ratio);
    ctx.lineTo(x + 4 * ratio, y);
    ctx.lineTo(x - 4 * ratio, y);
    ctx.fill();
  }
  ctx.restore();
}

/** At each line's right end, in its colour: what it is and what it says last. */
function drawChips(u: uPlot, { table, styles, labels, xRange }: PlotState, palette: Palette): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const ends = table.lines.flatMap(({ smooth }, i) => {
    const at = smooth.findLastIndex((value, k) => value !== null && isWithin(table.steps[k], xRange));
    const [value, step] = [smooth[at], table.steps[at]];
    if (value === undefined || value === null || step === undefined) return [];
    return [{ i, x: u.valToPos(step, "x", true), y: u.valToPos(value, "y", true) }];
  });
  const half = (CHIP_HEIGHT / 2) * ratio;
  const places = spread(
    ends.map(({ y }) => y),
    CHIP_HEIGHT * ratio,
    bbox.top - half / 2,
    bbox.top + bbox.height - half / 2,
  );
  ctx.save();
  ctx.font = `600 ${SMALL * ratio}px ${palette.font}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  const left = bbox.left + bbox.width + 6 * ratio;
  for (const [k, { i, x, y }] of ends.entries()) {
    const place = places[k] ?? y;
    const color = styles[i]?.color ?? palette.ink;
    const text = labels[i] ?? "";
    ctx.strokeStyle = faint(color, 0.45);
    ctx.lineWidth = ratio;
    ctx.setLineDash([ratio, 2 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(left, place);
    ctx.stroke();
    ctx.fillStyle = faint(color, 0.12);
    ctx.beginPath();
    ctx.roundRect(
      left,
      place - half + ratio,
      ctx.measureText(text).width + 2 * CHIP_PADDING * ratio,
      2 * half - 2 * ratio,
      4 * ratio,
    );
    ctx.fill();
    ctx.fillStyle = color;
    ctx.fillText(text, left + CHIP_PADDING * ratio, place);
  }
  ctx.restore();
}

function isWithin(step: number | undefined, [from, to]: readonly [number, number]): boolean {
  return step !== undefined && step >= from && step <= to;
}
