import { describe, expect, it } from "vitest";
import { isR1Error } from "../errors.ts";
import { hasData } from "../testing-data.ts";
import { buildPrompt } from "./chat.ts";
import type { Prompt, PromptRequest } from "./chat.ts";
import { stripThinking } from "./history.ts";
import { parseMessages } from "./messages.ts";
import type { ChatMessage } from "./messages.ts";
import { createLocalTemplateHost } from "./template-host.ts";
import { ChatTemplate } from "./template.ts";
import { readData, titleWithData } from "./testing/data.ts";
import { byteLevelTokenizer, IDS } from "./testing/tokenizers.ts";
import { tinyTokenizerConfig, tinyTokenizerJson } from "./tiny-tokenizer.ts";
import { createTokenizer } from "./tokenizer.ts";

/** R1's roles, with the thoughts of its replies left in, and no thought opened: as the oldest copies of its template. */
const OLD_TEMPLATE =
  "{{ bos_token }}{% for m in messages %}{% if m.role == 'assistant' %}<｜Assistant｜>{{ m.content }}{{ eos_token }}{% else %}<｜User｜>{{ m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}<｜Assistant｜>{% endif %}";

const { chat_template: TINY_TEMPLATE } = tinyTokenizerConfig();
const tiny = createTokenizer({ tokenizerJson: tinyTokenizerJson(), tokenizerConfig: tinyTokenizerConfig() });

/** A prompt of the tiny tokenizer, rendered in this thread; with its own template, which is as R1-Distill's. */
function prompt(
  messages: readonly ChatMessage[],
  options: Partial<PromptRequest> = {},
  template = TINY_TEMPLATE,
): Promise<Prompt> {
  const host = createLocalTemplateHost();
  return buildPrompt({ messages, template: new ChatTemplate(template), tokenizer: tiny, host, ...options });
}

describe("messages from JSON", () => {
  it("keeps role and content", () => {
    const json = [
      { role: "system", content: "" },
      { role: "user", content: "hi", name: "Ada" },
      { role: "assistant", content: "<think>\n</think>yes" },
    ];
    expect(parseMessages(json)).toEqual(json);
  });

  it.each([
    [{ role: "user", content: "hi" }, "messages is an object"],
    [[], "messages is empty"],
    [Array.from({ length: 1_001 }, () => ({ role: "user", content: "" })), "1001 entries"],
    [[null], "messages[0] is null"],
    [
      [
        { role: "user", content: "" },
        { role: "critic", content: "" },
      ],
      'messages[1].role is the string "critic"',
    ],
    [[{ role: "user", content: [{ type: "text" }] }], "messages[0].content[0].text is missing"],
    [[{ role: "user", content: 5 }], "messages[0].content is the number 5"],
    [[{ role: "user", content: "a".repeat(4_000_001) }], "4000001 characters"],
  ])("rejects what it should (%#)", (json, message) => {
    let caught: unknown;
    try {
      parseMessages(json);
    } catch (error) {
      caught = error;
    }
    expect(isR1Error(caught) && caught.code).toBe("E_MESSAGES");
    expect(isR1Error(caught) && caught.message).toContain(message);
  });
});

describe("history", () => {
  it("keeps what follows the last thought, as R1's template does", () => {
    expect(stripThinking("<think>\na\n</think>\n\n4")).toBe("\n\n4");
    expect(stripThinking("a</think>b</think>c")).toBe("c");
    expect(stripThinking("just 4")).toBe("just 4");
  });
});

describe("prompt", () => {
  const tokenizer = byteLevelTokenizer();
  const host = createLocalTemplateHost();
  const messages = [{ role: "user", content: "hello" }] as const;
  const old =
    "{{ bos_token }}<｜User｜>{{ messages[0].content }}{% if add_generation_prompt %}<｜Assistant｜>{% endif %}";

  it("holds BOS once, and the added tokens as single ids", async () => {
    const built = await buildPrompt({ messages, template: new ChatTemplate(old), tokenizer, host });
    expect(built.ids).toEqual([IDS.bos, IDS.user, tokenizer.idOf("hello"), IDS.assistant]);
    expect(built.text).toBe("<｜begin▁of▁sentence｜><｜User｜>hello<｜Assistant｜>");
    expect(built.startsInThink).toBe(false);
  });

  it("notices a template that opens the thought", async () => {
    const template = new ChatTemplate(`${old}{% if add_generation_prompt %}<think>\n{% endif %}`);
    expect((await buildPrompt({ messages, template, tokenizer, host })).startsInThink).toBe(true);
    const closed = await buildPrompt({ messages, template, tokenizer, host, addGenerationPrompt: false });
    expect(closed.ids.at(-1)).toBe(tokenizer.idOf("hello"));
    expect(closed.startsInThink).toBe(false);
  });

  it("hands further variables to the template", async () => {
    const template = new ChatTemplate("{{ mood }}");
    expect((await buildPrompt({ messages, template, tokenizer, host, extra: { mood: "hello" } })).text).toBe("hello");
  });

  it("says which part is missing", async () => {
    const template = new ChatTemplate(old);
    await expect(buildPrompt({ messages, template, tokenizer: undefined, host })).rejects.toMatchObject({
      code: "E_TOKENIZER_MISSING",
    });
    await expect(buildPrompt({ messages, template: undefined, tokenizer, host })).rejects.toMatchObject({
      code: "E_TEMPLATE_MISSING",
    });
  });
});

