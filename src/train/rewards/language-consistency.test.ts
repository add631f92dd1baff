import { describe, expect, it } from "vitest";
import { LANGUAGES, languageShare } from "./language-consistency.ts";
import { item, scoreOne } from "./testing.ts";
import { SENTENCES } from "./testing-languages.ts";

describe.each(LANGUAGES)("a sentence in %s", (language) => {
  const others = LANGUAGES.filter((other) => other !== language);

  it.each(SENTENCES[language])("is in it and in no other: %j", (sentence) => {
    expect(Array.from(sentence).length).toBeGreaterThanOrEqual(10);
    expect(languageShare(sentence, language)).toBeGreaterThan(0.8);
    for (const other of others) expect(languageShare(sentence, other), other).toBeLessThan(0.2);
  });
});

describe("languageShare", () => {
  it("does not tell what both languages write alike: it is not English, and else it is left out", () => {
    for (const text of ["東京大阪", "北京大学", "1 + 1 = 二"]) {
      expect(languageShare(text, "en"), text).toBe(0);
      expect(languageShare(text, "ja"), text).toBeNull();
      expect(languageShare(text, "zh"), text).toBeNull();
    }
    expect(languageShare("東京大阪 one two", "ja")).toBe(0);
    expect(languageShare("1 + 1 = 2", "ja")).toBe(1);
    const columns = { language: "ja" };
    expect(scoreOne("language_consistency", item({ completion: "<think>東京大阪</think>", columns }))).toBeNull();
  });

  it("takes what a sentence leaves open for the language of the others", () => {
    expect(languageShare("今日は晴れです。東京大阪。", "ja")).toBe(1);
    expect(languageShare("今天天气很好。北京大学。", "zh")).toBe(1);
  });

  it("tells the languages of a mixed thought apart, sentence by sentence", () => {
    const mixed = "まず二つの数を足します。\n首先，我们把两个数加起来。";
    const [ja, zh] = [languageShare(mixed, "ja") ?? 0, languageShare(mixed, "zh") ?? 0];
    expect(ja).toBeGreaterThan(0.3);
    expect(zh).toBeGreaterThan(0.3);
    expect(ja + zh).toBeCloseTo(1, 12);
    // A word that is quoted is in its own language.
    const quoted = languageShare("日语里的「ありがとう」是感谢的意思，我们常常用它。", "ja") ?? 0;
    expect(quoted).toBeGreaterThan(0);
    expect(quoted).toBeLessThan(0.4);
  });

  it("leaves code, formulas and variables out", () => {
    expect(languageShare("`let total = 0` と $\\alpha$ と \\(x\\) と \\[ y \\] です", "ja")).toBe(1);
    expect(languageShare("x と y を足す", "ja")).toBe(1);
    expect(languageShare("x+y=10, x-y=4 なので x=7 だ。", "ja")).toBe(1);
    expect(languageShare("n-k 个数，a-b-c 的值", "zh")).toBe(1);
    expect(languageShare("a well-known x-ray, I'd say", "en")).toBe(1);
    expect(languageShare("I have a pen", "en")).toBe(1);
    expect(languageShare("これは $5 と $6 です", "ja")).toBe(1);
    // A mark belongs to its word.
    expect(languageShare("cafe\u0301 cre\u0300me", "en")).toBe(1);
  });

  it.each([
    ["zh", "zh"],
    ["zh-CN", "zh"],
    ["zh_Hant_TW", "zh"],
    ["JA-jp", "ja"],
    ["en-US", "en"],
    ["fr", null],
    ["zhx", null],
    [7, null],
  ])("takes the column %j for %j", (language, wanted) => {
    const completion = "<think>这个问题的答案是四十二。</think>";
    const score = scoreOne("language_consistency", item({ completion, columns: { language } }));
    expect(score).toBe(wanted === null ? null : Number(wanted === "zh"));
  });

  it.each(["あ", "这", "漢字かな交じり文", "\\(", "\\[x", "$a", "``", "a-", "ﾃﾞ", "\u3099"])(
    "takes time and memory in proportion to a text of nothing but %j",
    (part) => {
      const text = part.repeat(Math.ceil(100_000 / part.length));
      const before = process.memoryUsage().rss;
      const started = performance.now();
      languageShare(text, "ja");
      expect(performance.now() - started).toBeLessThan(5_000);
      expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
    },
  );
});
