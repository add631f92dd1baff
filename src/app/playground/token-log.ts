import type { TokenEvent } from "../../engine/protocol.ts";

/** What the page keeps of a token. */
export type TokenInfo = Pick<
  TokenEvent,
  "id" | "text" | "channel" | "logprob" | "entropy" | "forced" | "alternatives" | "piece"
>;

/**
 * A reply's tokens in pieces of {@link PIECE}: adding one copies the last piece and the list of pieces, never all tokens,
 * and a piece that is full is drawn once.
 */
export type TokenLog = readonly (readonly TokenInfo[])[];

export const PIECE = 64;

export function addToLog(log: TokenLog, event: TokenEvent): TokenLog {
  const { id, text, channel, logprob, entropy, forced, alternatives, piece } = event;
  const token: TokenInfo = {
    id,
    text,
    channel,
    logprob,
    entropy,
    ...(forced ? { forced } : {}),
    ...(alternatives ? { alternatives } : {}),
    ...(piece === undefined ? {} : { piece }),
  };
  const last = log.at(-1);
  return last && last.length < PIECE ? [...log.slice(0, -1), [...last, token]] : [...log, [token]];
}

export function tokenAt(log: TokenLog, index: number): TokenInfo | undefined {
  return log[Math.floor(index / PIECE)]?.[index % PIECE];
}

export function logLength(log: TokenLog): number {
  return log.length === 0 ? 0 : (log.length - 1) * PIECE + (log.at(-1)?.length ?? 0);
}
