import { useEffect, useId, useState } from "react";
import type { ReactNode } from "react";
import { formatCount, formatDecimal } from "../format.ts";
import { usePage } from "../store.ts";
import { TokenText } from "./TokenText.tsx";
import type { Reply } from "./turn.ts";
import { useFollow } from "./use-follow.ts";
import { useTexts } from "../use-texts.ts";
import { Chevron } from "../components/Chevron.tsx";

interface ThinkPanelProps {
  readonly reply: Reply;
  /** The turn's id. */
  readonly turn: number;
  readonly sample: number;
  /** Tells this thought from the conversation's others. */
  readonly name: string;
}

/** The thought: open while it streams or is all there is, closed after; the reader's own choice wins for good. */
export function ThinkPanel({ reply, turn, sample, name }: ThinkPanelProps) {
  const { t, language } = useTexts();
  const region = useId();
  const key = `${turn}.${sample}`;
  const chosen = usePage((state) => state.openThoughts[key]);
  const openThought = usePage((state) => state.openThought);
  const isStreaming = reply.phase === "think";
  const view = usePage((state) => state.tokenView);
  // Who asks for the tokens wants to see those of the thought.
  const open = chosen ?? (isStreaming || reply.answer === "" || view !== "text");
  const now = useTicks(isStreaming);
  const { thinkStart: start = 0, thinkEnd: end = start } = reply;
  const spentMs = (isStreaming ? Math.max(end, now) : end) - start;
  const spent = `${formatDecimal(spentMs / 1000, language)} ${t.seconds}`;
  const count = `${formatCount(reply.thinkTokens, language)} ${t.tokens}`;
  return (
    <div className="border-l-4 border-thought bg-thought-wash">
      <button
        type="button"
        aria-expanded={open}
        aria-controls={region}
        className="flex w-full items-center gap-2 px-3 py-2 text-left text-sm text-quiet"
        onClick={() => openThought(key, !open)}
      >
        <Chevron open={open} />
        {isStreaming ? t.thinking : t.thoughtFor} {spent} · {count}
      </button>
      <div id={region} hidden={!open}>
        {open ? (
          <ThoughtText isStreaming={isStreaming} label={`${t.thought} ${name}`}>
            {view === "text" ? (
              reply.think
            ) : (
              <TokenText
                log={reply.tokens}
                channel="think"
                view={view}
                turn={turn}
                sample={sample}
                label={`${t.thought} ${name}`}
              />
            )}
          </ThoughtText>
        ) : null}
      </div>
    </div>
  );
}

interface ThoughtTextProps {
  readonly children: ReactNode;
  readonly isStreaming: boolean;
  readonly label: string;
}

function ThoughtText({ children, isStreaming, label }: ThoughtTextProps) {
  const { box, content } = useFollow(isStreaming);
  return (
    <div
      ref={box}
      role="region"
      tabIndex={0}
      aria-label={label}
      aria-busy={isStreaming}
      className="fade-scrolled max-h-80 overflow-y-auto px-3 pb-3 text-sm -outline-offset-2"
    >
      <div ref={content} className={`break-words whitespace-pre-wrap ${isStreaming ? "caret" : ""}`}>
        {children}
      </div>
    </div>
  );
}

/** `performance.now()` that moves ten times a second while `active`. */
function useTicks(active: boolean): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    if (!active) return undefined;
    const timer = setInterval(() => setNow(performance.now()), 100);
    return () => clearInterval(timer);
  }, [active]);
  return now;
}
