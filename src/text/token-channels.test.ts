import { describe, expect, it } from "vitest";
import { StreamDecoder } from "./stream-decoder.ts";
import { byteLevelTokenizer, IDS } from "./testing/tokenizers.ts";
import { ChannelSplitter } from "./token-channels.ts";

describe("splitting tokens", () => {
  const tokenizer = byteLevelTokenizer();
  const { thinkStartId, thinkEndId } = tokenizer;

  function run(ids: readonly number[], startsInThink: boolean) {
    const decoder = new StreamDecoder(tokenizer, { skipSpecialTokens: true });
    const splitter = new ChannelSplitter({ startsInThink, thinkStartId, thinkEndId, stopIds: tokenizer.eosIds });
    const tokens = ids.map((id) => splitter.push(id, decoder.push(id)));
    return { tokens, result: splitter.result() };
  }

  it("takes the tags' ids as marks without text", () => {
    const { tokens, result } = run([...tokenizer.encode("hello</think>hello"), IDS.eos], true);
    expect(tokens.map(({ text, channel }) => [text, channel])).toEqual([
      ["hello", "think"],
      ["", "think"],
      ["hello", "answer"],
      ["", "answer"],
    ]);
    expect(tokens[1]?.events).toEqual([{ type: "mark", mark: "think-end" }]);
    expect(tokens[3]?.events).toEqual([{ type: "mark", mark: "end" }]);
    expect(result).toEqual({ think: "hello", answer: "hello" });
  });

  it("tells the channel of an id without its text", () => {
    const channels = (startsInThink: boolean) => {
      const splitter = new ChannelSplitter({ startsInThink, thinkStartId, thinkEndId, stopIds: [] });
      return [5, IDS.thinkStart, 5, IDS.thinkEnd, 5].map((id) => {
        const { channel, events } = splitter.push(id, "");
        return [channel, events.length > 0];
      });
    };
    expect(channels(false)).toEqual([
      ["answer", false],
      ["think", true],
      ["think", false],
      ["think", true],
      ["answer", false],
    ]);
    expect(channels(true)[0]).toEqual(["think", false]);
  });

  it("lets the output open its thought itself", () => {
    const { tokens, result } = run(tokenizer.encode("\n<think>hello</think>\nhello"), false);
    expect(tokens[1]).toMatchObject({ text: "", channel: "think" });
    expect(result).toEqual({ think: "hello", answer: "\nhello" });
  });

  it("keeps text that only looks like a tag when ids mark the thought", () => {
    const { result } = run(
      "</think>".split("").flatMap((char) => tokenizer.encode(char)),
      true,
    );
    expect(result).toEqual({ think: "</think>", answer: "" });
  });

  it("gives a character that a tag or the end broke off to the channel it stood in", () => {
    const part = tokenizer.encode("日").slice(0, 1);
    const { tokens, result } = run([...part, IDS.thinkEnd, ...tokenizer.encode("hello")], true);
    expect(tokens[1]).toMatchObject({ text: "\uFFFD", channel: "think" });
    expect(result).toEqual({ think: "\uFFFD", answer: "hello" });
    const splitter = new ChannelSplitter({ startsInThink: false, stopIds: [IDS.eos] });
    expect(splitter.push(IDS.eos, "\uFFFD")).toMatchObject({ text: "\uFFFD", channel: "answer" });
    expect(splitter.push(IDS.eos, "<｜end▁of▁sentence｜>").text).toBe("");
  });

  it("finds answer tags spread over tokens, and gives out what waited when the output stops", () => {
    const text = "</think> <answer>4</answer>";
    expect(run(tokenizer.encode(text), true).result).toEqual({ think: "", answer: "4" });
    expect(run(tokenizer.encode("</think>4 <ans"), true).result).toEqual({ think: "", answer: "4 <ans" });
    expect(run([...tokenizer.encode("</think>4 <ans"), IDS.eos], true).tokens.at(-1)?.text).toBe("<ans");
  });

  it("finds the tags in the text where they are no single tokens", () => {
    const splitter = new ChannelSplitter({ startsInThink: false, stopIds: [] });
    const tokens = ["<th", "ink>", "why</", "think>so"].map((piece, id) => splitter.push(id, piece));
    expect(tokens.map(({ text, channel }) => [text, channel])).toEqual([
      ["", "answer"],
      ["", "think"],
      ["why", "think"],
      ["so", "answer"],
    ]);
    expect(splitter.result()).toEqual({ think: "why", answer: "so" });
  });
});
