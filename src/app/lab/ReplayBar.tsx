import { useId } from "react";
import { Button } from "../components/Button.tsx";
import { formatCount } from "../format.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { lastStepOf } from "../runs/record-data.ts";
import type { RunData } from "../runs/run-data.ts";
import { INPUT } from "./FieldControl.tsx";
import { labTexts } from "./lab-texts.ts";
import { SPEEDS, useReplay } from "./replay-store.ts";

/** Plays a run that has ended again, from step to step. */
export function ReplayBar({ run }: { readonly run: RunData }) {
  const { t, language } = usePartTexts(labTexts);
  const id = useId();
  const last = lastStepOf(run);
  const replay = useReplay((state) => (state.replay?.runId === run.id ? state.replay : undefined));
  const speed = useReplay((state) => state.speed);
  const { play, pause, seek, setSpeed, end } = useReplay.getState();
  const position = Math.floor(replay?.position ?? last);
  return (
    <div role="group" aria-label={t.replay} className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-quiet">
      {replay?.isPlaying === true ? (
        <Button className="min-w-20" onClick={pause}>
          {t.replayPause}
        </Button>
      ) : (
        <Button className="min-w-20" onClick={() => play(run.id, last)}>
          {t.replayPlay}
        </Button>
      )}
      <label htmlFor={id} className="sr-only">
        {t.replayPosition}
      </label>
      <input
        id={id}
        type="range"
        className="min-w-32 flex-1 accent-accent"
        min={1}
        max={last}
        step={1}
        value={Math.max(1, position)}
        onChange={({ target }) => seek(run.id, last, Number(target.value))}
      />
      <span className="min-w-20 text-right whitespace-nowrap">
        {formatCount(position, language)} / {formatCount(last, language)}
      </span>
      <label className="flex items-center gap-1 whitespace-nowrap">
        {t.replaySpeed}
        <select
          className={`${INPUT} py-0.5 text-xs`}
          value={speed}
          onChange={({ target }) => {
            const chosen = SPEEDS.find((one) => one === Number(target.value));
            if (chosen !== undefined) setSpeed(chosen);
          }}
        >
          {SPEEDS.map((one) => (
            <option key={one} value={one}>
              {one} {t.stepsPerSecond}
            </option>
          ))}
        </select>
      </label>
      <Button disabled={!replay} onClick={end}>
        {t.replayWhole}
      </Button>
    </div>
  );
}
