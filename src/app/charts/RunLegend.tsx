import { usePartTexts } from "../i18n/use-part-texts.ts";
import type { RunData } from "../runs/run-data.ts";
import { dashOf, runColor } from "./lines.ts";
import { CHARTS } from "./metrics.ts";
import { usePalette } from "./palette.ts";
import { chartTexts } from "./texts.ts";

/** Which line is which run, where there are several; and what is recorded. */
export function RunLegend({ runs, focus }: { readonly runs: readonly RunData[]; readonly focus: string }) {
  const { t } = usePartTexts(chartTexts);
  const palette = usePalette();
  return (
    <ul aria-label={t.runs} className="flex min-w-0 flex-wrap gap-x-4 gap-y-1 text-sm">
      {runs.map((run, i) => (
        <li key={run.id} className="flex min-w-0 items-center gap-2">
          {runs.length > 1 ? (
            <svg aria-hidden viewBox="0 0 28 8" className="h-2 w-7 shrink-0">
              <path
                d="M0 4h28"
                stroke={runColor(i, run.id === focus, CHARTS.reward, palette)}
                strokeWidth="2.25"
                strokeDasharray={dashOf(i).join(" ")}
              />
            </svg>
          ) : null}
          <span className={`truncate ${run.id === focus ? "font-semibold" : ""}`}>{run.name}</span>
          {runs.length > 1 && run.id === focus ? <span className="text-xs text-quiet">({t.focused})</span> : null}
          {run.isRecorded ? (
            <span className="rounded-sm border border-edge px-1.5 text-xs text-quiet">{t.recorded}</span>
          ) : null}
        </li>
      ))}
    </ul>
  );
}
