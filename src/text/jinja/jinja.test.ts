import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { renderTemplate } from "../render-template.ts";
import type { RenderedTemplate, TemplateRequest } from "../render-template.ts";

/**
 * Templates, and what Jinja2 3.1.6 makes of them as transformers configures it (null for an error): with these messages,
 * `tools` and `documents` None, `add_generation_prompt` true, `<s>` and `</s>`, and the clock at 2025-07-10 05:06:07.
 */
const CASES = JSON.parse(readFileSync(join(import.meta.dirname, "cases.json"), "utf8")) as [string, string | null][];

/** Whole chat templates, conversations with calls and parts, and what Jinja2 makes of each pair in the same way. */
const FAMILIES = JSON.parse(readFileSync(join(import.meta.dirname, "families.json"), "utf8")) as {
  readonly templates: Readonly<Record<string, string>>;
  readonly conversations: Readonly<Record<string, { readonly messages: TemplateRequest["messages"] }>>;
  readonly cases: readonly [template: string, conversation: string, rendered: string | null][];
};

const MESSAGES = [
  { role: "system", content: "Be brief." },
  { role: "user", content: " Hello, *world*! " },
  { role: "assistant", content: "<think>\nhm\n</think>\n\nHi <b>'you'</b>" },
  { role: "user", content: "2 + 2 = ?\nüñí 👋" },
];

function request(template: string): TemplateRequest {
  return {
    template,
    messages: MESSAGES,
    addGenerationPrompt: true,
    bosToken: "<s>",
    eosToken: "</s>",
    now: new Date(2025, 6, 10, 5, 6, 7).getTime(),
  };
}

function rendered(template: string, messages: TemplateRequest["messages"] = MESSAGES): RenderedTemplate {
  const result = renderTemplate({ ...request(template), messages });
  if (!result.ok) throw new Error(result.message);
  return result;
}

/** The parts that messages say, joined with bars. */
function said({ text, spans }: RenderedTemplate): string {
  const parts: string[] = [];
  for (let i = 0; i < spans.length; i += 2) parts.push(text.slice(spans[i], spans[i + 1]));
  return parts.join("|");
}

