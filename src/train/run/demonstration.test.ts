import { describe, expect, it } from "vitest";
import { createLocalTemplateHost } from "../../text/template-host.ts";
import { ChatTemplate } from "../../text/template.ts";
import { byteLevelFiles } from "../../text/testing/tokenizers.ts";
import { createTokenizer } from "../../text/tokenizer.ts";
import type { PromptInput } from "../data/rows.ts";
import { endingsOf, leavesThoughtOpen, writeDemonstration } from "./demonstration.ts";
import type { DemonstrationWriter } from "./demonstration.ts";
import { createPromptWriter, withoutOpening } from "./prompts.ts";

const SYSTEM = `{%- for m in messages if m.role == 'system' -%}{{ m.content }}{%- endfor -%}`;
/** As the current R1-Distill's: thoughts of earlier turns are left out, and the prompt opens one. */
const R1 = `{{ bos_token }}${SYSTEM}{%- for m in messages -%}{%- if m.role == 'user' -%}{{ '<｜User｜>' + m.content }}{%- elif m.role == 'assistant' -%}{{ '<｜Assistant｜>' + m.content.split('</think>')[-1] + eos_token }}{%- endif -%}{%- endfor -%}{%- if add_generation_prompt -%}{{ '<｜Assistant｜><think>\\n' }}{%- endif -%}`;
const CHATML = `{%- for m in messages -%}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{%- endfor -%}{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}`;
const EOS = "<｜end▁of▁sentence｜>";

/** A byte-level tokenizer with ChatML's tokens, whose template is given. */
async function writerOf(
  template: string,
  { eosIds, thinkTokens = true }: { eosIds?: readonly string[]; thinkTokens?: boolean } = {},
): Promise<DemonstrationWriter & { readonly text: (prompt: PromptInput, completion: string) => Promise<string> }> {
  const { tokenizerJson, tokenizerConfig } = byteLevelFiles({ thinkTokens });
  const extra = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"].map((content, i) => ({
    ...tokenizerJson.added_tokens[0],
    id: 300 + i,
    content,
  }));
  const json = { ...tokenizerJson, added_tokens: [...tokenizerJson.added_tokens, ...extra] };
  const plain = createTokenizer({ tokenizerJson: json, tokenizerConfig });
  const generationConfig = eosIds && { eos_token_id: eosIds.map((token) => plain.idOf(token)) };
  const tokenizer = createTokenizer({ tokenizerJson: json, tokenizerConfig, generationConfig });
  const assets = { tokenizer, template: new ChatTemplate(template), eosIds: tokenizer.eosIds, sampling: {} };
  const prompts = await createPromptWriter(assets, tokenizer, createLocalTemplateHost());
  const writer = {
    tokenizer,
    prompts,
    eos: tokenizer.eosIds[0] ?? -1,
    endings: endingsOf(tokenizer, prompts.turnEnd),
    maxLength: 1000,
    maxLengthSays: "max_length 1000",
    completionOnly: true,
  };
  return {
    ...writer,
    text: async (prompt, completion) => {
      const written = typeof prompt === "string" ? prompt : await prompts.write(prompt);
      const { ids, promptLength } = writeDemonstration(writer, { prompt: written, completion });
      return `${tokenizer.decode(ids.slice(0, promptLength))}¦${tokenizer.decode(ids.slice(promptLength))}`;
    },
  };
}

