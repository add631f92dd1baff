import { ChannelCollector } from "./channels.ts";
import type { Channel, ChannelEvent, ChannelTexts } from "./channels.ts";
import { THINK_END, THINK_START } from "./tags.ts";
import { TextChannelSplitter } from "./text-channels.ts";

export interface ChannelOptions {
  /** The prompt ended inside a thought: see `promptOpensThink`. */
  readonly startsInThink: boolean;
  /** Ids of the tags; without both, the tags are looked for in the text. */
  readonly thinkStartId?: number | undefined;
  readonly thinkEndId?: number | undefined;
  /** Tokens that end the output, which have no text. */
  readonly stopIds: readonly number[];
}

/** What one token says. */
export interface TokenText {
  /** Empty for tags, stop tokens, and text that may yet turn out to begin a tag. */
  readonly text: string;
  /** Where the text belongs; for a token without text, where the token stands (a thought's tags are in the thought). */
  readonly channel: Channel;
  /** The same in full: a token can end one channel and begin the next. */
  readonly events: readonly ChannelEvent[];
}

/**
 * Splits generated tokens into channels. Where the tags of a thought are single tokens, their ids alone mark it, and
 * text that merely looks like a tag stays text; `<answer>` tags are found in the text.
 */
export class ChannelSplitter {
  readonly #options: ChannelOptions;
  readonly #byId: boolean;
  readonly #splitter: TextChannelSplitter;
  readonly #collector: ChannelCollector;

  constructor(options: ChannelOptions) {
    const { startsInThink, thinkStartId, thinkEndId } = options;
    this.#options = options;
    this.#byId = thinkStartId !== undefined && thinkEndId !== undefined;
    this.#splitter = new TextChannelSplitter({ startsInThink, thinkTags: !this.#byId });
    this.#collector = new ChannelCollector(startsInThink);
  }

  get channel(): Channel {
    return this.#splitter.channel;
  }

  /** @param piece what `StreamDecoder.push` gave for the token */
  push(id: number, piece: string): TokenText {
    const before = this.channel;
    return this.#say(before, this.#events(id, piece));
  }

  /**
   * Gives out text that still waits for the rest of a tag, when the output ended without a stop token.
   * @param rest what `StreamDecoder.flush` gave
   */
  flush(rest = ""): TokenText {
    const before = this.channel;
    return this.#say(before, [...this.#splitter.push(rest), ...this.#splitter.flush()]);
  }

  /** Texts of the channels; flushes first. */
  result(): ChannelTexts {
    this.flush();
    return this.#collector.texts();
  }

  #say(before: Channel, events: readonly ChannelEvent[]): TokenText {
    this.#collector.push(events);
    const said = events.filter((event) => event.type === "text");
    const opens = events.some((event) => event.type === "mark" && event.mark === "think-start");
    return {
      text: said.map(({ text }) => text).join(""),
      channel: said[0]?.channel ?? (opens ? "think" : before),
      events,
    };
  }

  #events(id: number, piece: string): ChannelEvent[] {
    const { stopIds, thinkStartId, thinkEndId } = this.#options;
    // A tag's or stop token's piece may begin with U+FFFD for a character that the tokens before it left incomplete.
    if (this.#byId && id === thinkStartId) {
      return [...this.#splitter.push(withoutTag(piece, THINK_START)), ...this.#splitter.mark("think-start")];
    }
    if (this.#byId && id === thinkEndId) {
      return [...this.#splitter.push(withoutTag(piece, THINK_END)), ...this.#splitter.mark("think-end")];
    }
    if (stopIds.includes(id)) {
      const broken = /^\uFFFD*/.exec(piece)?.[0] ?? "";
      return [...this.#splitter.push(broken), ...this.#splitter.mark("end")];
    }
    return this.#splitter.push(piece);
  }
}

function withoutTag(piece: string, tag: string): string {
  return piece.endsWith(tag) ? piece.slice(0, -tag.length) : piece;
}
