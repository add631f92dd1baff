import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitThought, taggedAnswer } from "../../text/split.ts";
import { StreamDecoder } from "../../text/stream-decoder.ts";
import { createLocalTemplateHost } from "../../text/template-host.ts";
import { ChatTemplate } from "../../text/template.ts";
import { createTokenizer } from "../../text/tokenizer.ts";
import { NANO_WORDS, nanoTokenizerConfig, nanoTokenizerJson } from "./nano-tokenizer.ts";

const tokenizer = createTokenizer({ tokenizerJson: nanoTokenizerJson(), tokenizerConfig: nanoTokenizerConfig() });

/** The text of each token. */
const pieces = (text: string): string[] => tokenizer.encode(text).map((id) => tokenizer.decode([id]));

describe("nano tokenizer", () => {
  it("has its words, then the bytes of UTF-8, then the added tokens with R1's flags", () => {
    const { model, added_tokens } = nanoTokenizerJson();
    expect(model.vocab).toHaveLength(NANO_WORDS.length + 243);
    expect(new Set(model.vocab.map(([piece]) => piece)).size).toBe(model.vocab.length);
    expect(tokenizer.vocabSize).toBe(model.vocab.length + 8);
    expect(tokenizer.encode(" 0 1 99")).toEqual([0, 1, 99]);
    expect(added_tokens.filter(({ special }) => special).map(({ content }) => content)).toEqual([
      "<｜end▁of▁sentence｜>",
      "<｜begin▁of▁sentence｜>",
    ]);
    expect(tokenizer.eosIds).toEqual([tokenizer.idOf("<｜end▁of▁sentence｜>")]);
    expect(tokenizer.bosId).toBe(tokenizer.idOf("<｜begin▁of▁sentence｜>"));
    expect([tokenizer.thinkStartId, tokenizer.thinkEndId]).not.toContain(undefined);
    expect(nanoTokenizerJson()).toEqual(nanoTokenizerJson());
  });

  it("writes each number, operator and word as one token, space included", () => {
    expect(pieces("9 * 3 = 27 - 4 = 23 ;")).toEqual(["9", " *", " 3", " =", " 27", " -", " 4", " =", " 23", " ;"]);
    for (const [id, word] of NANO_WORDS.entries()) expect(tokenizer.encode(word), word).toEqual([id]);
    expect(pieces("<think>\n 12</think><answer> 12</answer>")).toEqual([
      "<think>",
      "\n",
      " 12",
      "</think>",
      "<answer>",
      " 12",
      "</answer>",
    ]);
    expect(pieces("ケンはりんごを 12個ずつ")).toEqual(["ケン", "は", "りんご", "を", " 12", "個", "ずつ"]);
  });

  it("writes any text and returns it, all at once or token by token", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const ids = tokenizer.encode(text);
        const wellFormed = new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text));
        expect(tokenizer.decode(ids)).toBe(wellFormed);
        const decoder = new StreamDecoder(tokenizer);
        expect(ids.map((id) => decoder.push(id)).join("") + decoder.flush()).toBe(wellFormed);
      }),
    );
  });

  it("gives Hugging Face's library the same ids and text", () => {
    const library = new LibraryTokenizer(nanoTokenizerJson(), nanoTokenizerConfig());
    for (const text of ["make 23 from 4 3 9", " 9 * 3 = 27 ; ok</think><answer> 9 * 3</answer>", "héllo 275 👋 日本"]) {
      const ids = tokenizer.encode(text);
      expect(library.encode(text, { add_special_tokens: false }).ids).toEqual(ids);
      expect(library.encode(text).ids).toEqual([tokenizer.bosId, ...ids]);
      expect(library.decode(ids)).toBe(text);
    }
  });

  it("opens a thought as R1-Distill's template does, in a text whose thought and answer come apart", async () => {
    const { chat_template, bos_token: bosToken, eos_token: eosToken } = nanoTokenizerConfig();
    const request = new ChatTemplate(chat_template).request([{ role: "user", content: "make 23 from 4 3 9" }], {
      addGenerationPrompt: true,
      bosToken,
      eosToken,
    });
    const { text: prompt } = await createLocalTemplateHost().render(request);
    expect(pieces(prompt)).toEqual([
      "<｜begin▁of▁sentence｜>",
      "<｜User｜>",
      "make",
      " 23",
      " from",
      " 4",
      " 3",
      " 9",
      "<｜Assistant｜>",
      "<think>",
      "\n",
    ]);
    const completion = tokenizer.decode(tokenizer.encode(" 9 * 3 = 27 ; ok</think><answer> 9 * 3</answer>"));
    expect(tokenizer.encode(prompt + completion)).toEqual([
      ...tokenizer.encode(prompt),
      ...tokenizer.encode(completion),
    ]);
    expect(splitThought(completion, { startsInThink: true })).toMatchObject({
      think: " 9 * 3 = 27 ; ok",
      closed: true,
    });
    expect(taggedAnswer(completion)).toBe(" 9 * 3");
  });
});
