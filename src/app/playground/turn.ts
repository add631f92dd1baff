import type { FinishReason, GenerateEvent, GenerateStats, TokenEvent } from "../../engine/protocol.ts";

/** One reply as it is shown, while it streams and after. Times are `performance.now()`. */
export interface Reply {
  readonly think: string;
  readonly answer: string;
  readonly thinkTokens: number;
  /** Where the stream is. */
  readonly phase: "waiting" | "think" | "answer" | "finished";
  readonly thinkStart: number | undefined;
  readonly thinkEnd: number | undefined;
  readonly finish: FinishReason | undefined;
}

/** A question and its replies. */
export interface Turn {
  /** 1 for the conversation's first. */
  readonly number: number;
  readonly question: string;
  readonly replies: readonly Reply[];
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
  phase: "waiting",
  thinkStart: undefined,
  thinkEnd: undefined,
  finish: undefined,
};

export function newTurn(number: number, question: string, samples: number, now: number): Turn {
  return {
    number,
    question,
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

/** Nothing of any reply has arrived. */
export function isEmpty(turn: Turn | undefined): boolean {
  return turn?.replies.every(({ think, answer }) => think === "" && answer === "") ?? true;
}

function addToken(reply: Reply, { channel, text }: TokenEvent, at: number): Reply {
  // After a stop the last tokens still arrive; they belong to the reply, which stays stopped.
  const phase = reply.phase === "finished" ? "finished" : channel;
  if (channel === "answer") return { ...reply, phase, answer: reply.answer + text };
  return {
    ...reply,
    phase,
    think: reply.think + text,
    thinkTokens: reply.thinkTokens + 1,
    thinkStart: reply.thinkStart ?? at,
    thinkEnd: at,
  };
}
