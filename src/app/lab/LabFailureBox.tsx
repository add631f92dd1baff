import type { ReactNode } from "react";
import { FailureBox } from "../components/FailureNote.tsx";
import type { Failure } from "../failure.ts";
import { LOCALES } from "../i18n/texts.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { useTexts } from "../use-texts.ts";
import { labTexts } from "./lab-texts.ts";

interface LabFailureBoxProps {
  readonly failure: Failure;
  /** The run that it ended. */
  readonly runId: string | undefined;
  readonly actions: ReactNode;
}

/** A message that begins so is about a run's record, not about a model. */
const RECORD = /^(?:run |(?:run\.json|(?:metrics|completions|warnings)\.jsonl):)/;

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
  const ofLab: Partial<Record<Failure["code"], string>> = {
    // Not the engine is busy, but the lab.
    E_BUSY: t.errorBusy,
    ...(RECORD.test(failure.message) ? { E_FORMAT: t.errorRecord, E_JSON: t.errorRecord } : {}),
  };
  const sentence = ofLab[failure.code] ?? LOCALES[language].errors[failure.code];
  return (
    <FailureBox
      heading={runId === undefined ? general.errorHeading : t.errorHeading}
      sentence={runId === undefined ? sentence : (ofRun[failure.code] ?? `${sentence} ${t.errorKept}`)}
      failure={failure}
      actions={actions}
    />
  );
}
