import { Button } from "../components/Button.tsx";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import type { ActiveRun, LabState } from "./lab-store.ts";
import { labTexts } from "./lab-texts.ts";

interface PaceButtonsProps {
  readonly active: ActiveRun;
  readonly lab: Pick<LabState, "pause" | "step" | "go" | "stop">;
}

/** Holds a run that is under way, steps it, lets it go on, and stops it. */
export function PaceButtons({ active, lab }: PaceButtonsProps) {
  const { t } = usePartTexts(labTexts);
  const isPaused = active.phase === "paused";
  return (
    <>
      {isPaused ? (
        <Button kind="primary" onClick={lab.go}>
          {t.resume}
        </Button>
      ) : (
        <Button disabled={active.phase !== "running"} onClick={lab.pause}>
          {t.pause}
        </Button>
      )}
      <Button disabled={!isPaused} onClick={lab.step}>
        {t.step}
      </Button>
      <Button disabled={active.phase === "stopping"} onClick={lab.stop}>
        {t.stop}
      </Button>
    </>
  );
}
