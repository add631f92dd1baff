import { describe, expect, it } from "vitest";
import { promptOpensThink } from "./channels.ts";
import { byteLevelTokenizer, wordLevelTokenizer } from "./testing/tokenizers.ts";

describe("whether a prompt opens the thought", () => {
  const tokenizer = byteLevelTokenizer();
  const spelled = byteLevelTokenizer({ thinkTokens: false });

  it.each([
    ["<｜User｜>hi<｜Assistant｜><think>\n", true],
    ["<｜User｜>hi<｜Assistant｜><think>\nI'm", true],
    ["<｜User｜>hi<｜Assistant｜>", false],
    ["<think>\n</think>\n\n", false],
    ["<｜User｜>What is <think>?<｜Assistant｜>", false],
    ["<｜User｜>What is </think>?<｜Assistant｜><think>\n", true],
    ["", false],
  ])("%j: %s", (prompt, expected) => {
    expect(promptOpensThink(tokenizer.encode(prompt), tokenizer)).toBe(expected);
  });

  it("is told by ids alone where both tags have one, added tokens or not", () => {
    const words = wordLevelTokenizer(["<think>", "</think>", "<｜Assistant｜>"]);
    expect([words.thinkStartId, words.thinkEndId, words.isAdded(0)]).toEqual([0, 1, false]);
    expect(promptOpensThink([0, 2], words)).toBe(true);
    expect(promptOpensThink([0, 1, 2], words)).toBe(false);
    expect(promptOpensThink([2], words)).toBe(false);
  });

  it("looks at the text where only one of the tags is a single token", () => {
    const words = wordLevelTokenizer(["<think>", "so", "</think>."]);
    expect(words.thinkEndId).toBeUndefined();
    expect(promptOpensThink([0, 1], words)).toBe(true);
    expect(promptOpensThink([0, 1, 2], words)).toBe(false);
  });

  it("looks at the text where the tags are no single tokens", () => {
    expect(spelled.thinkEndId).toBeUndefined();
    expect(promptOpensThink(spelled.encode("hello<think>hello"), spelled)).toBe(true);
    expect(promptOpensThink(spelled.encode("<think></think>"), spelled)).toBe(false);
  });
});