describe("earlier thoughts", () => {
  const messages: readonly ChatMessage[] = [
    { role: "user", content: "1+1?" },
    { role: "assistant", content: "<think>\none and one\n</think>\n\n2" },
    { role: "user", content: "2+2?" },
  ];
  const text =
    "<｜begin▁of▁sentence｜><｜User｜>1+1?<｜Assistant｜>\n\n2<｜end▁of▁sentence｜><｜User｜>2+2?<｜Assistant｜>";

  it("are left out by R1's template, and for a template of its family that keeps them", async () => {
    expect((await prompt(messages)).text).toBe(`${text}<think>\n`);
    expect((await prompt(messages, {}, OLD_TEMPLATE)).text).toBe(text);
  });

  it("stay where the template of another family keeps them", async () => {
    const other = "{% for m in messages %}<|im_start|>{{ m.content }}{% endfor %}";
    expect((await prompt(messages, {}, other)).text).toContain("one and one");
  });

  it("stay in a reply that is being continued", async () => {
    const continued = await prompt(messages.slice(0, 2), { addGenerationPrompt: false }, OLD_TEMPLATE);
    expect(continued.text).toContain("one and one");
  });
});

describe("prompt of a small tokenizer with R1's template", () => {
  const messages: readonly ChatMessage[] = [{ role: "user", content: "Wait" }];

  it("has text and ids, with BOS once", async () => {
    const { text, ids, startsInThink } = await prompt(messages);
    expect(text).toBe("<｜begin▁of▁sentence｜><｜User｜>Wait<｜Assistant｜><think>\n");
    const tokens = ["<｜begin▁of▁sentence｜>", "<｜User｜>", "Wait", "<｜Assistant｜>", "<think>", "Ċ"];
    expect(ids.map((id) => tiny.tokenOf(id))).toEqual(tokens);
    expect(startsInThink).toBe(true);
    expect((await prompt(messages, { addGenerationPrompt: false })).text).toBe("<｜begin▁of▁sentence｜><｜User｜>Wait");
  });

  it("opens the thought on request where the template does not", async () => {
    expect(await prompt(messages, {}, OLD_TEMPLATE)).toMatchObject({ startsInThink: false });
    const forced = await prompt(messages, { forceThink: true }, OLD_TEMPLATE);
    expect(forced).toEqual(await prompt(messages));
    expect(await prompt(messages, { forceThink: true })).toEqual(forced);
    const trained = await prompt(messages, { forceThink: true, addGenerationPrompt: false }, OLD_TEMPLATE);
    expect(trained.text).toBe("<｜begin▁of▁sentence｜><｜User｜>Wait");
    const closing = `${OLD_TEMPLATE}<think>\n{% if not enable_thinking %}</think>{% endif %}`;
    expect(await prompt(messages, {}, closing)).toMatchObject({ startsInThink: false });
    expect(await prompt(messages, { forceThink: true }, closing)).toEqual(forced);
  });

  it("gives a template the date", async () => {
    const now = new Date(2025, 0, 20).getTime();
    expect((await prompt([], { now }, "{{ strftime_now('%d %b %Y') }}")).text).toBe("20 Jan 2025");
  });

  it("says why a template refuses", async () => {
    const refused = prompt(messages, {}, "{{ raise_exception('roles must alternate') }}");
    const message = expect.stringContaining("roles must alternate") as string;
    await expect(refused).rejects.toMatchObject({ code: "E_TEMPLATE", message });
  });
});

const RENDERED = "chat-template/rendered.json";

describe.skipIf(!hasData(RENDERED))(titleWithData("real templates through a tokenizer", RENDERED), () => {
  interface Case {
    readonly template: string;
    readonly messages: ChatMessage[];
    readonly add_generation_prompt: boolean;
    readonly bos_token: string;
    readonly eos_token: string;
    readonly expected: string;
  }

  // R1's, Qwen's and Llama's alike: leaving out earlier thoughts changes none of them.
  it("render every case as Jinja2 does", async () => {
    const { templates, cases } = readData<{ readonly templates: Record<string, string>; readonly cases: Case[] }>(
      RENDERED,
    );
    expect(cases).toHaveLength(72);
    const now = new Date(2025, 6, 10).getTime();
    for (const {
      template,
      messages,
      add_generation_prompt: addGenerationPrompt,
      bos_token,
      eos_token,
      expected,
    } of cases) {
      const tokenizer = createTokenizer({
        tokenizerJson: tinyTokenizerJson(),
        tokenizerConfig: { bos_token, eos_token },
      });
      const { text } = await prompt(messages, { tokenizer, addGenerationPrompt, now }, templates[template]);
      expect(text, template).toBe(expected);
    }
  });
});
