import { Button } from "../components/Button.tsx";
import { FailureBox } from "../components/FailureNote.tsx";
import type { Failure } from "../failure.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { LOCALES } from "../i18n/texts.ts";
import { useTexts } from "../use-texts.ts";
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

interface LabFailureBoxProps {
  readonly failure: Failure;
  /** The run that it ended. */
  readonly runId: string | undefined;
  readonly actions: React.ReactNode;
}

/** A failure, with the lab's next step where that is another than the playground's. */
export function LabFailureBox({ failure, runId, actions }: LabFailureBoxProps) {
  const { t, language } = usePartTexts(labTexts);
  const { t: general } = useTexts();
  const ofRun: Partial<Record<Failure["code"], string>> = {
    E_DEVICE_LOST: t.errorDeviceLost,
    E_GPU_INTERNAL: t.errorDeviceLost,
    E_WORKER: t.errorWorker,
    E_FILE_MISSING: t.startingGone,
    E_OPTION: t.errorOption,
  };
  const sentence = LOCALES[language].errors[failure.code];
  return (
    <FailureBox
      heading={runId === undefined ? general.errorHeading : t.errorHeading}
      sentence={runId === undefined ? sentence : (ofRun[failure.code] ?? `${sentence} ${t.errorKept}`)}
      failure={failure}
      actions={actions}
    />
  );
}