describe("templates", () => {
  it("render as Jinja2 renders them", () => {
    expect(CASES.length).toBeGreaterThan(800);
    const wrong = CASES.flatMap(([template, wanted]) => {
      const result = renderTemplate(request(template));
      const found = result.ok ? result.text : null;
      return found === wanted ? [] : [{ template, wanted, found: result }];
    });
    expect(wrong).toEqual([]);
  });

  it.each(FAMILIES.cases)("write whole conversations as Jinja2 does: %s, %s", (name, conversation, wanted) => {
    const { messages = [] } = FAMILIES.conversations[conversation] ?? {};
    const result = renderTemplate({ ...request(FAMILIES.templates[name] ?? ""), messages });
    expect(result.ok ? result.text : null).toBe(wanted);
  });

  it("keep white space that JavaScript and Python see differently", () => {
    expect(rendered("[{{ '\ufeffa\ufeff'.strip() }}]").text).toBe("[\ufeffa\ufeff]");
    expect(rendered("[{{ '\x1ca\x85'|trim }}]").text).toBe("[a]");
  });

  it.each([
    ["a power", "{{ 10 ** 9999999 }}"],
    ["a text", "{{ 'a' * 999999999999 }}"],
    ["a list", "{{ [1] * 999999999999 }}"],
    ["a width", "{{ '%999999999d' % 1 }}"],
    ["a doubling", "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}"],
    ["nesting", "{{ " + "[".repeat(50_000) + "]".repeat(50_000) + " }}"],
    ["recursion", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"],
    ["tags", "{% if 1 %}".repeat(20_000) + "{% endif %}".repeat(20_000)],
    ["signs", `{{ ${"-".repeat(50_000)}1 }}`],
    ["tabs", "{{ ('\\t' * 1000).expandtabs(10 ** 9) }}"],
  ])("that only serve to stop the machine are refused in a sentence: %s", (_, template) => {
    const result = renderTemplate(request(template));
    expect(result).toMatchObject({ ok: false });
    expect(result).not.toMatchObject({ message: expect.stringMatching(/call stack|Invalid string/) });
  });

  it("that escape HTML are refused by name", () => {
    const result = renderTemplate(request("{% autoescape true %}{{ '<' }}{% endautoescape %}"));
    expect(result).toMatchObject({ ok: false, message: expect.stringContaining("autoescape") });
  });
});

describe("what messages say", () => {
  it.each([
    ["as it is", "<u>{{ messages[0].content }}</u>{{ eos_token }}", "Be brief."],
    ["trimmed", "{{ messages[1]['content'] | trim }}!", "Hello, *world*!"],
    ["split", "{{ messages[2].content.split('</think>')[-1].lstrip('\\n') + eos_token }}", "Hi <b>'you'</b>"],
    ["cut", "[{{ messages[0].content[3:][::-1] }}]", ".feirb"],
    ["replaced in", "{{ messages[0].content.replace('brief', '<|brief|>') }}", "Be |."],
    ["changed in case", "{{ messages[0].content | upper ~ messages[0].content.title() }}", "BE BRIEF.Be Brief."],
    ["joined", "{{ messages | map(attribute='content') | join('<sep>') | truncate(12, true, '…', 0) }}", "Be brief."],
    ["as JSON", "{{ messages[0] | tojson }}", "Be brief."],
    ["printed with its list", "{{ [messages[0].content, 'x'] }}", "Be brief."],
    [
      "formatted",
      "{{ '%s<|im_end|>' % messages[0].content }}{{ '<{}>'.format(messages[0].content) }}",
      "Be brief.|Be brief.",
    ],
    ["captured", "{% set x %}<b>{{ messages[0].content }}{% endset %}{{ x | indent(2, true) }}", "Be brief."],
    ["through a macro", "{% macro m(c) %}<{{ c }}>{% endmacro %}{{ m(messages[0].content) | trim('<') }}", "Be brief."],
    ["letter by letter", "{% for c in messages[0].content %}{{ c }}{% endfor %}", "Be brief."],
    [
      "in links",
      "{{ messages[0].content | replace('Be brief', 'www.' ~ messages[0].content[:2] ~ '.com') | urlize }}",
      "Be|Be|.",
    ],
    ["none of it", "{% if messages[0].content %}<|system|>{% endif %}{{ messages[0].role }}", ""],
  ])("is told from the template's words: %s", (_, template, words) => {
    expect(said(rendered(template))).toBe(words);
  });

  it("is told in time that grows with the text, in however many parts", () => {
    const template =
      "{% set t = (messages[0].content ~ '-') * 4000 %}{{ t[::-1] }}{{ t | title }}{{ t.split('-') | join('\n') | indent }}";
    const begun = performance.now();
    expect(rendered(template, [{ role: "user", content: "ab" }]).spans.length).toBeGreaterThan(8_000);
    expect(performance.now() - begun).toBeLessThan(3_000);
  });

  it("is also what names the arguments of a call", () => {
    const call = { function: { name: "f", arguments: { "<|end|>": { "<|tool|>": 1 } } } };
    const messages = [{ role: "assistant", content: "", tool_calls: [call] }];
    for (const template of [
      "{{ messages[0].tool_calls[0].function.arguments | tojson }}",
      "{{ messages[0].tool_calls[0].function.arguments }}",
      "{% for k, v in messages[0].tool_calls[0].function.arguments.items() %}{{ k }}={{ v }}{% endfor %}",
      "{% for k, v in messages[0].tool_calls[0].function.arguments | dictsort %}{{ k ~ v }}{% endfor %}",
    ]) {
      expect(said(rendered(template, messages))).toBe("<|end|>|<|tool|>");
    }
  });

  it("is every field but the role, in whatever it is nested", () => {
    const call = { type: "function", function: { name: "f", arguments: { x: "<|end|>" } } };
    const messages = [{ role: "assistant", content: null, name: "Ada", tool_calls: [call] }];
    const template =
      "{{ messages[0].role }}:{{ messages[0].name }}{{ messages[0].tool_calls[0].function.arguments.x }}";
    expect(said(rendered(template, messages))).toBe("Ada<|end|>");
  });
});
