import type { FinishReason, GenerateEvent, GenerateStats, TokenEvent } from "../../engine/protocol.ts";
import { addToLog } from "./token-log.ts";
import type { TokenLog } from "./token-log.ts";

/** One reply as it is shown, while it streams and after. Times are `performance.now()`. */
export interface Reply {
  readonly think: string;
  readonly answer: string;
  readonly thinkTokens: number;
  readonly tokens: TokenLog;
  /** Where the stream is. */
  readonly phase: "waiting" | "think" | "answer" | "finished";
  readonly thinkStart: number | undefined;
  readonly thinkEnd: number | undefined;
  readonly finish: FinishReason | undefined;
}

/** Where a turn hangs in its conversation. */
export interface TurnPlace {
  /** From 1; no other turn of the conversation has it. */
  readonly id: number;
  /** Id of the turn before it; 0 for a first question. */
  readonly parent: number;
  /** Id of the turn that first asked this question at this place: its own, unless it was asked again. */
  readonly asked: number;
  /** 1 for a first question, whichever branch it is on. */
  readonly number: number;
}

/** A question and its replies. */
export interface Turn extends TurnPlace {
  readonly question: string;
  readonly replies: readonly Reply[];
  /** The reply from which the conversation goes on. */
  readonly picked: number;
  /** `performance.now()` when the question was sent. */
  readonly startedAt: number;
  /** When the engine began, by the page's clock: the engine's events count from there. */
  readonly engineStart: number | undefined;
  readonly firstTokenMs: number | undefined;
  readonly stats: GenerateStats | undefined;
}

const NEW_REPLY: Reply = {
  think: "",
  answer: "",
  thinkTokens: 0,
  tokens: [],
  phase: "waiting",
  thinkStart: undefined,
  thinkEnd: undefined,
  finish: undefined,
};

export function newTurn(place: TurnPlace, question: string, samples: number, now: number): Turn {
  return {
    ...place,
    question,
    picked: 0,
    replies: Array.from({ length: samples }, () => NEW_REPLY),
    startedAt: now,
    engineStart: undefined,
    firstTokenMs: undefined,
    stats: undefined,
  };
}

/** The turn after an event that arrived at `now`. */
export function advance(turn: Turn, event: GenerateEvent, now: number): Turn {
  switch (event.type) {
    case "prefilled":
      return { ...turn, engineStart: turn.engineStart ?? now - event.at };
    case "token": {
      const engineStart = turn.engineStart ?? now - event.at;
      const at = engineStart + event.at;
      return {
        ...turn,
        engineStart,
        firstTokenMs: turn.firstTokenMs ?? at - turn.startedAt,
        replies: turn.replies.map((reply, i) => (i === event.sample ? addToken(reply, event, at) : reply)),
      };
    }
    case "finished": {
      const { think, answer, finishReason } = event.completion;
      const finish = (reply: Reply): Reply => ({ ...reply, think, answer, phase: "finished", finish: finishReason });
      return { ...turn, replies: turn.replies.map((reply, i) => (i === event.sample ? finish(reply) : reply)) };
    }
    case "done":
      return { ...turn, stats: event.stats };
  }
}

/** The turn as it stands when nothing more will come: replies that were being written are kept as far as they are. */
export function stopped(turn: Turn): Turn {
  const stop = (reply: Reply): Reply =>
    reply.phase === "finished" ? reply : { ...reply, phase: "finished", finish: "aborted" };
  return { ...turn, replies: turn.replies.map(stop) };
}

/** A turn that was cut off as it goes on: its replies are as they were, and the engine's clock begins anew. */
export function resumed(turn: Turn): Turn {
  const resume = (reply: Reply): Reply => {
    if (reply.finish !== "aborted") return reply;
    const phase = reply.answer !== "" ? "answer" : reply.tokens.length > 0 ? "think" : "waiting";
    return { ...reply, phase, finish: undefined };
  };
  return { ...turn, engineStart: undefined, stats: undefined, replies: turn.replies.map(resume) };
}

/** Nothing of any reply has arrived. */
export function isEmpty(turn: Turn): boolean {
  return turn.replies.every(({ think, answer }) => think === "" && answer === "");
}

function addToken(reply: Reply, event: TokenEvent, at: number): Reply {
  const { channel, text } = event;
  // After a stop the last tokens still arrive; they belong to the reply, which stays stopped.
  const phase = reply.phase === "finished" ? "finished" : channel;
  const tokens = addToLog(reply.tokens, event);
  if (channel === "answer") return { ...reply, phase, tokens, answer: reply.answer + text };
  return {
    ...reply,
    phase,
    tokens,
    think: reply.think + text,
    thinkTokens: reply.thinkTokens + 1,
    thinkStart: reply.thinkStart ?? at,
    thinkEnd: at,
  };
}