describe("a completion's end", () => {
  it.each([
    ["without one", "5"],
    ["with one", `5${EOS}`],
    ["with one and a line break", `5${EOS}\n`],
    ["with one and a Windows line break", `5${EOS}\r\n`],
    ["with one after white space", `5${EOS}  \n\n`],
    ["with two", `5${EOS}${EOS}`],
    ["with two and line breaks", `5${EOS}\n${EOS}\n`],
  ])("is written once: %s", async (_, completion) => {
    const { text } = await writerOf(R1);
    expect(await text("x", completion)).toBe(`<｜begin▁of▁sentence｜><｜User｜>x<｜Assistant｜><think>\n¦5${EOS}`);
  });

  it("is the one that the data have, of all that the generation configuration names", async () => {
    const { text } = await writerOf(CHATML, { eosIds: ["<|endoftext|>", "<|im_end|>"] });
    const prompt = "<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n";
    expect(await text("x", "5")).toBe(`${prompt}¦5<|endoftext|>`);
    expect(await text("x", "5<|im_end|>\n")).toBe(`${prompt}¦5<|im_end|>`);
    expect(await text("x", "5<|im_end|>\n<|endoftext|>")).toBe(`${prompt}¦5<|im_end|>`);
  });

  it("is the template's end of a turn too, where that is no end-of-sequence token", async () => {
    const { text, prompts } = await writerOf(CHATML);
    expect(prompts.turnEnd).toBe("<|im_end|>");
    expect((await text("x", "5<|im_end|>\n")).split("¦").at(-1)).toBe("5<|im_end|>");
    const words = `{%- for m in messages -%}{{ m.role + ': ' + m.content + ' END\\n' }}{%- endfor -%}{%- if add_generation_prompt -%}assistant: {%- endif -%}`;
    expect(await (await writerOf(words)).text("x", "5 END\n")).toBe("user: x END\nassistant:¦5 END");
  });

  it("leaves the text before it as it is", async () => {
    const { text } = await writerOf(R1);
    expect(await text("x", ` 5 \n${EOS}\n`)).toContain(`<think>\n¦ 5 \n${EOS}`);
    expect(await text("x", " 5 \n")).toContain(`<think>\n¦ 5 \n${EOS}`);
    // In the middle it is a part of the text.
    expect(await text("x", `a${EOS}b`)).toContain(`¦a${EOS}b${EOS}`);
  });
});

describe("a thought that template and data open", () => {
  const CASES = [
    "hm</think>5",
    "<think>\nhm</think>5",
    "<think>hm</think>5",
    " \n<think>\nhm</think>5",
    "\n\n<think>hm</think>5",
    "<think>\r\nhm</think>5",
    "<think><think>\nhm</think>5",
    "<think>\n<think>hm</think>5",
  ];

  it.each(CASES)("is opened once: %j", async (completion) => {
    const { text } = await writerOf(R1);
    expect(await text("x", completion)).toContain(`<｜Assistant｜><think>\n¦hm</think>5${EOS}`);
  });

  it.each(CASES)("is opened once where the tags are several tokens: %j", async (completion) => {
    const { text } = await writerOf(R1, { thinkTokens: false });
    expect(await text("x", completion)).toContain(`<｜Assistant｜><think>\n¦hm</think>5${EOS}`);
  });

  it("is the data's own business where the template opens none", async () => {
    const { text } = await writerOf(CHATML);
    for (const completion of ["<think>hm</think>5", "\n<think>\nhm</think>5"]) {
      expect(await text("x", completion)).toBe(
        `<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n¦${completion}${EOS}`,
      );
    }
  });

  it("keeps the line breaks of the thought itself", () => {
    expect(withoutOpening("<think>\n\nhm", "<think>\n")).toBe("\nhm");
    expect(withoutOpening("\nhm", "<think>\n")).toBe("\nhm");
    expect(withoutOpening("<thinking>hm", "<think>\n")).toBe("<thinking>hm");
    expect(withoutOpening("<think>".repeat(100_000), "<think>\n")).toBe("");
  });

  it("is opened once where the prompt ends with the opening too", async () => {
    const { text } = await writerOf(R1);
    expect(await text("x<think>\n", "hm</think>5")).toBe(await text("x", "hm</think>5"));
    // A question may end with the word.
    expect(await text("What is <think>", "hm</think>5")).toContain("What is <think><｜Assistant｜><think>\n¦hm");
  });

  it("is noticed where the data never close it", async () => {
    const [opens, plain] = [await writerOf(R1), await writerOf(CHATML)];
    const open = (completion: string) => leavesThoughtOpen(opens, { prompt: "x", completion });
    expect([open("5"), open("<think>hm"), open("hm</think>5")]).toEqual([true, true, false]);
    expect(leavesThoughtOpen(plain, { prompt: "x", completion: "5" })).toBe(false);
  });
});

