import { memo } from "react";
import { Button } from "../components/Button.tsx";
import { QuietButton } from "../components/QuietButton.tsx";
import { formatCount, formatDecimal } from "../format.ts";
import type { Language, Texts } from "../i18n/texts.ts";
import { usePage } from "../store.ts";
import { useTexts } from "../use-texts.ts";
import { BranchNav } from "./BranchNav.tsx";
import { branchesOf } from "./conversation.ts";
import type { Branches } from "./conversation.ts";
import { QuestionView } from "./QuestionView.tsx";
import { ReplyView } from "./ReplyView.tsx";
import { SamplesView } from "./SamplesView.tsx";
import { usePlayTexts } from "./texts.ts";
import { Legend, TokenViews } from "./TokenViews.tsx";
import { logLength } from "./token-log.ts";
import type { Turn } from "./turn.ts";

interface TurnViewProps {
  readonly turn: Turn;
  /** It can be looked at, and neither be asked again nor otherwise. */
  readonly isRecorded?: boolean;
}

/** A question and its replies. Earlier turns are not drawn again while the last one streams. */
export const TurnView = memo(function TurnView({ turn, isRecorded = false }: TurnViewProps) {
  const [reply] = turn.replies;
  // Compared by value: the conversation changes with every token.
  const places = usePage(({ conversation }) => {
    const { questions, replies } = branchesOf(conversation, turn);
    return [questions.at, questions.of, replies.at, replies.of].join(" ");
  });
  const branches = branchesFrom(places);
  return (
    <article className="flex flex-col gap-3">
      <QuestionView turn={turn} branches={branches} isRecorded={isRecorded} />
      {turn.replies.length === 1 && reply ? (
        <section className="flex min-w-0 flex-col gap-3">
          <ReplyView reply={reply} turn={turn.id} sample={0} name={`${turn.number}`} />
        </section>
      ) : (
        <SamplesView turn={turn} />
      )}
      <Footer turn={turn} branches={branches} isRecorded={isRecorded} />
    </article>
  );
});

function branchesFrom(places: string): Branches {
  const [question = 1, questions = 1, reply = 1, replies = 1] = places.split(" ").map(Number);
  return { questions: { at: question, of: questions }, replies: { at: reply, of: replies } };
}

/** What can be done with the replies, and what they took. */
function Footer({ turn, branches, isRecorded }: TurnViewProps & { readonly branches: Branches }) {
  const { t, language } = useTexts();
  const { t: p } = usePlayTexts();
  const isBusy = usePage(({ running, model }) => running !== undefined || model.status !== "ready");
  const view = usePage((state) => state.tokenView);
  const isCutOff = usePage(({ cutOff }) => cutOff?.turn === turn.id);
  const { goOn, retry, showBranch } = usePage.getState();
  const hasTokens = turn.replies.some(({ tokens }) => tokens.length > 0);
  if (!hasTokens && branches.replies.of < 2) return null;
  return (
    <div className="flex flex-col gap-1">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <BranchNav
          label={p.replies}
          place={branches.replies}
          disabled={isBusy}
          onGo={(at) => showBranch(turn, "replies", at)}
        />
        {isCutOff ? (
          <Button disabled={isBusy} onClick={() => void goOn()}>
            {p.finishReply}
          </Button>
        ) : null}
        {isRecorded ? null : (
          <QuietButton disabled={isBusy} onClick={() => void retry(turn)}>
            {p.retry}
          </QuietButton>
        )}
        <TokenViews />
      </div>
      {view === "text" ? null : <Legend view={view} />}
      {turn.stats ? (
        <div className="flex flex-wrap gap-x-4 text-xs text-quiet">
          <p>{figures(t, language, turn.stats, turn.firstTokenMs)}</p>
          <ContextUsed turn={turn} promptTokens={turn.stats.promptTokens} />
        </div>
      ) : null}
    </div>
  );
}

/** How much of what the model can hold is taken after a reply, the longest of several. */
function ContextUsed({ turn, promptTokens }: { readonly turn: Turn; readonly promptTokens: number }) {
  const { t, language } = usePlayTexts();
  const most = usePage(({ model }) => (model.status === "ready" ? model.model.contextTokens : undefined));
  if (most === undefined) return null;
  const used = promptTokens + Math.max(...turn.replies.map(({ tokens }) => logLength(tokens)));
  return (
    <p>
      {t.context} {formatCount(used, language)} {t.contextOf} {formatCount(most, language)}
    </p>
  );
}

function figures(
  t: Texts,
  language: Language,
  stats: NonNullable<Turn["stats"]>,
  firstTokenMs: number | undefined,
): string {
  const parts = [
    `${formatDecimal(stats.tokensPerSecond, language)} ${t.perSecond}`,
    `${t.promptTokens} ${formatCount(stats.promptTokens, language)}`,
  ];
  if (stats.cachedTokens > 0) parts.push(`${t.cachedTokens} ${formatCount(stats.cachedTokens, language)}`);
  if (firstTokenMs !== undefined) {
    parts.push(`${t.firstToken} ${formatDecimal(firstTokenMs / 1000, language, 2)} ${t.seconds}`);
  }
  return parts.join(" · ");
}
