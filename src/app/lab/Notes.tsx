import { Button } from "../components/Button.tsx";
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
              {runId === undefined ? null : (
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

function Note({ text }: { readonly text: string }) {
  return (
    <p role="status" className="rounded-md border border-edge bg-bubble px-4 py-2 text-sm">
      {text}
    </p>
  );
}
