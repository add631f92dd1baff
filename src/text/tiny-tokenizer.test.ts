import { describe, expect, it } from "vitest";
import { hasData } from "../testing-data.ts";
import type { ChatMessage } from "./messages.ts";
import { createLocalTemplateHost } from "./template-host.ts";
import { ChatTemplate } from "./template.ts";
import { readData, titleWithData } from "./testing/data.ts";
import { tinyTokenizerConfig, tinyTokenizerJson } from "./tiny-tokenizer.ts";
import { createTokenizer } from "./tokenizer.ts";

describe("tiny tokenizer", () => {
  const tokenizer = createTokenizer({ tokenizerJson: tinyTokenizerJson(), tokenizerConfig: tinyTokenizerConfig() });

  it("has 256 bytes, its merges, and R1's added tokens with R1's flags", () => {
    const { model, added_tokens } = tinyTokenizerJson();
    expect(tokenizer.vocabSize).toBe(256 + model.merges.length + 6);
    expect(added_tokens.filter(({ special }) => special).map(({ content }) => content)).toEqual([
      "<｜end▁of▁sentence｜>",
      "<｜begin▁of▁sentence｜>",
    ]);
    for (const word of ["Wait", "ĠWait", "the", "<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"]) {
      expect(tokenizer.idOf(word), word).toBeDefined();
    }
    expect(tokenizer.encode("Wait")).toHaveLength(1);
    expect(tokenizer.encode("12")).toHaveLength(2);
    expect([tokenizer.bosToken, tokenizer.eosIds]).toEqual(["<｜begin▁of▁sentence｜>", [added_tokens[0]?.id]]);
  });

  it("reaches every merge, and gives a new object each time", () => {
    const { model } = tinyTokenizerJson();
    for (const merge of model.merges) {
      const [left = "", right = ""] = merge.split(" ");
      expect([model.vocab[left], model.vocab[right], model.vocab[left + right]]).not.toContain(undefined);
    }
    expect(tinyTokenizerJson()).toEqual(tinyTokenizerJson());
    expect(tinyTokenizerJson().model.vocab).not.toBe(model.vocab);
  });
});

const RENDERED = "chat-template/rendered.json";
const REAL = "r1-distill-qwen-14b derived";

describe.skipIf(!hasData(RENDERED))(titleWithData("tiny template", RENDERED), () => {
  it("renders as R1-Distill's current one", async () => {
    const host = createLocalTemplateHost();
    interface Data {
      readonly templates: Record<string, string>;
      readonly conversations: unknown;
      readonly cases: readonly { readonly messages: ChatMessage[] }[];
    }
    const { templates, cases } = readData<Data>(RENDERED);
    const real = Object.entries(templates).find(([name]) => name.startsWith(REAL))?.[1] ?? "";
    const { chat_template, bos_token: bosToken, eos_token: eosToken } = tinyTokenizerConfig();
    const twoSystems: ChatMessage[] = [
      { role: "system", content: "first" },
      { role: "system", content: "last" },
    ];
    for (const messages of [...cases.map((one) => one.messages), twoSystems, []]) {
      for (const addGenerationPrompt of [true, false]) {
        const options = { addGenerationPrompt, bosToken, eosToken };
        const expected = await host.render(new ChatTemplate(real).request(messages, options));
        expect(expected.text.startsWith(bosToken)).toBe(true);
        expect(await host.render(new ChatTemplate(chat_template).request(messages, options))).toEqual(expected);
      }
    }
  });
});
