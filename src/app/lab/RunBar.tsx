import { Button } from "../components/Button.tsx";
import { formatCount } from "../format.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { lastStepOf } from "../runs/record-data.ts";
import type { RunData } from "../runs/run-data.ts";
import { usePage } from "../store.ts";
import type { ActiveRun } from "./lab-store.ts";
import { labTexts } from "./lab-texts.ts";
import { phaseText } from "./phase-texts.ts";
import { PaceButtons } from "./PaceButtons.tsx";
import { adapterSummary, formatDuration, secondsPerStep } from "./run-facts.ts";
import { useLab } from "./use-lab.ts";

/** The run in front: what it is doing, how long that takes, and what can be done with it. */
export function RunBar({ run }: { readonly run: RunData }) {
  const { t, language } = usePartTexts(labTexts);
  const active = useLab((state) => (state.active?.id === run.id ? state.active : undefined));
  const checkpointStep = useLab((state) => state.runs.find(({ id }) => id === run.id)?.checkpointStep ?? 0);
  const step = lastStepOf(run);
  const total = run.header.max_steps;
  const perStep = secondsPerStep(run);
  const adapter = adapterSummary(run.header.config);
  const facts = [
    ...(adapter === undefined ? [] : [adapter]),
    `${t.ofSteps} ${formatCount(step, language)} / ${formatCount(total, language)}`,
    ...(perStep === undefined ? [] : [`${formatDuration(perStep, language)} ${t.perStep}`]),
    ...(perStep === undefined || !active || step >= total
      ? []
      : [`${t.left} ${formatDuration(perStep * (total - step), language)}`]),
    ...(run.isRecorded
      ? []
      : [checkpointStep > 0 ? `${t.checkpointAt} ${formatCount(checkpointStep, language)}` : t.noCheckpoint]),
  ];
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <div className="min-w-0 flex-1 basis-64">
        <h2 className="flex flex-wrap items-baseline gap-x-2 font-semibold">
          {run.name}
          {run.isRecorded ? <RecordedMark /> : null}
        </h2>
        <p className="text-xs text-quiet">
          <span role="status" className="font-semibold">
            {run.isRecorded ? "" : <PhaseText active={active} step={step} total={total} />}
          </span>{" "}
          {facts.join(" · ")}
        </p>
        <progress
          className="mt-1 block w-full max-w-md"
          aria-label={t.ofSteps}
          {...(active?.phase === "starting" ? {} : { value: step, max: total })}
        />
      </div>
      {run.isRecorded ? null : (
        <Actions run={run} active={active} canResume={step < total} hasCheckpoint={checkpointStep > 0} />
      )}
    </div>
  );
}

/** A run that was started and is not there yet: the device is opened, its model read. It can be stopped all the same. */
export function PendingBar({ active }: { readonly active: ActiveRun }) {
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <p role="status" className="min-w-0 flex-1 basis-64 font-semibold">
        <PhaseText active={active} step={0} total={1} />
      </p>
      <PaceButtons active={active} lab={useLab.getState()} />
    </div>
  );
}

export function RecordedMark() {
  const { t } = usePartTexts(labTexts);
  return (
    <span className="rounded-sm border border-edge px-1.5 text-xs font-normal whitespace-nowrap text-quiet">
      {t.recordedMark}
    </span>
  );
}

interface PhaseTextProps {
  readonly active: ActiveRun | undefined;
  readonly step: number;
  readonly total: number;
}

function PhaseText({ active, step, total }: PhaseTextProps) {
  const { t } = usePartTexts(labTexts);
  const playgroundIsBusy = usePage((state) => state.running !== undefined || state.model.status === "loading");
  return active?.phase === "starting" && playgroundIsBusy ? t.phaseWaiting : t[phaseText(active, step, total)];
}

interface ActionsProps {
  readonly run: RunData;
  readonly active: ActiveRun | undefined;
  readonly canResume: boolean;
  readonly hasCheckpoint: boolean;
}

function Actions({ run, active, canResume, hasCheckpoint }: ActionsProps) {
  const { t } = usePartTexts(labTexts);
  const { resumeRun } = useLab.getState();
  const isBlocked = useLab((state) => state.active !== undefined || state.otherTab);
  if (!active) {
    if (!canResume) return null;
    return (
      <Button kind="primary" disabled={isBlocked} onClick={() => void resumeRun(run.id)}>
        {hasCheckpoint ? t.resume : t.again}
      </Button>
    );
  }
  return (
    <div className="flex gap-2">
      <PaceButtons active={active} lab={useLab.getState()} />
    </div>
  );
}
