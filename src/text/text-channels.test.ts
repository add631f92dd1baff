import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChannelEvent, ChannelTexts } from "./channels.ts";
import { cut } from "./testing/cut.ts";
import { TextChannelSplitter } from "./text-channels.ts";

function eventsOf(pieces: readonly string[], startsInThink: boolean): ChannelEvent[] {
  const splitter = new TextChannelSplitter({ startsInThink });
  return [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.flush()];
}

/** Both channels' text, as a reader who only joins deltas sees them. */
function joined(list: readonly ChannelEvent[]): ChannelTexts {
  const of = (channel: string) =>
    list.map((event) => (event.type === "text" && event.channel === channel ? event.text : "")).join("");
  return { think: of("think"), answer: of("answer") };
}

describe("splitting text into channels", () => {
  it("says the same however the text is cut, and loses nothing but tags", () => {
    const part = fc.oneof(
      fc.constantFrom("<think>", "</think>", "<answer>", "</answer>", "<", "</", "<thi", "\n", " ", "so"),
      fc.string({ maxLength: 4 }),
    );
    const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.boolean(), fc.integer({ min: 1, max: 9 }), (value, open, size) => {
        const whole = eventsOf([value], open);
        const pieces = eventsOf(cut(value, size), open);
        const marks = (list: readonly ChannelEvent[]) => list.filter((event) => event.type === "mark");
        expect(joined(pieces)).toEqual(joined(whole));
        expect(marks(pieces)).toEqual(marks(whole));
        const tags = {
          "think-start": "<think>",
          "think-end": "</think>",
          "answer-start": "<answer>",
          "answer-end": "</answer>",
          end: "",
        };
        expect(whole.map((event) => (event.type === "text" ? event.text : tags[event.mark])).join("")).toBe(value);
      }),
      { numRuns: 2_000 },
    );
  });

  it("gives text out at once unless it may begin a tag", () => {
    const splitter = new TextChannelSplitter({ startsInThink: true });
    expect(joined(splitter.push("two < three")).think).toBe("two < three");
    expect(joined(splitter.push(" and </th")).think).toBe(" and ");
    expect(splitter.held).toBe("</th");
    expect(joined(splitter.push("e end")).think).toBe("</the end");
  });
});
