import { useState } from "react";
import { formatCount } from "../../format.ts";
import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Figure } from "../parts/Section.tsx";
import { Slider } from "../parts/Slider.tsx";
import { learnTexts } from "../texts.ts";
import { forceBudget, lastNumber, splitTokens } from "./budget.ts";
import { thoughtTexts } from "./texts.ts";

const LONGEST = 80;

/** A thought whose ends the reader moves. */
export function BudgetFigure({ number }: { readonly number: string }) {
  const { t, language } = usePartTexts(thoughtTexts);
  const { t: shared } = usePartTexts(learnTexts);
  const [budget, setBudget] = useState({ max: 0, min: 0 });
  const parts = [t.part1, t.part2, t.part3].map(splitTokens);
  const { tokens, injected, end } = forceBudget(parts, budget);
  const answer = lastNumber(tokens);
  const lengthText = (tokenCount: number): string => `${formatCount(tokenCount, language)} ${shared.tokens}`;
  return (
    <Figure title={`${number} ${t.figure}`} caption={t.caption}>
      <div className="mb-5 grid gap-x-8 gap-y-3 sm:grid-cols-2">
        <Slider
          label={t.atLeast}
          value={budget.min}
          min={0}
          max={LONGEST}
          step={1}
          text={budget.min === 0 ? t.unlimited : lengthText(budget.min)}
          onChange={(min) => setBudget({ ...budget, min })}
        />
        <Slider
          label={t.atMost}
          value={budget.max}
          min={0}
          max={LONGEST}
          step={1}
          text={budget.max === 0 ? t.unlimited : lengthText(budget.max)}
          onChange={(max) => setBudget({ ...budget, max })}
        />
      </div>
      <p className="mb-3 text-sm font-semibold">{t.question}</p>
      <div className="border-l-4 border-thought bg-thought-wash px-4 py-3">
        <p className="mb-1 flex flex-wrap justify-between gap-x-4 text-xs text-quiet">
          <span>
            {t.thought} · {lengthText(tokens.length)}
          </span>
          <span>{end === "own" ? t.endOwn : t.endForced}</span>
        </p>
        {/* As long as its longest state, so that nothing below jumps. */}
        <p className="min-h-36 sm:min-h-24">
          <Tag text="<think>" />{" "}
          {tokens.map((token, i) =>
            injected.includes(i) ? (
              <Injected key={i} text={` ${token}`} />
            ) : (
              // A thought's tokens have no name but their place.
              <span key={i}>{token}</span>
            ),
          )}{" "}
          {end === "own" ? <Tag text="</think>" /> : <Injected text="</think>" />}
        </p>
      </div>
      <p className="mt-3 flex flex-wrap items-baseline gap-x-3">
        <span className="text-sm text-quiet">{t.answer}</span>
        {answer === undefined ? (
          <span className="text-sm">{t.noAnswer}</span>
        ) : (
          <strong className="text-xl font-semibold">{answer}</strong>
        )}
      </p>
      <p className="mt-2 text-xs text-quiet">
        <Injected text={injected.length > 0 || end === "own" ? "Wait" : "</think>"} /> {t.injectedNote}
      </p>
    </Figure>
  );
}

function Tag({ text }: { readonly text: string }) {
  return (
    <code className="text-xs text-quiet" lang="en">
      {text}
    </code>
  );
}

function Injected({ text }: { readonly text: string }) {
  return (
    <mark className="rounded-sm bg-thought px-1 font-semibold text-[#241700]" lang="en">
      {text}
    </mark>
  );
}
