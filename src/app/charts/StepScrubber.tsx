import { useId } from "react";
import { formatCount } from "../format.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { chartTexts } from "./texts.ts";

interface StepScrubberProps {
  readonly step: number;
  readonly first: number;
  readonly last: number;
  /** The newest step is shown, whichever it is. */
  readonly isFollowing: boolean;
  readonly onStep: (step: number) => void;
  readonly onFollow: () => void;
}

const BUTTON =
  "rounded-md border border-edge bg-sheet px-2.5 py-1 text-sm enabled:hover:border-ink disabled:opacity-50";

/** Chooses the step whose group is shown: by slider, by buttons, or the newest as it comes. */
export function StepScrubber({ step, first, last, isFollowing, onStep, onFollow }: StepScrubberProps) {
  const { t, language } = usePartTexts(chartTexts);
  const id = useId();
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <label htmlFor={id} className="text-sm whitespace-nowrap">
        {t.step}{" "}
        <span className="inline-block min-w-[3ch] text-right font-semibold">{formatCount(step, language)}</span>
        <span className="text-quiet"> / {formatCount(last, language)}</span>
      </label>
      <button
        type="button"
        className={BUTTON}
        aria-label={t.previousStep}
        disabled={step <= first}
        onClick={() => onStep(step - 1)}
      >
        <span aria-hidden>◀</span>
      </button>
      <input
        id={id}
        type="range"
        className="min-w-24 flex-1 basis-40 accent-ink"
        min={first}
        max={last}
        value={step}
        onChange={({ target }) => onStep(target.valueAsNumber)}
      />
      <button
        type="button"
        className={BUTTON}
        aria-label={t.nextStep}
        disabled={step >= last}
        onClick={() => onStep(step + 1)}
      >
        <span aria-hidden>▶</span>
      </button>
      <button
        type="button"
        aria-pressed={isFollowing}
        className={`${BUTTON} aria-pressed:border-ink aria-pressed:font-semibold`}
        onClick={onFollow}
      >
        {t.follow}
      </button>
    </div>
  );
}
