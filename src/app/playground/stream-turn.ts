import type { EngineClient } from "../../engine/client.ts";
import type { ChatMessage, SaidToken } from "../../engine/protocol.ts";
import type { ChatSettings } from "./settings.ts";
import { advance, newTurn, resumed, stopped } from "./turn.ts";
import type { TokenLog } from "./token-log.ts";
import type { Turn, TurnPlace } from "./turn.ts";

/** Shown at most this often: faster updates cost time and cannot be read. */
const SHOW_EVERY_MS = 50;

/** Alternatives are kept for so many samples at most; of more, a reader compares the answers. */
const MOST_INSPECTED = 4;
const ALTERNATIVES = 8;

export interface Question {
  readonly place: TurnPlace;
  readonly text: string;
  /** The turns before it. */
  readonly before: readonly Turn[];
  readonly settings: ChatSettings;
  /** The turn when it was cut off: it goes on from its tokens, with the settings that it had. */
  readonly from?: Turn;
}

/**
 * Asks the engine and shows the turn as it grows. What has streamed stays shown when the stream is stopped, at once, or
 * fails.
 * @throws R1Error what the engine throws
 */
export async function streamTurn(
  engine: Pick<EngineClient, "generate">,
  { place, text, before, settings, from }: Question,
  signal: AbortSignal,
  show: (turn: Turn) => void,
): Promise<void> {
  let turn = from ? resumed(from) : newTurn(place, text, settings.n, performance.now());
  let shownAt = performance.now();
  const update = (next: Turn): void => {
    turn = next;
    shownAt = performance.now();
    show(turn);
  };
  update(turn);
  const stop = (): void => update(stopped(turn));
  signal.addEventListener("abort", stop);
  try {
    const alternatives = settings.n <= MOST_INSPECTED ? ALTERNATIVES : 0;
    const call = {
      prompt: { messages: messagesOf(before, text) },
      options: { ...settings, alternatives },
      ...(from ? { said: from.replies.map(({ tokens }) => saidOf(tokens)) } : {}),
    };
    for await (const event of engine.generate(call, signal)) {
      const now = performance.now();
      turn = advance(turn, event, now);
      if (event.type !== "token" || now - shownAt >= SHOW_EVERY_MS) update(turn);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    update(stopped(turn));
  }
}

function saidOf(log: TokenLog): SaidToken[] {
  return log.flat().map(({ id, logprob, entropy }) => ({ id, logprob, entropy }));
}

/**
 * The conversation for the model: earlier thoughts are left out, as R1 was trained; so are questions that were never
 * answered. Where there were several samples, the picked one is what was said.
 */
export function messagesOf(turns: readonly Turn[], question: string): ChatMessage[] {
  const history = turns.flatMap(({ question: asked, replies, picked }): ChatMessage[] => {
    const answer = replies[picked]?.answer ?? "";
    if (answer === "") return [];
    return [
      { role: "user", content: asked },
      { role: "assistant", content: answer },
    ];
  });
  return [...history, { role: "user", content: question }];
}
