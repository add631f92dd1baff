import { useId } from "react";
import { formatCount, formatPercent } from "../format.ts";
import { usePlayTexts } from "./texts.ts";
import { Verdict } from "./Verdict.tsx";
import type { Vote } from "./vote.ts";

interface VotePanelProps {
  readonly vote: Vote;
  /** The question can be checked by itself. */
  readonly isKnown: boolean;
  readonly expected: string;
  readonly onExpect: (expected: string) => void;
  readonly passAtK: (n: number, c: number, k: number) => number;
}

/** Shown at most: where all answers differ, more of them say no more. */
const MAX_CANDIDATES = 5;

/** What the samples agree on, and how often they are right. */
export function VotePanel({ vote, isKnown, expected, onExpect, passAtK }: VotePanelProps) {
  const { t, language } = usePlayTexts();
  const heading = useId();
  const input = useId();
  const plural = new Intl.PluralRules(language);
  const { candidates, finished, unanswered, verdicts, right } = vote;
  return (
    <section
      aria-labelledby={heading}
      className="flex flex-col gap-3 rounded-md border border-line bg-sheet p-3 text-sm"
    >
      <div className="flex flex-wrap items-baseline justify-between gap-2">
        <h3 id={heading} className="font-semibold">
          {t.vote}
        </h3>
        <span className="text-xs text-quiet">
          {formatCount(finished, language)}/{formatCount(verdicts.length, language)} {t.voteCounted}
        </span>
      </div>
      {candidates.length === 0 ? <p className="text-xs text-quiet">{t.voteNone}</p> : null}
      <ol className="flex flex-col gap-1.5">
        {candidates.slice(0, MAX_CANDIDATES).map(({ key, answer, samples, isRight }, i) => (
          <li key={key} className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3">
            <span className={`truncate ${i === 0 ? "font-semibold" : ""}`}>
              {answer} <Verdict isRight={isRight} />
            </span>
            <span>
              {formatCount(samples.length, language)} {plural.select(samples.length) === "one" ? t.vote1 : t.votes}
            </span>
            <span className="col-span-2 h-1.5 bg-line">
              <span
                className={`block h-1.5 ${isRight === true ? "bg-correct" : isRight === false ? "bg-edge" : "bg-ink"}`}
                style={{ width: `${(100 * samples.length) / verdicts.length}%` }}
              />
            </span>
          </li>
        ))}
      </ol>
      {candidates.length > MAX_CANDIDATES ? (
        <p className="text-xs text-quiet">
          {formatCount(candidates.length - MAX_CANDIDATES, language)} {t.voteOthers}
        </p>
      ) : null}
      {unanswered > 0 ? (
        <p className="text-xs text-quiet">
          {t.voteUnanswered}: {formatCount(unanswered, language)}
        </p>
      ) : null}
      {isKnown ? (
        <p className="text-xs text-quiet">{t.expectedKnown}</p>
      ) : (
        <div className="flex flex-wrap items-center gap-2 text-xs">
          <label htmlFor={input}>{t.expected}</label>
          <input
            id={input}
            className="w-40 rounded-md border border-edge bg-paper px-2 py-1"
            maxLength={200}
            value={expected}
            onChange={({ target }) => onExpect(target.value)}
          />
        </div>
      )}
      {right === undefined || finished === 0 ? null : (
        <Figures n={finished} right={right} majority={candidates[0]?.isRight ?? false} passAtK={passAtK} />
      )}
    </section>
  );
}

interface FiguresProps {
  readonly n: number;
  readonly right: number;
  readonly majority: boolean;
  readonly passAtK: VotePanelProps["passAtK"];
}

function Figures({ n, right, majority, passAtK }: FiguresProps) {
  const { t, language } = usePlayTexts();
  const ks = [1, 2, 4, 8, 16, 32, 64].filter((k) => k <= n);
  return (
    <>
      <dl className="flex flex-wrap gap-x-6 gap-y-2">
        {ks.map((k) => (
          <div key={k}>
            <dt className="text-xs text-quiet">pass@{k}</dt>
            <dd className="font-semibold">{formatPercent(passAtK(n, right, k), language)}</dd>
          </div>
        ))}
        <div>
          <dt className="text-xs text-quiet">cons@{n}</dt>
          <dd>
            <Verdict isRight={majority} />
          </dd>
        </div>
      </dl>
      <p className="text-xs text-quiet">{t.figuresHelp}</p>
    </>
  );
}
