import { useEffect, useState } from "react";
import { usePage } from "../store.ts";
import type { Turn } from "./turn.ts";
import { useTexts } from "../use-texts.ts";

/** Silence after which a screen reader's user is told that the model still works. */
const STILL_MS = 7000;

type Stage = "none" | "think" | "answer" | "finished" | "stopped";

/** Says where the last reply is; the streamed text itself is never read out token by token. */
export function Announcer() {
  const stage = usePage((state) => stageOf(state.turns.at(-1)));
  return (
    <p role="status" className="sr-only">
      <StageText key={stage} stage={stage} />
    </p>
  );
}

function StageText({ stage }: { readonly stage: Stage }) {
  const { t } = useTexts();
  // Turns to and fro, so that each interval in one stage is heard.
  const [isStill, setStill] = useState(false);
  useEffect(() => {
    const timer = setInterval(() => setStill((was) => !was), STILL_MS);
    return () => clearInterval(timer);
  }, []);
  const said: Record<Stage, string> = {
    none: "",
    think: isStill ? t.statusStillThinking : t.statusThinking,
    answer: isStill ? t.statusStillAnswering : t.statusAnswering,
    finished: t.statusDone,
    stopped: t.statusStopped,
  };
  return said[stage];
}

function stageOf(turn: Turn | undefined): Stage {
  const phases = turn?.replies.map(({ phase }) => phase) ?? [];
  if (phases.every((phase) => phase === "waiting")) return "none";
  if (phases.some((phase) => phase === "think" || phase === "waiting")) return "think";
  if (phases.includes("answer")) return "answer";
  return turn?.replies.some(({ finish }) => finish === "aborted") ? "stopped" : "finished";
}
