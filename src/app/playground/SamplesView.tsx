import { useMemo, useState } from "react";
import { QuietButton } from "../components/QuietButton.tsx";
import { formatCount } from "../format.ts";
import { usePage } from "../store.ts";
import { ReplyView } from "./ReplyView.tsx";
import { SampleGrid } from "./SampleGrid.tsx";
import { usePlayTexts } from "./texts.ts";
import type { Turn } from "./turn.ts";
import { useVoteModule } from "./use-vote.ts";
import { Verdict } from "./Verdict.tsx";
import { VotePanel } from "./VotePanel.tsx";

/** So many stand side by side; more are a grid of which one is open. */
const MOST_OPEN = 4;

/** Several replies to one question: what they agree on, and each of them. */
export function SamplesView({ turn }: { readonly turn: Turn }) {
  const { t, language } = usePlayTexts();
  const [expected, setExpected] = useState("");
  const pick = usePage((state) => state.pick);
  const module = useVoteModule();
  const { question, replies } = turn;
  const known = useMemo(() => module?.checkOfQuestion(question), [module, question]);
  const check = useMemo(() => known ?? module?.checkAgainst(expected), [known, module, expected]);
  const vote = useMemo(() => module?.countVotes(replies, check), [module, replies, check]);
  const verdicts = vote?.verdicts ?? [];
  const isGrid = replies.length > MOST_OPEN;

  const sampleView = (sample: number) => {
    const reply = replies[sample];
    if (!reply) return null;
    return (
      <section key={sample} className="flex min-w-0 flex-col gap-3 rounded-md border border-line bg-sheet p-3">
        <div className="flex flex-wrap items-baseline gap-x-3">
          <h3 className="text-xs font-semibold text-quiet">
            {t.sample} {formatCount(sample + 1, language)}
          </h3>
          <Verdict isRight={verdicts[sample]} />
          {isGrid || reply.answer === "" ? null : (
            <QuietButton className="ml-auto" aria-pressed={sample === turn.picked} onClick={() => pick(turn, sample)}>
              {t.goOn}
            </QuietButton>
          )}
        </div>
        <ReplyView reply={reply} turn={turn.id} sample={sample} name={`${turn.number}.${sample + 1}`} />
      </section>
    );
  };

  return (
    <>
      {vote && module ? (
        <VotePanel
          vote={vote}
          isKnown={known !== undefined}
          expected={expected}
          onExpect={setExpected}
          passAtK={module.passAtK}
        />
      ) : null}
      {isGrid ? (
        <>
          <SampleGrid
            replies={replies}
            verdicts={verdicts}
            open={turn.picked}
            onOpen={(sample) => pick(turn, sample)}
          />
          <p className="text-xs text-quiet">{t.goOnHint}</p>
          {sampleView(turn.picked)}
        </>
      ) : (
        <div className="grid grid-cols-[repeat(auto-fit,minmax(min(100%,20rem),1fr))] gap-4">
          {replies.map((_, sample) => sampleView(sample))}
        </div>
      )}
    </>
  );
}
