import { describe, expect, it } from "vitest";
import { Expression, matchingBudget } from "./expression.ts";

const Q0 = "model.layers.0.self_attn.q_proj";
const matches = (source: string, name: string): boolean => new Expression(source, matchingBudget()).matches(name);

// As published trainers write them; the results are Python's.
const UNSLOTH = String.raw`(?:.*?(?:language|text).*?(?:self_attn|attention|attn|mlp|feed_forward|ffn|dense).*?(?:k_proj|v_proj|q_proj|out_proj|gate_proj|up_proj|o_proj|down_proj).*?)|(?:\bmodel\.layers\.[\d]{1,}\.(?:self_attn|attention|attn|mlp|feed_forward|ffn|dense)\.(?:(?:k_proj|v_proj|q_proj|o_proj|gate_proj|up_proj|down_proj)))`;
const SWIFT = String.raw`^(model(?=\.).*\.(q_proj|up_proj))$`;

describe("an expression of Python's", () => {
  it.each([
    [String.raw`model\.layers\.\d+\.(self_attn|mlp)\.(q_proj|up_proj)`, Q0, true],
    [String.raw`model\.layers\.\d+\.(self_attn|mlp)\.(k_proj|up_proj)`, Q0, false],
    [UNSLOTH, Q0, true],
    [UNSLOTH, "lm_head", false],
    [SWIFT, Q0, true],
    ["q_proj", Q0, false],
    [".*q_proj", Q0, true],
    [".*[qv]_proj$", Q0, true],
    [".*[^q]_proj", Q0, false],
    [".*[k-q]_proj", Q0, true],
    ["^(?!.*self_attn).*proj", Q0, false],
    [String.raw`.*layers\.(?P<layer>[0-3])\..*q_proj`, Q0, true],
    [String.raw`.*\.\d{2}\..*`, Q0, false],
    [String.raw`.*\.\d{1,2}\.\w+\.q_proj`, Q0, true],
    [String.raw`.*\.1{0}0{,1}\..*`, Q0, true],
    [String.raw`\A.*?\Bproj\Z`, Q0, true],
    [String.raw`.*[\w.]*[]_]proj`, Q0, true],
    ["q{x}", "q{x}", true],
    ["", "", true],
    ["|q", "q", true],
  ])("%s on %s: %s", (source, name, expected) => {
    expect(matches(source, name)).toBe(expected);
  });

  it("of a pattern's key matches from a dot on", () => {
    const from = (source: string, name = Q0): boolean => new Expression(source, matchingBudget()).matchesFromDot(name);
    expect(from("q_proj")).toBe(true);
    expect(from("_proj")).toBe(false);
    expect(from(String.raw`layers\.[0-3]\..*`)).toBe(true);
    expect(from("k_proj|q_proj")).toBe(true);
    expect(from("^self_attn.q_proj")).toBe(false);
    expect(from("^model.*q_proj")).toBe(true);
  });

  it.each([
    ["(q", "the end within a group"],
    ["q)", "an unbalanced )"],
    ["[q", "the end within a class"],
    ["*q", "nothing to repeat"],
    ["q**", "double repetition"],
    ["q++", "possessive"],
    ["(q{2,1})", "the wrong way round"],
    [String.raw`(q)\1`, "backreference"],
    ["(?i)q_proj", "(?i"],
    ["(?<=self_attn.)q_proj", "(?<="],
    ["(?>q)", "(?>"],
    ["(?(1)q|k)", "(?("],
    [String.raw`\q`, String.raw`\q`],
    ["q\\", "after a backslash"],
    ["[z-a]", "bad range"],
    ["(".repeat(80) + ")".repeat(80), "nested"],
    ["q".repeat(9000), "9000 characters"],
  ])("refuses %s", (source, problem) => {
    expect(() => new Expression(source, matchingBudget())).toThrow(problem);
  });

  it.each([
    "(a+)+$",
    "(.*)*x",
    `${"(".repeat(30)}.*${")*".repeat(30)}x`,
    "(.*.*.*.*.*.*)*x",
    "((?=(.*)*x).*)*x",
    "(.?){1000000}x",
  ])("takes bounded time with %s", (source) => {
    const names = Array.from({ length: 200 }, (_, i) => `model.layers.${i}.self_attn.${"a".repeat(12)}`);
    const started = performance.now();
    const budget = matchingBudget();
    try {
      const expression = new Expression(source, budget);
      for (const name of names) expect(expression.matches(name)).toBe(false);
    } catch (error) {
      expect(error).toMatchObject({ name: "ExpressionError", message: "it takes too many steps to match" });
    }
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
