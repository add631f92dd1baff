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
  const { storage, otherTab, failure, active, dismiss, resumeRun } = useLab();
  const { runId } = failure ?? {};
  return (
    <>
      {otherTab ? <Note text={t.otherTab} /> : null}
      {storage === "closed" ? <Note text={t.storageClosed} /> : null}
      {storage === "full" ? <Note text={t.storageFull} /> : null}
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
