import { memo } from "react";
import { formatCount, formatDecimal } from "../format.ts";
import type { Language, Texts } from "../i18n/texts.ts";
import type { Reply, Turn } from "./turn.ts";
import { useTexts } from "../use-texts.ts";
import { ThinkPanel } from "./ThinkPanel.tsx";

/** A question and its replies, several side by side. Earlier turns are not drawn again while the last one streams. */
export const TurnView = memo(function TurnView({ turn }: { readonly turn: Turn }) {
  const { t, language } = useTexts();
  const isOne = turn.replies.length === 1;
  return (
    <article className="flex flex-col gap-3">
      <p className="max-w-[85%] self-end rounded-lg bg-bubble px-4 py-2 break-words whitespace-pre-wrap">
        <span className="sr-only">{t.you}: </span>
        {turn.question}
      </p>
      <div className={isOne ? "" : "grid grid-cols-[repeat(auto-fit,minmax(min(100%,20rem),1fr))] gap-4"}>
        {turn.replies.map((reply, i) => (
          <section
            key={i}
            className={`flex min-w-0 flex-col gap-3 ${isOne ? "" : "rounded-md border border-line bg-sheet p-3"}`}
          >
            {isOne ? null : (
              <h3 className="text-xs font-semibold text-quiet">
                {t.sample} {formatCount(i + 1, language)}
              </h3>
            )}
            <ReplyView reply={reply} name={isOne ? `${turn.number}` : `${turn.number}.${i + 1}`} />
          </section>
        ))}
      </div>
      <Figures turn={turn} />
    </article>
  );
});

function ReplyView({ reply, name }: { readonly reply: Reply; readonly name: string }) {
  const { t } = useTexts();
  const { phase, finish, answer } = reply;
  return (
    <>
      {reply.thinkTokens > 0 ? <ThinkPanel reply={reply} name={name} /> : null}
      {phase === "waiting" ? <p className="caret text-quiet">{t.waiting}</p> : null}
      {answer !== "" || phase === "answer" ? (
        <div className={`break-words whitespace-pre-wrap ${phase === "answer" ? "caret" : ""}`}>
          <span className="sr-only">{t.answer}: </span>
          {answer}
        </div>
      ) : null}
      {phase === "finished" ? (
        <p className="text-xs text-quiet">
          {answer === "" && reply.thinkTokens > 0 ? `${t.emptyAnswer} ` : ""}
          {finish ? finishText(t, finish) : ""}
        </p>
      ) : null}
    </>
  );
}

function finishText(t: Texts, finish: NonNullable<Reply["finish"]>): string {
  return { stop: t.finishedStop, length: t.finishedLength, aborted: t.finishedAborted }[finish];
}

function Figures({ turn: { stats, firstTokenMs } }: { readonly turn: Turn }) {
  const { t, language } = useTexts();
  if (!stats) return null;
  return <p className="text-xs text-quiet">{figures(t, language, stats, firstTokenMs)}</p>;
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
