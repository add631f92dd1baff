import { CopyButton } from "../components/CopyButton.tsx";
import type { Texts } from "../i18n/texts.ts";
import { Markdown } from "../markdown/Markdown.tsx";
import { usePage } from "../store.ts";
import { useTexts } from "../use-texts.ts";
import { usePlayTexts } from "./texts.ts";
import { ThinkPanel } from "./ThinkPanel.tsx";
import { TokenText } from "./TokenText.tsx";
import type { Reply } from "./turn.ts";

interface ReplyViewProps {
  readonly reply: Reply;
  /** The turn's id. */
  readonly turn: number;
  readonly sample: number;
  /** Tells this reply from the conversation's others. */
  readonly name: string;
}

/** A thought, the answer below it, how it ended, and copies of both. */
export function ReplyView({ reply, turn, sample, name }: ReplyViewProps) {
  const { t } = useTexts();
  const { phase, answer } = reply;
  return (
    <>
      {reply.thinkTokens > 0 ? <ThinkPanel reply={reply} turn={turn} sample={sample} name={name} /> : null}
      {phase === "waiting" ? <p className="caret text-quiet">{t.waiting}</p> : null}
      {answer !== "" || phase === "answer" ? (
        <div className="min-w-0 break-words">
          <span className="sr-only">{t.answer}: </span>
          <AnswerText reply={reply} turn={turn} sample={sample} name={name} />
        </div>
      ) : null}
      {phase === "finished" ? <End reply={reply} /> : null}
    </>
  );
}

function AnswerText({ reply, turn, sample, name }: ReplyViewProps) {
  const { t } = useTexts();
  const view = usePage((state) => state.tokenView);
  if (view === "text") return <Markdown text={reply.answer.trim()} isStreaming={reply.phase === "answer"} />;
  return (
    <TokenText
      log={reply.tokens}
      channel="answer"
      view={view}
      turn={turn}
      sample={sample}
      label={`${t.answer} ${name}`}
    />
  );
}

function End({ reply: { answer, think, thinkTokens, finish } }: { readonly reply: Reply }) {
  const { t } = useTexts();
  const { t: p } = usePlayTexts();
  const copy = { done: p.copied, failed: p.copyFailed };
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-quiet">
      <p>
        {answer === "" && thinkTokens > 0 ? `${t.emptyAnswer} ` : ""}
        {finish ? finishText(t, finish) : ""}
      </p>
      {answer === "" ? null : <CopyButton text={answer.trim()} label={p.copyAnswer} {...copy} />}
      {think === "" ? null : <CopyButton text={think.trim()} label={p.copyThought} {...copy} />}
    </div>
  );
}

function finishText(t: Texts, finish: NonNullable<Reply["finish"]>): string {
  return { stop: t.finishedStop, length: t.finishedLength, aborted: t.finishedAborted }[finish];
}
