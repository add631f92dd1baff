import { Button } from "../components/Button.tsx";
import { formatCount } from "../format.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { useTexts } from "../use-texts.ts";
import { LabFailureBox } from "./LabFailureBox.tsx";
import { labTexts } from "./lab-texts.ts";
import { useLab } from "./use-lab.ts";

/** What the reader should know about storage, other tabs and failures. */
export function Notes() {
  const { t } = usePartTexts(labTexts);
  const { t: general } = useTexts();
  const { storage, otherTab, failure, active, reading, dismiss, resumeRun, cancelReading } = useLab();
  const { runId } = failure ?? {};
  return (
    <>
      {otherTab ? <Note text={t.otherTab} /> : null}
      {storage === "closed" ? <Note text={t.storageClosed} /> : null}
      {storage === "full" ? <Note text={t.storageFull} /> : null}
      {reading ? (
        <div className="flex flex-wrap items-center gap-3 text-sm">
          <label className="flex min-w-0 flex-1 flex-wrap items-center gap-3">
            <span role="status">{t.readingRun}</span>
            <progress className="min-w-24 flex-1" value={reading.done} max={1} />
          </label>
          <Button onClick={cancelReading}>{t.cancel}</Button>
        </div>
      ) : null}
      {failure ? (
        <LabFailureBox
          failure={failure}
          runId={runId}
          actions={
            <>
              {failure.earlier ? <EarlierButton {...failure.earlier} /> : null}
              {runId === undefined || failure.code === "E_CHECKPOINT" ? null : (
                <Button
                  kind="primary"
                  disabled={active !== undefined || otherTab}
                  onClick={() => void resumeRun(runId)}
                >
                  {t.resume}
                </Button>
              )}
              <Button onClick={dismiss}>{general.dismiss}</Button>
            </>
          }
        />
      ) : null}
    </>
  );
}

function EarlierButton({ run, step }: { readonly run: string; readonly step: number }) {
  const { t, language } = usePartTexts(labTexts);
  const otherTab = useLab((state) => state.otherTab);
  const { useEarlier: takeEarlier } = useLab.getState();
  return (
    <Button kind="primary" disabled={otherTab} onClick={() => void takeEarlier(run)}>
      {t.earlierCheckpoint} {formatCount(step, language)}
    </Button>
  );
}

function Note({ text }: { readonly text: string }) {
  return (
    <p role="status" className="rounded-md border border-edge bg-bubble px-4 py-2 text-sm">
      {text}
    </p>
  );
}
