import { usePage } from "../app/store.ts";
import { HAS_WEBGPU, HAS_WORKER, useFrame } from "./frame-store.ts";
import type { ParentLink } from "./parent-link.ts";
import type { EmbedCaps, EmbedState } from "./protocol.ts";
import { writtenSince } from "./written.ts";

/** Tokens and progress are told at most ten times a second. */
const TELL_EVERY_MS = 100;

type PageState = ReturnType<typeof usePage.getState>;

export function capsNow(): EmbedCaps {
  const { address, isStarted } = useFrame.getState();
  return { view: address?.view ?? "chat", webgpu: HAS_WEBGPU, worker: HAS_WORKER, needsClick: !isStarted };
}

export function stateNow(): EmbedState {
  const { language, theme, model, running, draft, turns, settings } = usePage.getState();
  const { view, needsClick } = capsNow();
  const { runStatus } = useFrame.getState();
  return {
    view,
    lang: language,
    theme,
    needsClick,
    model: model.status === "ready" ? model.model.name : "none",
    status: running ? "running" : model.status === "loading" ? "loading" : runStatus,
    prompt: draft ?? turns.at(-1)?.question ?? "",
    params: settings,
  };
}

/** Tells the embedding page what happens in the frame. @returns the function that stops it */
export function reportTo(link: Pick<ParentLink, "say">): () => void {
  let told: { readonly turn: number; readonly replies: ReturnType<typeof repliesOf> } = { turn: 0, replies: [] };
  let timer: ReturnType<typeof setTimeout> | undefined;

  const tell = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const { model } = usePage.getState();
    if (model.status === "loading") link.say("progress", model.progress);
    const replies = repliesOf(usePage.getState());
    const turn = usePage.getState().turns.at(-1)?.startedAt ?? 0;
    const tokens = writtenSince(turn === told.turn ? told.replies : [], replies);
    told = { turn, replies };
    if (tokens.length > 0) link.say("token", { tokens });
  };

  const look = (now: PageState, before: PageState): void => {
    const isNews = now.turns !== before.turns || (now.model !== before.model && now.model.status === "loading");
    if (isNews) timer ??= setTimeout(tell, TELL_EVERY_MS);
    if (now.failure && now.failure !== before.failure) link.say("error", { code: now.failure.code });
    if (before.running && !now.running) {
      tell();
      const stats = now.turns.at(-1)?.stats;
      if (stats) link.say("metrics", { ...stats });
      link.say("done", { replies: repliesOf(now) });
    }
    const isOtherState =
      now.running !== before.running ||
      now.model.status !== before.model.status ||
      now.language !== before.language ||
      now.theme !== before.theme;
    if (isOtherState) link.say("state", stateNow());
  };

  const leave = usePage.subscribe(look);
  return () => {
    clearTimeout(timer);
    leave();
  };
}

function repliesOf({ turns }: PageState) {
  const replies = turns.at(-1)?.replies ?? [];
  return replies.map(({ think, answer, finish = "" }) => ({ think, answer, finish }));
}
