import { useDeferredValue, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import type uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import type { RunData } from "../runs/run-data.ts";
import { DataTable } from "./DataTable.tsx";
import { Explain } from "./Explain.tsx";
import { chartPng, safeFileName } from "./export.ts";
import { download } from "../download.ts";
import { inSlices } from "../slices.ts";
import { formatValue } from "./format-value.ts";
import { styleOf } from "./lines.ts";
import type { ChartSpec } from "./metrics.ts";
import { usePalette } from "./palette.ts";
import { createPlot, plotData } from "./plot.ts";
import type { PlotState } from "./plot.ts";
import { stepRange } from "./scales.ts";
import type { StepWindow } from "./scales.ts";
import { chartTable, valueRange } from "./series.ts";
import type { ChartLine } from "./series.ts";
import { chartTexts } from "./texts.ts";
import { thinned } from "./thin.ts";
import { useSize } from "./use-size.ts";
import { useThrottled } from "./use-throttled.ts";

/** Steps of a run that takes long enough to draw to be noticed. */
const LONG = 1000;
const NONE: readonly RunData[] = [];

export interface MetricChartProps {
  /** One of `CHARTS`, or like them. */
  readonly chart: ChartSpec;
  readonly runs: readonly RunData[];
  /** The run that is drawn in colour where there are several; the first by default. */
  readonly focus?: string;
  /** Weight of the past in the strong line, 0 for none, below 1. */
  readonly smoothing?: number;
  /** The step that is marked. */
  readonly step?: number | undefined;
  /** A click on the chart picks a step. */
  readonly onStep?: (step: number) => void;
  /** The steps that are shown; all by default. With `onWindow` left out the chart keeps its own. */
  readonly window?: StepWindow | undefined;
  readonly onWindow?: (window: StepWindow | undefined) => void;
  /** Charts of the same key share their cursor. */
  readonly syncKey?: string;
}

/** A metric of one or more runs by step: the raw values faint, the smoothed line strong. */
export function MetricChart(props: MetricChartProps) {
  const { chart, step, onStep, syncKey = "charts" } = props;
  const { t, language } = usePartTexts(chartTexts);
  const palette = usePalette();
  const titleId = useId();
  const throttled = useThrottled(props.runs);
  // The charts of a long run are drawn one after another, in the pauses of what is more urgent.
  const runs = useDeferredValue(throttled, throttled.some(({ steps }) => steps.length > LONG) ? NONE : throttled);
  const smoothing = useDeferredValue(props.smoothing ?? 0);
  const focus = runs.some(({ id }) => id === props.focus) ? (props.focus ?? "") : (runs[0]?.id ?? "");
  const [ownWindow, setOwnWindow] = useState<StepWindow>();
  const window = props.onWindow ? props.window : ownWindow;
  const setWindow = props.onWindow ?? setOwnWindow;
  const plot = useRef<uPlot>(undefined);
  const readout = useRef<HTMLOutputElement>(null);
  const { setElement, element: host, width, height } = useSize<HTMLDivElement>();

  const whole = useMemo(() => chartTable(chart, runs, focus, smoothing), [chart, runs, focus, smoothing]);
  const nameOf = ({ part, spec, run }: ChartLine): string => (runs.length > 1 ? run.name : (part ?? t[spec.label]));
  const say = (value: number): string => formatValue(value, chart.format, language);
  const newest = Math.max(0, ...runs.map(({ steps }) => steps.at(-1)?.step ?? 0));
  const end = Math.max(1, ...runs.map(({ header }) => header.max_steps));
  const xRange = useMemo(() => stepRange(window, newest, end), [window, newest, end]);
  const table = useMemo(() => thinned(whole, xRange), [whole, xRange]);
  const focused = runs.find(({ id }) => id === focus);
  const state: PlotState = {
    table,
    styles: table.lines.map((line, i) =>
      styleOf(line, runs.length === 1 ? i : 0, line.run.id === focus, chart, palette),
    ),
    labels: whole.lines.map((line) => {
      const value = line.smooth.findLast((each) => each !== null) ?? 0;
      return table.lines.length > 1 ? `${shortened(nameOf(line))} ${say(value)}` : say(value);
    }),
    xRange,
    yRange: valueRange(table, xRange, chart.includes ?? []),
    step,
    warnings: warningSteps(focused),
  };
  /** What the chart under the cursor says at a step. */
  const readAt = (index: number | undefined): string => {
    const at = index === undefined ? undefined : table.steps[index];
    if (index === undefined || at === undefined) return "";
    const values = table.lines.flatMap((line) => {
      const value = line.raw[index] ?? null;
      if (value === null) return [];
      return table.lines.length > 1 ? `${shortened(nameOf(line))} ${say(value)}` : say(value);
    });
    return `${t.step} ${at} · ${values.join(" · ")}`;
  };

  // The plot outlives renderings, and asks for what it is to draw and whom to tell.
  const latest = useRef({ state, readAt, onStep, setWindow });
  useLayoutEffect(() => {
    latest.current = { state, readAt, onStep, setWindow };
  });

  const hasLines = table.lines.length > 0;
  // What a plot cannot change once it is made.
  const structure = [
    focus,
    table.band !== undefined,
    ...table.lines.map(({ metric, run }) => `${run.id} ${metric}`),
  ].join("\n");
  useEffect(() => {
    if (!host) return undefined;
    const make = (): uPlot =>
      createPlot(host, {
        chart,
        palette,
        language,
        stepLabel: t.step,
        syncKey,
        state: () => latest.current.state,
        onCursor: (index) => {
          if (readout.current) readout.current.textContent = latest.current.readAt(index);
        },
        onZoom: (from, to) => latest.current.setWindow({ from, to }),
        onPick: (picked) => latest.current.onStep?.(picked),
      });
    const cancel = inSlices(() => {
      plot.current = make();
    });
    return () => {
      cancel();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [host, chart, palette, language, t, syncKey, structure]);

  useEffect(() => {
    if (width > 0 && height > 0) plot.current?.setSize({ width, height });
  }, [host, width, height, structure]);

  useEffect(
    () => inSlices(() => plot.current?.setData(plotData(latest.current.state.table))),
    [host, table, step, structure],
  );

  const title = t[chart.title];
  const metric = chart.lines[0]?.metric ?? "";
  const savePng = async (): Promise<void> => {
    if (!plot.current) return;
    const picture = await chartPng({
      ...palette,
      title: `${title} (${t[chart.unit]})`,
      subtitle: `${metric} · ${runs.map(({ name }) => name).join(", ")}`,
      layers: [plot.current.ctx.canvas],
      background: palette.sheet,
    });
    download(picture, `${safeFileName(focused?.name ?? "")}-${chart.id}.png`);
  };

  return (
    <figure aria-labelledby={titleId} className="flex min-w-0 flex-col border-t border-line pt-2">
      <figcaption className="relative flex min-h-12 items-start justify-between gap-2">
        <span className="min-w-0">
          <span id={titleId} className="font-semibold">
            {title}
          </span>
          <Explain name={title} text={t[chart.help]} />
          <span className="block truncate text-xs text-quiet">
            <code lang="en">{metric}</code> · {t[chart.unit]}
          </span>
        </span>
        {hasLines ? (
          <button
            type="button"
            aria-label={`${t.exportPng}: ${title}`}
            title={t.exportPng}
            className="rounded-md px-1.5 text-quiet hover:bg-bubble hover:text-ink"
            onClick={() => void savePng()}
          >
            <span aria-hidden>↓</span>
          </button>
        ) : null}
      </figcaption>
      {hasLines ? (
        <>
          <output ref={readout} aria-live="off" className="block h-5 truncate text-xs text-quiet" />
          <div
            ref={setElement}
            className="h-44 cursor-crosshair"
            role="img"
            aria-label={summary(title, table.lines, nameOf, say)}
          />
          <DataTable
            caption={title}
            columns={table.lines.map(nameOf)}
            steps={whole.steps}
            values={whole.lines.map(({ raw }) => raw)}
            format={say}
          />
        </>
      ) : (
        <p className="my-2 flex min-h-24 flex-1 items-center justify-center rounded-md border border-dashed border-line px-6 text-center text-sm text-quiet">
          {t[emptyText(chart, focused)]}
        </p>
      )}
    </figure>
  );
}

/** Why there is nothing to see: it is yet to come, or never will. */
function emptyText(chart: ChartSpec, run: RunData | undefined): keyof typeof chartTexts.en {
  const absent = run && chart.absent?.(run.header);
  if (absent) return absent;
  if (chart.isSparse) return "chartEmptyEval";
  return run && run.steps.length > 0 ? "chartNever" : "chartEmpty";
}

function summary(
  title: string,
  lines: readonly ChartLine[],
  nameOf: (line: ChartLine) => string,
  say: (value: number) => string,
): string {
  const ends = lines.flatMap((line) => (line.last ? [`${nameOf(line)} ${say(line.last.value)}`] : []));
  return `${title}: ${ends.join(", ")}`;
}

/** An option that has no effect is no event of a step. */
function warningSteps(run: RunData | undefined): readonly number[] {
  return [...new Set(run?.warnings.flatMap(({ code, step }) => (code === "OPTION_IGNORED" ? [] : [step])))];
}

function shortened(name: string): string {
  return name.length > 16 ? `${name.slice(0, 15)}…` : name;
}
