import { useId, useState } from "react";
import { Button } from "../components/Button.tsx";
import { formatBytes, formatCount } from "../format.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import type { ListedRun } from "../runs/run-archive.ts";
import { INPUT } from "./FieldControl.tsx";
import { labTexts } from "./lab-texts.ts";
import { downloadMerged, downloadTrained, openInPlayground } from "./model-actions.ts";
import { RecordedMark } from "./RunBar.tsx";
import { adapterSummary, formatWhen } from "./run-facts.ts";
import { useLab } from "./use-lab.ts";

const CARD = "rounded-md border bg-sheet p-3 text-sm";
const FRONT = "border-edge border-l-4 border-l-ink";

/** The reader's runs, and those that come with the page. */
export function RunsList({ onShow }: { readonly onShow: () => void }) {
  const { t, language } = usePartTexts(labTexts);
  const heading = useId();
  const { runs, broken, recorded, shown, storage, otherTab, focus, remove } = useLab();
  return (
    <section aria-labelledby={heading} className="flex flex-col gap-2">
      <h2 id={heading} className="font-semibold">
        {t.runs}
      </h2>
      {storage === "opening" ? <p className="text-xs text-quiet">{t.opening}</p> : null}
      {storage !== "opening" && runs.length === 0 ? <p className="text-xs text-quiet">{t.runsNone}</p> : null}
      <ul className="flex flex-col gap-2">
        {runs.map((run) => (
          <OwnRun key={run.id} run={run} onShow={onShow} />
        ))}
        {broken.map(({ id, reason }) => (
          <li key={id} className={`${CARD} border-failure`}>
            <p className="text-xs">{t.broken}</p>
            <p className="my-1 text-xs break-words text-quiet" lang="en">
              {reason}
            </p>
            <Button disabled={otherTab} onClick={() => void remove(id)}>
              {t.delete}
            </Button>
          </li>
        ))}
        {recorded.map(({ name, title, steps, bytes }) => {
          const id = `recorded/${name}`;
          return (
            <li key={id} className={`${CARD} ${shown[0] === id ? FRONT : "border-line"}`}>
              <RunTitle
                id={id}
                name={title[language]}
                onShow={() => {
                  onShow();
                  void focus(id);
                }}
              />
              <p className="mt-1 flex flex-wrap gap-x-2 text-xs text-quiet">
                <RecordedMark />
                {t.ofSteps} {formatCount(steps, language)} · {formatBytes(bytes, language)}
              </p>
              <Overlay id={id} name={title[language]} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function RunTitle({ id, name, onShow }: { readonly id: string; readonly name: string; readonly onShow: () => void }) {
  const { t } = usePartTexts(labTexts);
  const isFront = useLab((state) => state.shown[0] === id);
  return (
    <div className="flex items-baseline justify-between gap-2">
      <h3 className="min-w-0 font-semibold break-words">{name}</h3>
      {isFront ? null : (
        <Button className="px-2 py-0.5 text-xs" aria-label={`${t.showRun}: ${name}`} onClick={onShow}>
          {t.showRun}
        </Button>
      )}
    </div>
  );
}

/** Draws the run behind the one in front. */
function Overlay({ id, name }: { readonly id: string; readonly name: string }) {
  const { t } = usePartTexts(labTexts);
  const shown = useLab((state) => state.shown);
  const overlay = useLab((state) => state.overlay);
  if (shown[0] === id || shown.length === 0) return null;
  return (
    <label className="mt-1 flex items-center gap-2 text-xs">
      <input
        type="checkbox"
        className="size-4 accent-accent"
        checked={shown.includes(id)}
        onChange={({ target }) => void overlay(id, target.checked)}
      />
      {t.compareWith}
      <span className="sr-only">: {name}</span>
    </label>
  );
}

function OwnRun({ run, onShow }: { readonly run: ListedRun; readonly onShow: () => void }) {
  const { t, language } = usePartTexts(labTexts);
  const isFront = useLab((state) => state.shown[0] === run.id);
  const focus = useLab((state) => state.focus);
  const isActive = useLab((state) => state.active?.id === run.id);
  const { id, name, step, header } = run;
  const adapter = adapterSummary(header.config);
  return (
    <li className={`${CARD} ${isFront ? FRONT : "border-line"}`}>
      <RunTitle
        id={id}
        name={name}
        onShow={() => {
          onShow();
          void focus(id);
        }}
      />
      <p className="mt-1 text-xs text-quiet">
        {isActive ? `${t.phaseRunning} · ` : ""}
        {t.ofSteps} {formatCount(step, language)} / {formatCount(header.max_steps, language)} ·{" "}
        {formatWhen(header.started, language)}
        {adapter === undefined ? "" : ` · ${adapter}`}
      </p>
      <Overlay id={id} name={name} />
      {isFront ? <RunActions run={run} isActive={isActive} /> : null}
    </li>
  );
}

function RunActions({ run, isActive }: { readonly run: ListedRun; readonly isActive: boolean }) {
  const { t } = usePartTexts(labTexts);
  const input = useId();
  const otherTab = useLab((state) => state.otherTab);
  const { rename, remove } = useLab.getState();
  const [doing, setDoing] = useState<"rename" | "delete">();
  const { id, name, checkpointStep, header } = run;
  const isAdapter = header.config.lora !== null;
  if (doing === "rename") {
    return (
      <form
        className="mt-2 flex flex-wrap items-center gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          const value = new FormData(event.currentTarget).get("name");
          setDoing(undefined);
          if (typeof value === "string") void rename(id, value);
        }}
      >
        <label htmlFor={input} className="sr-only">
          {t.name}
        </label>
        <input id={input} name="name" defaultValue={name} maxLength={80} className={`${INPUT} min-w-0 flex-1`} />
        <Button type="submit">{t.save}</Button>
        <Button onClick={() => setDoing(undefined)}>{t.cancel}</Button>
      </form>
    );
  }
  if (doing === "delete") {
    return (
      <div className="mt-2 flex flex-wrap items-center gap-2">
        <span className="text-xs">{t.deleteSure}</span>
        <Button onClick={() => void remove(id)}>{t.yesDelete}</Button>
        <Button onClick={() => setDoing(undefined)}>{t.cancel}</Button>
      </div>
    );
  }
  const small = "px-2 py-0.5 text-xs";
  return (
    <div className="mt-2 flex flex-wrap gap-2">
      <Button className={small} disabled={checkpointStep === 0 || isActive} onClick={() => void openInPlayground(run)}>
        {t.useIt}
      </Button>
      <Button className={small} disabled={checkpointStep === 0} onClick={() => void downloadTrained(run)}>
        {isAdapter ? t.downloadAdapter : t.download}
      </Button>
      {isAdapter ? (
        <Button className={small} disabled={checkpointStep === 0} onClick={() => void downloadMerged(run)}>
          {t.downloadMerged}
        </Button>
      ) : null}
      <Button className={small} disabled={otherTab} onClick={() => setDoing("rename")}>
        {t.rename}
      </Button>
      <Button className={small} disabled={otherTab || isActive} onClick={() => setDoing("delete")}>
        {t.delete}
      </Button>
    </div>
  );
}
