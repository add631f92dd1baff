import { useState } from "react";
import type { LossTypeName } from "../../../train/grpo/estimators.ts";
import { formatDecimal } from "../../format.ts";
import { formatShare } from "../parts/format-share.ts";
import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Figure } from "../parts/Section.tsx";
import { Slider } from "../parts/Slider.tsx";
import { learnTexts } from "../texts.ts";
import { objectiveTexts } from "./texts.ts";
import { LOSS_TYPE_NAMES, tokenWeights } from "./token-weights.ts";

const LONGEST = 24;

const DIVISORS = {
  grpo: "lossGrpo",
  bnpo: "lossBnpo",
  dapo: "lossDapo",
  dr_grpo: "lossDrGrpo",
  cispo: "lossCispo",
} as const satisfies Record<LossTypeName, string>;

/** How much each token of two completions weighs, by the loss. */
export function WeightsFigure({ number }: { readonly number: string }) {
  const { t, language } = usePartTexts(objectiveTexts);
  const { t: shared } = usePartTexts(learnTexts);
  const [lengths, setLengths] = useState<readonly [number, number]>([4, 16]);
  const [accumulates, setAccumulates] = useState(false);
  const rows = LOSS_TYPE_NAMES.map((name) => ({
    name,
    weights: tokenWeights(name, { lengths, accumulates, maxCompletionLength: LONGEST }),
  }));
  const heaviest = Math.max(...rows.flatMap(({ weights }) => weights.map(({ token }) => token)));
  return (
    <Figure title={`${number} ${t.lossFigure}`} caption={t.lossCaption}>
      <div className="mb-3 grid gap-x-8 gap-y-3 sm:grid-cols-2">
        {([0, 1] as const).map((i) => (
          <Slider
            key={i}
            label={i === 0 ? t.lengthA : t.lengthB}
            value={lengths[i]}
            min={1}
            max={LONGEST}
            step={1}
            text={`${lengths[i]} ${shared.tokens}`}
            onChange={(length) => setLengths(i === 0 ? [length, lengths[1]] : [lengths[0], length])}
          />
        ))}
      </div>
      <label className="mb-4 flex items-center gap-2 text-sm">
        <input
          type="checkbox"
          className="size-4 accent-accent"
          checked={accumulates}
          onChange={({ target }) => setAccumulates(target.checked)}
        />
        {t.accumulate}
      </label>
      <ul className="flex flex-col gap-3">
        {rows.map(({ name, weights }) => (
          <li key={name} className="grid gap-x-4 gap-y-1 border-t border-line pt-3 sm:grid-cols-[10rem_minmax(0,1fr)]">
            <div>
              <code className="text-sm font-semibold" lang="en">
                {name}
              </code>
              <p className="text-xs text-quiet">{t[DIVISORS[name]]}</p>
            </div>
            <div className="grid grid-cols-2 gap-4">
              {weights.map(({ token, completion }, i) => (
                <div key={i} className="min-w-0">
                  <div aria-hidden className="flex h-10 items-end gap-px border-b border-edge">
                    {Array.from({ length: LONGEST }, (_, place) => (
                      <span
                        key={place}
                        className={`min-w-0 flex-1 rounded-t-[1px] transition-[height] duration-200 motion-reduce:transition-none ${i === 0 ? "bg-positive" : "bg-kl"}`}
                        style={{ height: place < (lengths[i] ?? 0) ? `${(100 * token) / heaviest}%` : "0" }}
                      />
                    ))}
                  </div>
                  <p className="mt-1 flex flex-wrap justify-between gap-x-2 text-xs">
                    <span className="sr-only">
                      {t.completion} {i + 1}:
                    </span>
                    <strong className="font-semibold">{formatShare(completion, language)}</strong>
                    <span className="text-quiet">
                      {t.eachToken} {formatDecimal(token, language, 3)}
                    </span>
                  </p>
                </div>
              ))}
            </div>
          </li>
        ))}
      </ul>
    </Figure>
  );
}
