import { useId, useState } from "react";
import { Choice } from "../components/Choice.tsx";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import type { RunData } from "../runs/run-data.ts";
import { metricsCsv, recordLog, safeFileName } from "./export.ts";
import { download } from "../download.ts";
import type { StepWindow } from "./scales.ts";
import { chartTexts } from "./texts.ts";

interface StageToolsProps {
  /** The run that is exported. */
  readonly run: RunData;
  readonly smoothing: number;
  readonly onSmoothing: (weight: number) => void;
  readonly window: StepWindow | undefined;
  readonly onWindow: (window: StepWindow | undefined) => void;
}

const MOST_SMOOTHING = 0.98;
const LASTS = [20, 50, 100] as const;
const FILE_BUTTON = "rounded-md border border-edge bg-sheet px-2 py-1 text-xs hover:border-ink";

/** How the charts are shown, and what can be taken away from them. */
export function StageTools({ run, smoothing, onSmoothing, window, onWindow }: StageToolsProps) {
  const { t } = usePartTexts(chartTexts);
  const id = useId();
  const [failed, setFailed] = useState(false);
  const ranges = [
    { value: "all", text: t.rangeAll },
    ...LASTS.map((last) => ({ value: String(last), text: `${t.rangeLast} ${last}` })),
    ...(window && "from" in window ? [{ value: "chosen", text: `${window.from}–${window.to}` }] : []),
  ];
  const range = window ? ("last" in window ? String(window.last) : "chosen") : "all";
  const name = safeFileName(run.name);
  const save = async (write: () => Promise<void>): Promise<void> => {
    setFailed(false);
    try {
      await write();
    } catch {
      setFailed(true);
    }
  };
  const saveCsv = async (): Promise<void> => download(await metricsCsv(run), `${name}.csv`, "text/csv");
  const saveLog = async (file: "metrics.jsonl" | "completions.jsonl"): Promise<void> =>
    download(await recordLog(run, file), `${name}-${file}`);
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-2 text-xs">
      <div className="flex items-center gap-2" title={t.smoothingHelp}>
        <label htmlFor={id}>{t.smoothing}</label>
        <input
          id={id}
          type="range"
          className="w-24 accent-ink"
          min={0}
          max={MOST_SMOOTHING}
          step={0.02}
          value={smoothing}
          aria-describedby={`${id}-help`}
          onChange={({ target }) => onSmoothing(target.valueAsNumber)}
        />
        <span className="w-8">{smoothing.toFixed(2)}</span>
        <span id={`${id}-help`} className="sr-only">
          {t.smoothingHelp}
        </span>
      </div>
      <div className="flex items-center gap-2">
        <span aria-hidden>{t.range}</span>
        <Choice
          label={t.range}
          value={range}
          options={ranges}
          onChoose={(value) => {
            if (value === "chosen") return;
            onWindow(value === "all" ? undefined : { last: Number(value) });
          }}
        />
        {window ? (
          <button type="button" className={FILE_BUTTON} onClick={() => onWindow(undefined)}>
            {t.zoomReset}
          </button>
        ) : null}
      </div>
      <div className="flex flex-wrap items-center gap-1.5">
        <span aria-hidden>{t.export}</span>
        <button type="button" aria-label={t.exportCsv} className={FILE_BUTTON} onClick={() => void save(saveCsv)}>
          CSV
        </button>
        <button
          type="button"
          aria-label={t.exportMetrics}
          className={FILE_BUTTON}
          onClick={() => void save(() => saveLog("metrics.jsonl"))}
        >
          metrics.jsonl
        </button>
        <button
          type="button"
          aria-label={t.exportCompletions}
          className={FILE_BUTTON}
          onClick={() => void save(() => saveLog("completions.jsonl"))}
        >
          completions.jsonl
        </button>
      </div>
      {failed ? (
        <p role="alert" className="w-full text-failure">
          {t.exportFailed}
        </p>
      ) : null}
    </div>
  );
}
