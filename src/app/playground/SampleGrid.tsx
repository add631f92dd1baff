import { formatCount } from "../format.ts";
import { usePlayTexts } from "./texts.ts";
import type { PlayTexts } from "./texts.ts";
import type { Reply } from "./turn.ts";

interface SampleGridProps {
  readonly replies: readonly Reply[];
  readonly verdicts: readonly (boolean | undefined)[];
  readonly open: number;
  readonly onOpen: (sample: number) => void;
}

/** Many samples at a glance: where each is, what it says, whether that is right. One is open. */
export function SampleGrid({ replies, verdicts, open, onOpen }: SampleGridProps) {
  const { t, language } = usePlayTexts();
  return (
    <div
      role="group"
      aria-label={t.samples}
      className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,7.5rem),1fr))] gap-1.5"
    >
      {replies.map((reply, i) => {
        const state = stateOf(reply, t);
        const verdict = verdicts[i];
        const word = verdict === undefined ? "" : verdict ? t.right : t.wrong;
        return (
          <button
            key={i}
            type="button"
            aria-pressed={i === open}
            aria-label={[`${t.sample} ${formatCount(i + 1, language)}: ${state}`, word].filter(Boolean).join(", ")}
            className={`flex min-w-0 flex-col rounded border px-2 py-1 text-left text-xs hover:border-ink aria-pressed:outline-2 aria-pressed:outline-ink ${reply.phase === "think" ? "border-line bg-thought-wash" : "border-line bg-sheet"}`}
            onClick={() => onOpen(i)}
          >
            <span className="flex w-full justify-between text-quiet">
              <span>{formatCount(i + 1, language)}</span>
              {verdict === undefined ? null : (
                <span className={`font-semibold ${verdict ? "text-correct-ink" : ""}`}>{verdict ? "✓" : "✗"}</span>
              )}
            </span>
            <span className="w-full truncate">{state}</span>
          </button>
        );
      })}
    </div>
  );
}

function stateOf({ phase, answer }: Reply, t: PlayTexts): string {
  switch (phase) {
    case "waiting":
      return t.stateWaiting;
    case "think":
      return t.stateThinking;
    case "answer":
      return answer.trim().slice(0, 80) || t.stateAnswering;
    case "finished":
      return answer.trim().slice(0, 80) || t.stateNoAnswer;
  }
}
