import { describe, expect, it } from "vitest";
import { R1Error } from "../errors.ts";
import { hasData } from "../testing-data.ts";
import { strftime } from "./strftime.ts";
import { readData, titleWithData } from "./testing/data.ts";
import { createLocalTemplateHost } from "./template-host.ts";
import { ChatTemplate, findTemplate, MAX_TEMPLATE_CHARS, requireTemplate } from "./template.ts";
import type { RenderOptions } from "./template.ts";
import type { ChatMessage } from "./messages.ts";

const HELLO: readonly ChatMessage[] = [{ role: "user", content: "Hello" }];

async function render(source: string, options: Partial<RenderOptions> = {}, messages = HELLO): Promise<string> {
  const template = new ChatTemplate(source);
  const request = template.request(messages, { addGenerationPrompt: true, ...options });
  return (await createLocalTemplateHost().render(request)).text;
}

function failure(run: () => unknown): R1Error {
  try {
    run();
  } catch (error) {
    if (error instanceof R1Error) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("chat template", () => {
  it("renders messages, special tokens, the generation prompt and further variables", async () => {
    const source =
      "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m['content'] }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}<a>{% if deep %}<think>{% endif %}{% endif %}";
    expect(await render(source, { bosToken: "[B]", eosToken: "[E]" })).toBe("[B]<user>Hello[E]<a>");
    expect(await render(source, { extra: { deep: true }, addGenerationPrompt: true })).toBe("<user>Hello<a><think>");
    expect(await render(source, { addGenerationPrompt: false, extra: { messages: "overwritten" } })).toBe(
      "<user>Hello",
    );
  });

  it("trims blocks and strips the space in front of them, as transformers does", async () => {
    expect(await render("a\n  {% if true %}\nb\n  {% endif %}\nc\n")).toBe("a\nb\nc");
  });

  it("strips the characters that a template names, and white space where it names none", async () => {
    expect(await render("[{{ '\\n a \\n'.strip('\\n') }}][{{ 'xxayx'.lstrip('x') }}][{{ 'xayx'.rstrip('yx') }}]")).toBe(
      "[ a ][ayx][xa]",
    );
    expect(await render("[{{ ' a\\n'.strip() }}][{{ ' a '.strip(none) }}][{{ (' a ' + 'b ').rstrip(' ') }}]")).toBe(
      "[a][a][ a b]",
    );
  });

  it("gives the date in English", async () => {
    const now = new Date(2025, 6, 10, 5, 6, 7).getTime();
    expect(await render("{{ strftime_now('%d %b %Y') }}", { now })).toBe("10 Jul 2025");
    expect(strftime(new Date(now), "%A %a %B %y-%m-%d %H:%M:%S 100%% %Q")).toBe(
      "Thursday Thu July 25-07-10 05:06:07 100% %Q",
    );
  });

  it.each([
    ["its own message", "{{ raise_exception('roles must alternate') }}", "roles must alternate"],
    ["a syntax error", "{% if %}", "chat template: "],
    ["an unclosed block", "{% for m in messages %}", "chat template: "],
    ["a range beyond the sandbox's", "{{ range(100000000)|length }}", "range too big"],
    ["a range without end", "{{ range(0, 5, 0)|length }}", "step must not be zero"],
    ["deep nesting", "{{ " + "(".repeat(20_000) + "1" + ")".repeat(20_000) + " }}", "chat template: "],
  ])("reports %s", async (_, source, words) => {
    const message = expect.stringContaining(words) as string;
    await expect(render(source)).rejects.toMatchObject({ code: "E_TEMPLATE", message });
  });

  it("counts ranges as Python does", async () => {
    expect(
      await render(
        "{% for i in range(3) %}{{ i }}{% endfor %}|{% for i in range(7, 1, -3) %}{{ i }}{% endfor %}|{{ range(5, 1)|length }}",
      ),
    ).toBe("012|74|0");
  });

  it("has a largest size", async () => {
    expect(failure(() => new ChatTemplate("a".repeat(MAX_TEMPLATE_CHARS + 1))).code).toBe("E_TEMPLATE");
    expect(await render("a".repeat(MAX_TEMPLATE_CHARS))).toHaveLength(MAX_TEMPLATE_CHARS);
  });
});

describe("finding the template", () => {
  it("prefers the file, then the string, then the default of a list", () => {
    const named = [
      { name: "tool_use", template: "t" },
      { name: "default", template: "d" },
    ];
    expect(findTemplate({ chat_template: "c" }, "f")?.source).toBe("f");
    expect(findTemplate({ chat_template: "c" })?.source).toBe("c");
    expect(findTemplate({ chat_template: named })?.source).toBe("d");
    for (const config of [undefined, null, {}, { chat_template: null }, { chat_template: named.slice(0, 1) }]) {
      expect(findTemplate(config)).toBeUndefined();
    }
  });

  it.each([[{ chat_template: 5 }], [{ chat_template: [{ name: "default", template: 5 }] }], ["text"]])(
    "rejects %j",
    (config) => {
      const error = failure(() => findTemplate(config));
      expect(error.code).toBe("E_TEMPLATE");
      expect(error.message).toContain("tokenizer_config.json");
    },
  );

  it("says so when a checkpoint has none", () => {
    expect(failure(() => requireTemplate(undefined)).code).toBe("E_TEMPLATE_MISSING");
  });
});

const RENDERED = "chat-template/rendered.json";

describe.skipIf(!hasData(RENDERED))(titleWithData("real templates", RENDERED), () => {
  interface Case {
    template: string;
    conv: string;
    messages: ChatMessage[];
    add_generation_prompt: boolean;
    bos_token: string;
    eos_token: string;
    expected: string;
  }

  const { templates, cases } = hasData(RENDERED)
    ? readData<{ templates: Record<string, string>; cases: Case[] }>(RENDERED)
    : { templates: {}, cases: [] };

  it("are all there", () => {
    expect([Object.keys(templates).length, cases.length]).toEqual([12, 72]);
  });

  it.each(Object.keys(templates))("render as Jinja2 does: %s", async (name) => {
    const now = new Date(2025, 6, 10).getTime();
    const own = cases.filter(({ template }) => template === name);
    expect(own.length).toBeGreaterThan(0);
    for (const { messages, add_generation_prompt, bos_token, eos_token, expected, conv } of own) {
      const options = { addGenerationPrompt: add_generation_prompt, bosToken: bos_token, eosToken: eos_token, now };
      expect(await render(templates[name] ?? "", options, messages), conv).toBe(expected);
    }
  });
});
