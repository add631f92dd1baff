import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OutputSplitter } from "./output.ts";
import type { OutputPart } from "./output.ts";
import { splitThought } from "./split.ts";
import { tinyTokenizerConfig, tinyTokenizerJson } from "./tiny-tokenizer.ts";
import { byteLevelTokenizer } from "./testing/tokenizers.ts";
import { createTokenizer } from "./tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

const tokenizer = createTokenizer({ tokenizerJson: tinyTokenizerJson(), tokenizerConfig: tinyTokenizerConfig() });
/** The same bytes and merges, but the tags of a thought are several tokens. */
const spelled = byteLevelTokenizer({ thinkTokens: false });

function run(
  from: Tokenizer,
  ids: readonly number[],
  startsInThink: boolean,
): { parts: OutputPart[]; splitter: OutputSplitter } {
  const splitter = new OutputSplitter(from, { startsInThink });
  const parts = [...ids.flatMap((id) => splitter.push(id)), ...splitter.flush()];
  return { parts, splitter };
}

function joined(parts: readonly OutputPart[], channel: string): string {
  return parts.map((part) => (part.channel === channel ? part.text : "")).join("");
}

describe("a sample's output", () => {
  it.each([
    ["single tokens", tokenizer],
    ["several tokens each", spelled],
  ])("is split by tags that are %s", (_, from) => {
    const text = "Wait 👋</think>\n\n4 <answer>5</answer>";
    const { parts, splitter } = run(from, from.encode(text), true);
    expect(joined(parts, "think")).toBe("Wait 👋");
    expect(joined(parts, "answer")).toBe("\n\n4 5");
    expect(splitter.text).toBe(text);
    expect(splitter.result()).toEqual({ think: "Wait 👋", answer: "5" });
  });

  it("may open its thought itself", () => {
    const { parts } = run(tokenizer, tokenizer.encode("<think>a</think>b"), false);
    expect(parts).toEqual([
      { text: "a", channel: "think" },
      { text: "b", channel: "answer" },
    ]);
  });

  it("says where each token stands", () => {
    const splitter = new OutputSplitter(tokenizer, { startsInThink: false });
    const ids = tokenizer.encode("<think>a</think>b");
    const channels = ids.map((id) => {
      splitter.push(id);
      return splitter.channel;
    });
    expect(channels).toEqual(["think", "think", "think", "answer"]);
  });

  it("gives the bytes of a broken character to the channel that the tag ends", () => {
    const broken = tokenizer.encode("日").slice(0, 2);
    const ids = [...broken, ...tokenizer.encode("</think>"), ...tokenizer.encode("日"), ...broken];
    const { parts, splitter } = run(tokenizer, ids, true);
    expect(joined(parts, "think")).toBe("\uFFFD");
    expect(joined(parts, "answer")).toBe("日\uFFFD");
    expect(splitter.text).toBe("\uFFFD</think>日\uFFFD");
  });

  it("gives out a held back beginning of a tag at the end, and no text for the stop token", () => {
    const { parts, splitter } = run(tokenizer, tokenizer.encode("</think>4 <ans<｜end▁of▁sentence｜>"), true);
    expect(joined(parts, "answer")).toBe("4 <ans");
    expect(splitter.text).toBe("</think>4 <ans");
  });

  it("has no text without a tokenizer", () => {
    const splitter = new OutputSplitter(undefined, { startsInThink: true });
    expect([splitter.push(5), splitter.flush(), splitter.channel, splitter.text]).toEqual([[], [], "think", ""]);
  });

  it("loses nothing: the parts are the text without its tags, for any text", () => {
    const part = fc.oneof(
      fc.constantFrom("</think>", "Wait", "👋", "\n"),
      fc.string({ unit: "grapheme", maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), fc.constantFrom(tokenizer, spelled), (texts, from) => {
        const text = texts.join("").normalize("NFC");
        const { parts, splitter } = run(from, from.encode(text), true);
        expect(splitter.text).toBe(text);
        const end = text.indexOf("</think>");
        expect(joined(parts, "think")).toBe(end < 0 ? text : text.slice(0, end));
        const [, ...answer] = text.split("</think>");
        // By id, a later tag is a token and not text; in text, it is quoted.
        const between = from === tokenizer ? "" : "</think>";
        expect(joined(parts, "answer")).toBe(answer.join(between));
        if (from === spelled) expect(splitter.result()).toMatchObject(textsOf(text));
      }),
      { numRuns: 300 },
    );
  });
});

function textsOf(text: string): { think: string; answer: string } {
  const { think, answer } = splitThought(text, { startsInThink: true });
  return { think, answer };
}
