import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../../errors.ts";
import { LANGUAGES, LOCALES, preferredLanguage } from "./texts.ts";

describe("texts", () => {
  it.each(LANGUAGES)("%s: none is empty, and every failure has a sentence with its next step", (language) => {
    const { texts, errors } = LOCALES[language];
    for (const [key, text] of Object.entries(texts)) expect(text.trim(), key).not.toBe("");
    const sentences = language === "ja" ? /。/g : /\.( |$)/g;
    for (const code of ERROR_CODES) expect(errors[code].match(sentences)?.length, code).toBeGreaterThanOrEqual(2);
  });

  it("are all used", () => {
    const app = join(import.meta.dirname, "..");
    const files = readdirSync(app, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".tsx"));
    const source = files.map((file) => readFileSync(join(app, file), "utf8")).join("\n");
    const unused = Object.keys(LOCALES.en.texts).filter((key) => !new RegExp(`\\bt\\.${key}\\b|"${key}"`).test(source));
    expect(unused).toEqual([]);
  });

  it.each([
    [["ja-JP", "en"], "ja"],
    [["fr", "JA"], "ja"],
    [["fr"], "en"],
    [[], "en"],
  ] as const)("for a reader of %j are in %s", (languages, expected) => {
    expect(preferredLanguage(languages)).toBe(expected);
  });
});
