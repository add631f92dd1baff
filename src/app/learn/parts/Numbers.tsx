import { use } from "react";
import { formatCount, formatDecimal } from "../../format.ts";
import { formatShare } from "./format-share.ts";
import { usePartTexts } from "../../i18n/use-part-texts.ts";
import type { Language } from "../../i18n/texts.ts";
import { hrefOf } from "../../router.ts";
import type { PageName } from "../../router.ts";
import { OwnRunContext, startAndEnd } from "../own-run.ts";
import { learnTexts } from "../texts.ts";
import { Words } from "./Words.tsx";

export interface PaperNumber {
  readonly value: string;
  readonly what: string;
  /** Paper and section. */
  readonly source: string;
}

export interface OwnMetric {
  /** TRL's name. */
  readonly metric: string;
  readonly what: string;
  readonly kind: "percent" | "decimal" | "small";
}

interface NumbersProps {
  readonly papers: readonly PaperNumber[];
  readonly own: readonly OwnMetric[];
  /** Where the reader sees it happen. */
  readonly live: readonly PageName[];
}

/** The papers' numbers beside what the reader's own run shows. */
export function Numbers({ papers, own, live }: NumbersProps) {
  const { t } = usePartTexts(learnTexts);
  return (
    <>
      <div className="grid items-start gap-4 md:grid-cols-[3fr_2fr]">
        <div className="rounded-lg border border-line bg-sheet p-4 sm:p-5">
          <h4 className="mb-3 text-sm font-semibold">{t.papers}</h4>
          <dl className="flex flex-col gap-3">
            {papers.map(({ value, what, source }) => (
              <div key={what} className="grid grid-cols-[7.5rem_minmax(0,1fr)] items-baseline gap-3">
                <dt className="order-2 text-sm">
                  <Words text={what} />{" "}
                  <span className="text-xs whitespace-nowrap text-quiet" lang="en">
                    {source}
                  </span>
                </dt>
                <dd className="order-1 text-right font-semibold whitespace-nowrap">{value}</dd>
              </div>
            ))}
          </dl>
        </div>
        <OwnRun metrics={own} />
      </div>
      <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm">
        <span className="text-quiet">{t.seeLive}:</span>
        {live.map((page) => (
          <a key={page} href={hrefOf(page)} className="font-semibold text-accent underline underline-offset-2">
            {page === "lab" ? t.openLab : t.openPlayground} →
          </a>
        ))}
      </p>
    </>
  );
}

function OwnRun({ metrics }: { readonly metrics: readonly OwnMetric[] }) {
  const { t, language } = usePartTexts(learnTexts);
  const run = use(OwnRunContext);
  return (
    <div className="rounded-lg border border-dashed border-edge p-4 sm:p-5">
      <h4 className="mb-3 text-sm font-semibold">{t.ownRun}</h4>
      {run ? (
        <>
          <p className="mb-3 text-xs text-quiet">
            {run.name} · {formatCount(run.steps.at(-1)?.step ?? 0, language)} {t.ownRunSteps}
            {run.isRecorded ? <span className="ml-2 rounded border border-edge px-1">{t.ownRunRecorded}</span> : null}
          </p>
          <dl className="flex flex-col gap-3">
            {metrics.map(({ metric, what, kind }) => {
              const found = startAndEnd(run, metric);
              return (
                <div key={metric}>
                  <dt className="text-sm">
                    {what}{" "}
                    <code className="text-xs break-all text-quiet" lang="en">
                      {metric}
                    </code>
                  </dt>
                  <dd className="font-semibold">
                    {found ? (
                      <>
                        {formatMetric(found.start, kind, language)}
                        <span aria-hidden> → </span>
                        <span className="sr-only"> {t.becomes} </span>
                        {formatMetric(found.end, kind, language)}
                      </>
                    ) : (
                      <span className="font-normal text-quiet">{t.ownRunMissing}</span>
                    )}
                  </dd>
                </div>
              );
            })}
          </dl>
        </>
      ) : (
        <p className="text-sm text-quiet">{t.ownRunNone}</p>
      )}
    </div>
  );
}

export function formatMetric(value: number, kind: OwnMetric["kind"], language: Language): string {
  if (kind === "percent") return formatShare(value, language, 1);
  return formatDecimal(value, language, kind === "small" ? 4 : 1);
}
