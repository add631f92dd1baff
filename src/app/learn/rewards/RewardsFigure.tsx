import { useId, useState } from "react";
import { Button } from "../../components/Button.tsx";
import { formatDecimal } from "../../format.ts";
import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Figure } from "../parts/Section.tsx";
import { Segments } from "../parts/Slider.tsx";
import { OTHER_REWARDS, R1_REWARDS, scoreCompletion } from "./score.ts";
import type { RewardName } from "./score.ts";
import { COMPLETIONS, EXAMPLES, rewardsTexts } from "./texts.ts";

const SOLUTION = "89";
/** The grader looks at all of it with each key. */
const MAX_CHARACTERS = 2000;

const NAMES = {
  accuracy: "accuracy",
  format: "format",
  language_consistency: "languageConsistency",
  reasoning_accuracy: "reasoningAccuracy",
  think_format: "thinkFormat",
  tag_count: "tagCount",
  reasoning_steps: "reasoningSteps",
  repetition_words: "repetitionWords",
} as const satisfies Record<RewardName, string>;

/** A completion the reader edits, and what each reward function makes of it. */
export function RewardsFigure({ number }: { readonly number: string }) {
  const { t, language: pageLanguage } = usePartTexts(rewardsTexts);
  const id = useId();
  const [chosen, setChosen] = useState<"en" | "ja">();
  const [edited, setEdited] = useState<string>();
  const language = chosen ?? pageLanguage;
  const completion = edited ?? COMPLETIONS[language].exampleRight;
  const score = (name: RewardName): number | null =>
    scoreCompletion(name, { completion, solution: SOLUTION, language });
  const total = R1_REWARDS.reduce((sum, name) => sum + (score(name) ?? 0), 0);
  return (
    <Figure title={`${number} ${t.figure}`} caption={t.caption}>
      <p className="text-sm">
        <span className="text-quiet">{t.problem}: </span>
        <strong className="font-semibold">{t.problemText}</strong> <span className="text-quiet">{t.gold}</span>
      </p>
      <div className="mt-3 flex flex-wrap items-end gap-x-6 gap-y-3">
        <fieldset className="min-w-0">
          <legend className="mb-1 text-sm">{t.examples}</legend>
          <div className="flex flex-wrap gap-1.5">
            {EXAMPLES.map((name) => (
              <Button
                key={name}
                className="px-2.5! py-1! font-normal!"
                onClick={() => setEdited(COMPLETIONS[language][name])}
              >
                {t[name]}
              </Button>
            ))}
          </div>
        </fieldset>
        <Segments
          label={t.language}
          value={language}
          options={[
            { value: "en", text: t.english },
            { value: "ja", text: t.japanese },
          ]}
          onChoose={setChosen}
        />
      </div>
      <div className="mt-4 grid gap-5 md:grid-cols-2">
        <div className="flex flex-col gap-1">
          <label htmlFor={id} className="text-sm">
            {t.completion}
          </label>
          <textarea
            id={id}
            className="min-h-56 flex-1 resize-y rounded-md border border-edge bg-paper p-3 font-mono text-sm"
            spellCheck={false}
            maxLength={MAX_CHARACTERS}
            value={completion}
            onChange={({ target }) => setEdited(target.value)}
          />
        </div>
        <div>
          <dl className="flex flex-col gap-3">
            {R1_REWARDS.map((name) => (
              <RewardRow key={name} name={name} value={score(name)} />
            ))}
            <div className="flex items-baseline justify-between gap-3 border-t border-line pt-3">
              <dt className="font-semibold">{t.total}</dt>
              <dd className="text-xl font-semibold text-reward">{formatDecimal(total, pageLanguage, 2)}</dd>
            </div>
          </dl>
          <details className="mt-4">
            <summary className="cursor-pointer text-sm">{t.others}</summary>
            <dl className="mt-3 flex flex-col gap-3">
              {OTHER_REWARDS.map((name) => (
                <RewardRow key={name} name={name} value={score(name)} />
              ))}
            </dl>
          </details>
        </div>
      </div>
    </Figure>
  );
}

function RewardRow({ name, value }: { readonly name: RewardName; readonly value: number | null }) {
  const { t, language } = usePartTexts(rewardsTexts);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_auto] items-baseline gap-x-3 gap-y-1">
      <dt className="text-sm">
        {t[NAMES[name]]}{" "}
        <code className="text-xs text-quiet" lang="en">
          {name}
        </code>
      </dt>
      <dd className="contents">
        <span className="font-semibold">{value === null ? t.notApplicable : formatDecimal(value, language, 2)}</span>
        <span aria-hidden className="col-span-2 h-2 overflow-hidden rounded-full bg-line">
          <span
            className={`block h-full transition-[width] duration-200 motion-reduce:transition-none ${(value ?? 0) < 0 ? "bg-negative" : "bg-reward"}`}
            style={{ width: `${100 * Math.min(1, Math.abs(value ?? 0))}%` }}
          />
        </span>
      </dd>
    </div>
  );
}
