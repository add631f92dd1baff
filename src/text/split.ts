import { ChannelCollector } from "./channels.ts";
import type { ChannelEvent, ChannelTexts } from "./channels.ts";
import { TextChannelSplitter } from "./text-channels.ts";

export interface SplitOptions {
  /** The prompt ended inside a thought, so that the text has no opening tag. */
  readonly startsInThink: boolean;
}

/** A whole output, split. */
export interface ThoughtSplit extends ChannelTexts {
  /** The thought has ended: an output cut off inside it is not closed, nor is one without a thought. */
  readonly closed: boolean;
}

/**
 * Splits text that has no token ids: a recorded trace, a conversation's history, a vocabulary without tag tokens. Text is
 * never trimmed: the newlines beside a tag stay with their channel. `<answer>` tags (R1-Zero) belong to neither.
 */
export function splitThought(text: string, options: SplitOptions): ThoughtSplit {
  const splitter = new TextSplitter(options);
  splitter.push(text);
  splitter.flush();
  return splitter.result();
}

/**
 * The same split, streaming, in pieces of any size; what may yet become a tag waits. Joined, what `push` and `flush` give
 * is the same however the text was cut, and equals `result()` but for what only later text can tell (see
 * `ChannelCollector`): white space before an opening tag, a thought that nothing opened, text around an `<answer>`.
 */
export class TextSplitter {
  readonly #splitter: TextChannelSplitter;
  readonly #collector: ChannelCollector;

  constructor({ startsInThink }: SplitOptions) {
    this.#splitter = new TextChannelSplitter({ startsInThink });
    this.#collector = new ChannelCollector(startsInThink);
  }

  /** @returns what the piece adds to each channel */
  push(piece: string): ChannelTexts {
    return this.#take(this.#splitter.push(piece));
  }

  /** @returns what waited for the rest of a tag, when no more text will come */
  flush(): ChannelTexts {
    return this.#take(this.#splitter.flush());
  }

  /** Everything so far; what still waits is not in it. */
  result(): ThoughtSplit {
    return { ...this.#collector.texts(), closed: this.#splitter.thoughtEnded };
  }

  #take(events: readonly ChannelEvent[]): ChannelTexts {
    this.#collector.push(events);
    const texts = { think: "", answer: "" };
    for (const event of events) if (event.type === "text") texts[event.channel] += event.text;
    return texts;
  }
}

/**
 * The answer of R1-Zero's format: what stands inside `<answer>…</answer>`, untrimmed, the last pair if there are several.
 * Tags inside a thought are not an answer.
 * @returns undefined when no pair is complete
 */
export function taggedAnswer(text: string): string | undefined {
  let found: string | undefined;
  let open: string | undefined;
  for (const event of new TextChannelSplitter({ startsInThink: false }).push(text)) {
    if (event.type === "text") {
      if (open !== undefined) open += event.text;
    } else if (event.mark === "answer-start") open = "";
    else if (event.mark === "answer-end") {
      found = open;
      open = undefined;
    } else if (event.mark === "think-end") {
      // All before it was a thought, opened by the prompt or by the text.
      found = undefined;
      open = undefined;
    }
  }
  return found;
}
