import { useEffect, useId } from "react";
import { preloadMarkdown } from "../markdown/Markdown.tsx";
import { usePage } from "../store.ts";
import { useFollow } from "./use-follow.ts";
import { useTexts } from "../use-texts.ts";
import { Announcer } from "./Announcer.tsx";
import { Examples } from "./Examples.tsx";
import { TurnView } from "./TurnView.tsx";

/** Questions, thoughts and answers; follows the last line while the reader is there. */
export function Conversation() {
  const { t } = useTexts();
  const heading = useId();
  const turns = usePage((state) => state.turns);
  const { box, content } = useFollow(true);
  useEffect(() => {
    if (turns.length > 0) preloadMarkdown();
  }, [turns.length]);
  useEffect(() => {
    // Who asks wants to see the reply, wherever the conversation was scrolled to.
    box.current?.scrollTo(0, box.current.scrollHeight);
  }, [box, turns.length]);
  return (
    <div
      ref={box}
      role="region"
      aria-labelledby={heading}
      tabIndex={0}
      className="min-h-0 min-w-0 flex-1 overflow-y-auto px-4 -outline-offset-2"
    >
      <h2 id={heading} className="sr-only">
        {t.conversation}
      </h2>
      {/* The streamed text is not read out word by word: the announcer says where the reply is. */}
      <div ref={content} role="log" aria-live="off" className="mx-auto flex min-h-full max-w-4xl flex-col gap-8 py-6">
        {turns.length === 0 ? <EmptyStage /> : turns.map((turn) => <TurnView key={turn.id} turn={turn} />)}
      </div>
      <Announcer />
    </div>
  );
}

function EmptyStage() {
  const { t } = useTexts();
  return (
    <div className="m-auto flex max-w-md flex-col gap-3 text-sm text-quiet">
      <p className="text-xl font-semibold text-ink">{t.emptyHeading}</p>
      <p className="border-l-4 border-thought bg-thought-wash px-3 py-2 text-ink">{t.emptyThoughtHint}</p>
      <p className="px-4 text-ink">{t.emptyAnswerHint}</p>
      <Examples />
      <p>{t.emptyPrivacy}</p>
    </div>
  );
}
