import { readdirSync, readFileSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { CHARTS } from "./metrics.ts";

// The store, which knows the language, asks the browser for it.
vi.stubGlobal("navigator", { languages: ["en"] });
const { chartTexts } = await import("./texts.ts");

it.each(["en", "ja"] as const)("%s: no text is empty, and every explanation is a sentence", (language) => {
  const texts = chartTexts[language];
  for (const [key, text] of Object.entries(texts)) expect(text.trim(), key).not.toBe("");
  for (const { help } of Object.values(CHARTS)) expect(texts[help], help).toMatch(language === "ja" ? /。$/ : /\.$/);
});

it("has no text that is not used", () => {
  const files = readdirSync(import.meta.dirname).filter((name) => /\.tsx?$/.test(name) && !/texts|test/.test(name));
  const source = files.map((name) => readFileSync(`${import.meta.dirname}/${name}`, "utf8")).join("\n");
  const unused = Object.keys(chartTexts.en).filter((key) => !new RegExp(`\\bt\\.${key}\\b|"${key}"`).test(source));
  expect(unused).toEqual([]);
});
