import type { Channel, ChannelTexts } from "./channels.ts";
import { StreamDecoder } from "./stream-decoder.ts";
import { ChannelSplitter } from "./token-channels.ts";
import type { TokenText } from "./token-channels.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A piece of output for a reader. */
export interface OutputPart {
  readonly text: string;
  readonly channel: Channel;
}

export interface OutputOptions {
  /** The prompt ended inside a thought: what `buildPrompt` says, or `promptOpensThink`. */
  readonly startsInThink: boolean;
  /** Tokens that end the output, which have no text; the tokenizer's by default. */
  readonly stopIds?: readonly number[];
}

/**
 * One sample's output: token ids in, text by channel out. A character's bytes are held back until it is complete, and
 * text that may begin a tag until that is decided; both go to the channel they stood in when a tag ends it. The tags of a
 * thought are known by their ids where these are single tokens, otherwise by their text.
 */
export class OutputSplitter {
  readonly #decoder: StreamDecoder | undefined;
  readonly #splitter: ChannelSplitter;
  #text = "";
  #channel: Channel;

  /** @param tokenizer without one, no token has text, and none ends a thought */
  constructor(tokenizer: Tokenizer | undefined, { startsInThink, stopIds }: OutputOptions) {
    this.#decoder = tokenizer && new StreamDecoder(tokenizer, { skipSpecialTokens: true });
    this.#splitter = new ChannelSplitter({
      startsInThink: startsInThink,
      thinkStartId: tokenizer?.thinkStartId,
      thinkEndId: tokenizer?.thinkEndId,
      stopIds: stopIds ?? tokenizer?.eosIds ?? [],
    });
    this.#channel = this.#splitter.channel;
  }

  /** Where the last pushed token stands, whether it gave text or not; the tags of a thought are in the thought. */
  get channel(): Channel {
    return this.#channel;
  }

  /** Everything that was written so far, tags included, special tokens not. */
  get text(): string {
    return this.#text;
  }

  /** @returns the text that is now certain, in order; nothing for a tag or a part of a character */
  push(id: number): OutputPart[] {
    const piece = this.#decoder?.push(id) ?? "";
    this.#text += piece;
    const said = this.#splitter.push(id, piece);
    this.#channel = said.channel;
    return partsOf(said);
  }

  /** @returns what waited; an incomplete character becomes U+FFFD */
  flush(): OutputPart[] {
    const rest = this.#decoder?.flush() ?? "";
    this.#text += rest;
    return partsOf(this.#splitter.flush(rest));
  }

  /** Texts of the channels so far, put right where only later text could tell (see `ChannelCollector`); flushes first. */
  result(): ChannelTexts {
    this.flush();
    return this.#splitter.result();
  }
}

function partsOf({ events }: TokenText): OutputPart[] {
  return events.flatMap((event) => (event.type === "text" ? [{ text: event.text, channel: event.channel }] : []));
}
