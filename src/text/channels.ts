import { THINK_END, THINK_START } from "./tags.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** The two voices of a reasoning model: its thought, and what it says to the reader. */
export type Channel = "think" | "answer";

/** A tag that was taken out of the text, or the end of the output. */
export type Mark = "think-start" | "think-end" | "answer-start" | "answer-end" | "end";

export type ChannelEvent =
  | { readonly type: "text"; readonly channel: Channel; readonly text: string }
  | { readonly type: "mark"; readonly mark: Mark };

/** Text of the channels so far. */
export interface ChannelTexts {
  readonly think: string;
  readonly answer: string;
}

/**
 * Whether a prompt leaves the model inside a thought, as R1's current template makes it (`<think>\n`), and older copies
 * do not: its last `<think>` is not yet closed. Where both tags are single tokens their ids tell, and an added token that
 * follows, such as a role name, shows that the `<think>` was only quoted in a message; otherwise the text tells.
 */
export function promptOpensThink(promptIds: readonly number[], tokenizer: Tokenizer): boolean {
  const { thinkStartId, thinkEndId } = tokenizer;
  if (thinkStartId === undefined || thinkEndId === undefined) {
    const text = tokenizer.decode(promptIds);
    return text.lastIndexOf(THINK_START) > text.lastIndexOf(THINK_END);
  }
  const last = promptIds.findLast((id) => id === thinkStartId || id === thinkEndId || tokenizer.isAdded(id));
  return last === thinkStartId;
}

/**
 * Adds up events to the texts of a whole output. Three things can only be known later than they were said:
 * - white space before `<think>` belongs to no channel;
 * - a `</think>` without any opening ends a thought that the prompt opened unnoticed: what came before was the thought;
 * - where `<answer>` tags are used, the answer is what stands inside them (the last ones).
 * Nothing else is trimmed: a newline after `</think>` belongs to the answer, as R1's chat template also leaves it.
 */
export class ChannelCollector {
  #think = "";
  #answer = "";
  #opened: boolean;
  #answerClosed = false;

  constructor(startsInThink: boolean) {
    this.#opened = startsInThink;
  }

  push(events: readonly ChannelEvent[]): void {
    for (const event of events) {
      if (event.type === "mark") this.#mark(event.mark);
      else if (event.channel === "think") this.#think += event.text;
      else if (!this.#answerClosed) this.#answer += event.text;
    }
  }

  texts(): ChannelTexts {
    return { think: this.#think, answer: this.#answer };
  }

  #mark(mark: Mark): void {
    if (mark === "think-start") {
      if (this.#think.trim() === "") this.#think = "";
      if (this.#answer.trim() === "") this.#answer = "";
      this.#opened = true;
    } else if (mark === "think-end" && !this.#opened) {
      this.#think = this.#answer;
      this.#answer = "";
      this.#opened = true;
    } else if (mark === "answer-start") {
      this.#answer = "";
      this.#answerClosed = false;
    } else if (mark === "answer-end") this.#answerClosed = true;
  }
}
