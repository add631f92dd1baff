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
  // Not the engine is busy, but the lab.
  const sentence = failure.code === "E_BUSY" ? t.errorBusy : LOCALES[language].errors[failure.code];
  return (
    <FailureBox
      heading={runId === undefined ? general.errorHeading : t.errorHeading}
      sentence={runId === undefined ? sentence : (ofRun[failure.code] ?? `${sentence} ${t.errorKept}`)}
      failure={failure}
      actions={actions}
    />
  );
}
