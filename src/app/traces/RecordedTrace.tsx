import { useEffect, useId, useState } from "react";
import { Button } from "../components/Button.tsx";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { TurnView } from "../playground/TurnView.tsx";
import type { Turn } from "../playground/turn.ts";
import { playTrace } from "./play-trace.ts";
import { traceTexts } from "./texts.ts";
import { fetchTrace } from "./trace.ts";
import type { Trace } from "./trace.ts";

interface RecordedTraceProps {
  /** Which of the traces that come with the page; the first of them if left out. */
  readonly name?: string | undefined;
  /** How many samples stand side by side. */
  readonly samples?: number;
  /** Shows the end of it, and plays when asked to. */
  readonly isStill?: boolean;
}

type Loaded = { readonly trace: Trace } | "failed" | undefined;

/** A model's thoughts and answers as they were recorded, played as if they were being written, and marked. */
export function RecordedTrace({ name, samples = 1, isStill = false }: RecordedTraceProps) {
  const { t } = usePartTexts(traceTexts);
  const [loaded, setLoaded] = useState<Loaded>();
  useEffect(() => {
    let isHere = true;
    fetchTrace(name).then(
      (trace) => isHere && setLoaded({ trace }),
      () => isHere && setLoaded("failed"),
    );
    return () => {
      isHere = false;
    };
  }, [name]);
  if (loaded === undefined) return <p className="text-sm text-quiet">{t.loading}</p>;
  if (loaded === "failed") return <p className="text-sm text-quiet">{t.failed}</p>;
  return <Player trace={loaded.trace} samples={samples} isStill={isStill} />;
}

interface PlayerProps {
  readonly trace: Trace;
  readonly samples: number;
  readonly isStill: boolean;
}

function Player({ trace, samples, isStill }: PlayerProps) {
  const { t, language } = usePartTexts(traceTexts);
  const select = useId();
  const [chosen, setChosen] = useState(0);
  const [turn, setTurn] = useState<Turn>();
  const [plays, setPlays] = useState(0);
  const recorded = trace.turns[chosen];
  useEffect(() => {
    if (!recorded) return undefined;
    const leave = new AbortController();
    const isInstant = (isStill && plays === 0) || matchMedia("(prefers-reduced-motion: reduce)").matches;
    void playTrace(recorded, { samples, isInstant, signal: leave.signal, show: setTurn });
    return () => leave.abort();
  }, [recorded, samples, plays, isStill]);
  const date = new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(new Date(trace.recorded));
  return (
    <section aria-label={t.recorded} className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 text-xs text-quiet">
        <span className="rounded-sm border border-edge px-1.5 py-0.5 font-semibold text-ink">{t.recorded}</span>
        <span>{[trace.model, trace.device, date].filter(Boolean).join(" · ")}</span>
        <span className="basis-full">{t.recordedBy}</span>
      </div>
      <div className="flex flex-wrap items-center gap-2 text-sm">
        {trace.turns.length > 1 ? (
          <>
            <label htmlFor={select} className="sr-only">
              {t.question}
            </label>
            <select
              id={select}
              className="max-w-full min-w-0 flex-1 basis-48 rounded-md border border-edge bg-sheet px-2 py-1.5"
              value={chosen}
              onChange={({ target }) => setChosen(Number(target.value))}
            >
              {trace.turns.map(({ question }, i) => (
                <option key={question} value={i}>
                  {question}
                </option>
              ))}
            </select>
          </>
        ) : null}
        <Button onClick={() => setPlays(plays + 1)}>{isStill && plays === 0 ? t.play : t.again}</Button>
      </div>
      {turn ? <TurnView key={`${chosen} ${plays}`} turn={turn} isRecorded /> : null}
    </section>
  );
}