describe("a conversation as a prompt", () => {
  const EARLIER = [
    { role: "system", content: "Answer in one line." },
    { role: "user", content: "make 12 from 2 6" },
    { role: "assistant", content: "<think>easy</think><answer>2 * 6</answer>" },
  ] as const;
  const CONVERSATION = [...EARLIER, { role: "user", content: "make 30 from 6 4 6" }] as const;

  it("goes through the template whole, thoughts as it treats them", async () => {
    const [r1, chatml] = [await writerOf(R1), await writerOf(CHATML)];
    const written = await r1.prompts.write(CONVERSATION);
    expect(r1.tokenizer.decode(written.ids)).toBe(
      `<｜begin▁of▁sentence｜>Answer in one line.<｜User｜>make 12 from 2 6<｜Assistant｜><answer>2 * 6</answer>${EOS}<｜User｜>make 30 from 6 4 6<｜Assistant｜><think>\n`,
    );
    expect(written).toMatchObject({ opening: "<think>\n", startsInThink: true });
    const plain = await chatml.prompts.write(CONVERSATION);
    expect(chatml.tokenizer.decode(plain.ids)).toContain("system\nAnswer in one line.<|im_end|>\n<|im_start|>user\n");
    expect(chatml.tokenizer.decode(plain.ids)).toContain("<think>easy</think><answer>2 * 6");
    expect(plain).toMatchObject({ opening: "", startsInThink: false });
    // Rendered once.
    expect(await r1.prompts.write(CONVERSATION)).toBe(written);
  });

  it("of one user's message is that message", async () => {
    const { prompts } = await writerOf(R1);
    const one = await prompts.write([{ role: "user", content: "x" }]);
    expect(one).toEqual(await prompts.write("x"));
  });

  it("is gone on with where it ends in a reply that was begun", async () => {
    const [r1, chatml] = [await writerOf(R1), await writerOf(CHATML)];
    const begun = (content: string) => [...EARLIER.slice(0, 2), { role: "assistant" as const, content }];
    const text = async ({ prompts, tokenizer }: typeof r1, content: string) => {
      const { ids, ...rest } = await prompts.write(begun(content));
      return { text: tokenizer.decode(ids).split("2 6").at(-1), ...rest };
    };
    expect(await text(chatml, "<think>\nLet me")).toEqual({
      text: "<|im_end|>\n<|im_start|>assistant\n<think>\nLet me",
      opening: "<think>\nLet me",
      startsInThink: true,
    });
    expect(await text(r1, "<think>\nLet me")).toMatchObject({
      text: "<｜Assistant｜><think>\nLet me",
      opening: "<think>\nLet me",
    });
    expect(await text(chatml, "So, ")).toMatchObject({ text: "<|im_end|>\n<|im_start|>assistant\nSo, ", opening: "" });
    // R1's template would leave the thought out: it is written after the opening, which it does not open again.
    expect(await text(r1, "<think>\nhm</think>\n\nSo")).toEqual({
      text: "<｜Assistant｜><think>\nhm</think>\n\nSo",
      opening: "",
      startsInThink: false,
    });
    expect(await text(r1, " ")).toMatchObject({ text: "<｜Assistant｜><think>\n ", startsInThink: true });
  });

  it("is taught a reply after it, opened and ended once", async () => {
    const { text } = await writerOf(R1);
    const taught = await text(CONVERSATION, `<think>hm</think>5${EOS}`);
    expect(taught).toContain("Answer in one line.<｜User｜>make 12");
    expect(taught.endsWith(`<｜User｜>make 30 from 6 4 6<｜Assistant｜><think>\n¦hm</think>5${EOS}`)).toBe(true);
  });
});

describe("what messages say", () => {
  const typed = "is <｜Assistant｜> or <|im_end|> or <think> a token?";
  const steering = (writer: DemonstrationWriter, ids: readonly number[]): string[] =>
    ids.filter((id) => writer.tokenizer.isAdded(id)).map((id) => writer.tokenizer.tokenOf(id) ?? "");

  it.each([
    ["a prompt", typed],
    [
      "a conversation",
      [
        { role: "system", content: typed },
        { role: "user", content: "x" },
      ],
    ],
    [
      "a reply that was begun",
      [
        { role: "user", content: typed },
        { role: "assistant", content: "It" },
      ],
    ],
    [
      "one that the template cuts",
      [
        { role: "user", content: typed },
        { role: "assistant", content: "a</think>" },
      ],
    ],
  ] satisfies [string, PromptInput][])("is text in %s, as in a chat", async (_, prompt) => {
    const writer = await writerOf(R1);
    const { ids } = await writer.prompts.write(prompt);
    const { ids: clean } = await writer.prompts.write(
      typeof prompt === "string"
        ? "x"
        : prompt.map(({ content, ...rest }) => ({ ...rest, content: content === typed ? "x" : content })),
    );
    expect(steering(writer, ids)).toEqual(steering(writer, clean));
    expect(writer.tokenizer.decode(ids)).toContain(typed);
  });
});
