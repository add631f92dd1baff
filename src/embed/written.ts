import type { Reply } from "../app/playground/turn.ts";
import type { EmbedToken } from "./protocol.ts";

type Texts = Pick<Reply, "think" | "answer">;

const CHANNELS = ["think", "answer"] as const;

/** What replies hold that they did not hold before. Texts only grow while they stream. */
export function writtenSince(before: readonly Texts[], after: readonly Texts[]): readonly EmbedToken[] {
  return after.flatMap((reply, sample) =>
    CHANNELS.flatMap((channel) => {
      const known = before[sample]?.[channel] ?? "";
      const text = reply[channel].startsWith(known) ? reply[channel].slice(known.length) : "";
      return text === "" ? [] : [{ sample, channel, text }];
    }),
  );
}
