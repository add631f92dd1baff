import type { Channel, ChannelEvent, Mark } from "./channels.ts";
import { ANSWER_END, ANSWER_START, THINK_END, THINK_START } from "./tags.ts";

export interface TextChannelOptions {
  /** The prompt ended inside a thought, so the output has no opening tag. */
  readonly startsInThink: boolean;
  /** False when token ids mark the thought: the tags are then ordinary text, and `mark` says where they are. */
  readonly thinkTags?: boolean;
}

const MARK_OF_TAG: ReadonlyMap<string, Mark> = new Map([
  [THINK_START, "think-start"],
  [THINK_END, "think-end"],
  [ANSWER_START, "answer-start"],
  [ANSWER_END, "answer-end"],
]);

/**
 * Splits text into channels as it arrives, in pieces of any size; a piece that may be the beginning of a tag waits for
 * the rest. What the events say does not depend on how the text was cut.
 *
 * No character is dropped but the tags themselves. A tag counts only where it has a meaning: `<think>` before the first
 * thought (or at the very start of one that the prompt opened already), `</think>` once per thought, `<answer>` (R1-Zero)
 * outside a thought and `</answer>` after it. Elsewhere it is text, such as a tag quoted in the answer.
 */
export class TextChannelSplitter {
  readonly #thinkTags: boolean;
  #channel: Channel;
  #held = "";
  #thoughtEnded = false;
  #inAnswerTag = false;
  /** Only white space came since the channel began. */
  #blank = true;

  constructor({ startsInThink, thinkTags = true }: TextChannelOptions) {
    this.#channel = startsInThink ? "think" : "answer";
    this.#thinkTags = thinkTags;
  }

  get channel(): Channel {
    return this.#channel;
  }

  /** A thought has been closed. */
  get thoughtEnded(): boolean {
    return this.#thoughtEnded;
  }

  /** Text that waits because it may begin a tag; shorter than the longest tag. */
  get held(): string {
    return this.#held;
  }

  push(piece: string): ChannelEvent[] {
    const text = this.#held + piece;
    this.#held = "";
    const events: ChannelEvent[] = [];
    let from = 0;
    let at = text.indexOf("<");
    while (at >= 0) {
      this.#see(text.slice(from, at));
      const tags = this.#tags();
      const tag = tags.find((candidate) => text.startsWith(candidate, at));
      const mark = tag === undefined ? undefined : MARK_OF_TAG.get(tag);
      if (tag !== undefined && mark !== undefined) {
        this.#say(events, text.slice(from, at));
        events.push(this.#enter(mark));
        from = at + tag.length;
        at = text.indexOf("<", from);
        continue;
      }
      const rest = text.slice(at);
      if (tags.some((candidate) => candidate.startsWith(rest))) {
        this.#held = rest;
        this.#say(events, text.slice(from, at));
        return events;
      }
      this.#see("<");
      at = text.indexOf("<", at + 1);
    }
    this.#say(events, text.slice(from));
    return events;
  }

  /** Gives out what waits: no more text will come, or none that belongs to it. */
  flush(): ChannelEvent[] {
    const events: ChannelEvent[] = [];
    this.#say(events, this.#held);
    this.#held = "";
    return events;
  }

  /** Takes a tag that came as a token id. */
  mark(mark: Mark): ChannelEvent[] {
    return [...this.flush(), this.#enter(mark)];
  }

  /** Tags that have a meaning here. */
  #tags(): readonly string[] {
    if (this.#channel === "think") {
      if (!this.#thinkTags) return [];
      return this.#blank ? [THINK_START, THINK_END] : [THINK_END];
    }
    const answer = this.#inAnswerTag ? ANSWER_END : ANSWER_START;
    if (!this.#thinkTags) return [answer];
    if (!this.#thoughtEnded) return [THINK_START, THINK_END, answer];
    return this.#blank ? [THINK_START, answer] : [answer];
  }

  #enter(mark: Mark): ChannelEvent {
    if (mark === "think-start") this.#channel = "think";
    if (mark === "think-end") {
      this.#channel = "answer";
      this.#thoughtEnded = true;
    }
    this.#inAnswerTag = mark === "answer-start";
    this.#blank = mark !== "answer-start" && mark !== "answer-end";
    return { type: "mark", mark };
  }

  #say(events: ChannelEvent[], text: string): void {
    if (text === "") return;
    this.#see(text);
    events.push({ type: "text", channel: this.#channel, text });
  }

  #see(text: string): void {
    if (this.#blank && text.trim() !== "") this.#blank = false;
  }
}
