import type { RenderedTemplate } from "./render-template.ts";
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
 * Whether a template leaves the model inside a thought, as R1's current one does (`<think>\n`), and older copies do not.
 * Only what the template writes after the last message tells: tags in a question, a system message or an earlier reply
 * are text. An added token after the tag, such as a role name, shows that the tag was only mentioned.
 * @param continues the last message is a reply that the model goes on with, and tells as well
 */
export function generationOpensThink(
  { text, spans }: RenderedTemplate,
  tokenizer: Tokenizer,
  continues = false,
): boolean {
  const tail = text.slice((continues ? spans.at(-2) : spans.at(-1)) ?? 0);
  const start = tail.lastIndexOf(THINK_START);
  if (start < 0 || tail.lastIndexOf(THINK_END) > start) return false;
  return !tokenizer.encode(tail.slice(start + THINK_START.length)).some((id) => tokenizer.isAdded(id));
}

/**
 * The same of a prompt that comes as ids. Where both tags are single tokens these tell, and an added token that follows
 * shows that a tag was only quoted in a message; otherwise the text after the last added token does.
 */
export function promptOpensThink(promptIds: readonly number[], tokenizer: Tokenizer): boolean {
  const { thinkStartId, thinkEndId } = tokenizer;
  if (thinkStartId === undefined || thinkEndId === undefined) {
    const turn = promptIds.findLastIndex((id) => tokenizer.isAdded(id));
    const text = tokenizer.decode(promptIds.slice(turn + 1));
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
