import { useEffect } from "react";
import { RunStage } from "../app/charts/RunStage.tsx";
import { Button } from "../app/components/Button.tsx";
import { formatCount } from "../app/format.ts";
import { usePartTexts } from "../app/i18n/use-part-texts.ts";
import { LabFailureBox } from "../app/lab/LabFailureBox.tsx";
import { labTexts } from "../app/lab/lab-texts.ts";
import { PaceButtons } from "../app/lab/PaceButtons.tsx";
import { phaseText } from "../app/lab/phase-texts.ts";
import { lastStepOf } from "../app/runs/record-data.ts";
import type { RunData } from "../app/runs/run-data.ts";
import { useTexts } from "../app/use-texts.ts";
import { useFrameLab } from "./frame-lab.ts";
import { useFrame } from "./frame-store.ts";
import { embedTexts } from "./texts.ts";

interface LiveRunProps {
  /** Told each step as it is done. */
  readonly onStep: (step: number, metrics: Readonly<Record<string, number>>) => void;
}

/** A run of GRPO on the reader's own device. */
export function LiveRun({ onStep }: LiveRunProps) {
  const { t } = usePartTexts(labTexts);
  const { t: frame } = usePartTexts(embedTexts);
  const run = useFrameLab(({ shown: [id], data }) => (id === undefined ? undefined : data[id]));
  const last = run?.steps.at(-1);
  useEffect(() => {
    if (last) onStep(last.step, last.metrics);
  }, [last, onStep]);
  return (
    <>
      <div className="min-h-0 flex-1 overflow-y-auto px-4" tabIndex={0} role="region" aria-label={frame.viewGrpo}>
        <div data-content className="flex flex-col gap-4 py-4">
          <h2 className="sr-only">{frame.viewGrpo}</h2>
          {run ? <RunStage runs={[run]} focus={run.id} /> : <p className="text-sm text-quiet">{t.phaseStarting}</p>}
        </div>
      </div>
      <Bar run={run} />
    </>
  );
}

function Bar({ run }: { readonly run: RunData | undefined }) {
  const { t, language } = usePartTexts(labTexts);
  const { t: frame } = usePartTexts(embedTexts);
  const { t: general } = useTexts();
  const active = useFrameLab((state) => state.active);
  const failure = useFrameLab((state) => state.failure);
  const { dismiss, resumeRun } = useFrameLab.getState();
  const runner = useFrame((state) => state.runner);
  const step = run ? lastStepOf(run) : 0;
  const total = run?.header.max_steps ?? 0;
  return (
    <div className="flex flex-col gap-3 border-t border-line bg-sheet px-4 py-3">
      {failure ? (
        <LabFailureBox
          failure={failure}
          runId={failure.runId}
          actions={<Button onClick={dismiss}>{general.dismiss}</Button>}
        />
      ) : null}
      <div className="flex flex-wrap items-center gap-3">
        {active ? (
          <PaceButtons active={active} lab={useFrameLab.getState()} />
        ) : run && step < total ? (
          <Button kind="primary" onClick={() => void resumeRun(run.id)}>
            {t.resume}
          </Button>
        ) : (
          <Button kind="primary" onClick={() => runner?.start()}>
            {frame.trainAgain}
          </Button>
        )}
        <progress
          className="min-w-24 flex-1"
          aria-label={frame.steps}
          {...(active?.phase === "starting" || total === 0 ? {} : { value: step, max: total })}
        />
        <p className="text-xs text-quiet">
          <span role="status">{t[phaseText(active, step, total)]}</span> · {formatCount(step, language)} /{" "}
          {formatCount(total, language)}
        </p>
      </div>
    </div>
  );
}
