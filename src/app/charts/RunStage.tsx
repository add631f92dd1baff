import { useMemo, useRef, useState } from "react";
import type { CompletionRecord } from "../../engine/protocol.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import type { RunData } from "../runs/run-data.ts";
import { AdvantageChart } from "./AdvantageChart.tsx";
import { CompletionInspector } from "./CompletionInspector.tsx";
import { groupsOf, mostTelling } from "./groups.ts";
import { GroupView } from "./GroupView.tsx";
import { MetricChart } from "./MetricChart.tsx";
import type { MetricChartProps } from "./MetricChart.tsx";
import { CHART_SECTIONS, CHARTS } from "./metrics.ts";
import type { ChartSpec } from "./metrics.ts";
import { RunLegend } from "./RunLegend.tsx";
import type { StepWindow } from "./scales.ts";
import { StageTools } from "./StageTools.tsx";
import { StepScrubber } from "./StepScrubber.tsx";
import { chartTexts } from "./texts.ts";
import type { ChartText } from "./texts.ts";
import { useThrottled } from "./use-throttled.ts";
import { WarningList } from "./WarningList.tsx";

const USUAL_SMOOTHING = 0.8;

export interface RunStageProps {
  /** Overlaid, each with its own dash; may grow while it is shown. */
  readonly runs: readonly RunData[];
  /** Id of the run whose groups and advantages are shown; the first if it names none. */
  readonly focus: string;
  /** Leads to where `log_tokens` can be turned on. */
  readonly onOpenSettings?: () => void;
}

/** What runs of training show: their charts, and of one the advantages, the groups and, beside them, a completion. */
export function RunStage({ focus, onOpenSettings, ...props }: RunStageProps) {
  const { t } = usePartTexts(chartTexts);
  const runs = useThrottled(props.runs);
  const run = runs.find(({ id }) => id === focus) ?? runs[0];
  const [smoothing, setSmoothing] = useState(USUAL_SMOOTHING);
  const [window, setWindow] = useState<StepWindow>();
  /** Of which run what was chosen: of another, the choice does not hold. */
  const [chosen, setChosen] = useState<{ readonly run: string; readonly step: number }>();
  const [chosenGroup, setChosenGroup] = useState<number>();
  const [opened, setOpened] = useState<{ readonly run: string; readonly completion: CompletionRecord }>();

  /** Where the keyboard was before the inspector opened. */
  const opener = useRef<Element>(null);

  const first = run?.steps[0]?.step ?? 1;
  const newest = run?.steps.at(-1)?.step ?? 0;
  const isFollowing = chosen === undefined || chosen.run !== run?.id;
  const step = isFollowing ? newest : Math.max(first, Math.min(newest, chosen.step));
  const upTo = run?.steps.filter((each) => each.step <= step);
  // Records keep the completions of some steps only: the last that did is shown until the next.
  const event = upTo?.findLast((each) => each.completions.length > 0) ?? upTo?.at(-1);
  const groups = useMemo(() => groupsOf(event), [event]);
  const telling = useMemo(() => mostTelling(groups), [groups]);
  const place =
    chosenGroup === undefined || chosenGroup >= groups.length
      ? Math.max(0, telling ? groups.indexOf(telling) : 0)
      : chosenGroup;

  if (!run) return null;
  const completion = opened?.run === run.id ? opened.completion : undefined;
  const choose = (at: number): void => setChosen({ run: run.id, step: at });
  const open = (at: CompletionRecord): void => {
    opener.current = document.activeElement;
    setOpened({ run: run.id, completion: at });
    // What is being read stays, while the run goes on.
    choose(step);
    setChosenGroup(place);
  };
  const close = (): void => {
    setOpened(undefined);
    if (opener.current instanceof HTMLElement) opener.current.focus();
  };
  const hasSteps = run.steps.length > 0;
  const sections = CHART_SECTIONS.map(({ title, charts }) => ({
    title,
    charts: charts
      .map((name): ChartSpec => CHARTS[name])
      .filter(({ kinds }) => runs.some(({ header }) => kinds.includes(header.kind))),
  }));
  const [learning, ...others] = sections;
  const shared = {
    runs,
    focus: run.id,
    smoothing,
    step,
    onStep: choose,
    window,
    onWindow: setWindow,
    syncKey: "stage",
  };
  return (
    <div className="flex min-h-0 min-w-0 flex-1">
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <div
          role="region"
          tabIndex={0}
          aria-label={t.charts}
          className="min-h-0 flex-1 overflow-y-auto -outline-offset-2"
        >
          <div className="mx-auto flex max-w-[110rem] flex-col gap-6 p-4 md:px-6">
            <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
              <RunLegend runs={runs} focus={run.id} />
              <StageTools
                run={run}
                smoothing={smoothing}
                onSmoothing={setSmoothing}
                window={window}
                onWindow={setWindow}
              />
            </div>
            <WarningList warnings={run.warnings} />
            {run.header.kind === "grpo" ? (
              <AdvantageChart
                run={run}
                step={step}
                groupStep={event?.step ?? step}
                onStep={choose}
                group={groups[place]}
                groupNumber={place + 1}
                opened={completion}
                onOpen={open}
                window={window}
              />
            ) : null}
            {learning ? <ChartGrid {...learning} {...shared} /> : null}
            {run.header.kind === "grpo" ? (
              <GroupView
                header={run.header}
                groups={groups}
                step={event?.step ?? step}
                chosen={place}
                onChoose={setChosenGroup}
                opened={completion}
                onOpen={open}
              />
            ) : null}
            {others.map((section) => (
              <ChartGrid key={section.title} {...section} {...shared} />
            ))}
            <p className="text-xs text-quiet">{t.zoomHint}</p>
          </div>
        </div>
        {hasSteps ? (
          <div className="border-t border-line bg-sheet px-4 py-2 md:px-6">
            <StepScrubber
              step={step}
              first={first}
              last={newest}
              isFollowing={isFollowing}
              onStep={choose}
              onFollow={() => setChosen(undefined)}
            />
          </div>
        ) : null}
      </div>
      {completion ? (
        <aside
          aria-label={t.inspector}
          className="fixed inset-0 z-30 overflow-y-auto border-line bg-paper sm:left-auto sm:w-96 sm:border-l xl:static xl:z-auto xl:shrink-0"
        >
          <CompletionInspector
            completion={completion}
            header={run.header}
            onClose={close}
            onOpenSettings={onOpenSettings}
          />
        </aside>
      ) : null}
    </div>
  );
}

interface ChartGridProps extends Omit<MetricChartProps, "chart"> {
  readonly title: ChartText;
  readonly charts: readonly ChartSpec[];
}

function ChartGrid({ title, charts, ...shared }: ChartGridProps) {
  const { t } = usePartTexts(chartTexts);
  if (charts.length === 0) return null;
  return (
    <section aria-label={t[title]}>
      <h3 className="mb-2 text-xl font-semibold">{t[title]}</h3>
      <div className="grid grid-cols-[repeat(auto-fit,minmax(min(100%,21rem),1fr))] gap-x-6 gap-y-5">
        {charts.map((chart) => (
          <MetricChart key={chart.id} chart={chart} {...shared} />
        ))}
      </div>
    </section>
  );
}
