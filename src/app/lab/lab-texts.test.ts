import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FIELD_TEXTS, REWARD_TEXTS } from "./field-texts.ts";
import { labTexts } from "./lab-texts.ts";

describe("the lab's texts", () => {
  it("are all used, and none is empty", () => {
    const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".tsx") || name === "phase-texts.ts");
    const source = files.map((file) => readFileSync(join(import.meta.dirname, file), "utf8")).join("\n");
    const isUsed = (key: string) => new RegExp(`\\bt\\.${key}\\b|"${key}"`).test(source);
    expect(Object.keys(labTexts.en).filter((key) => !isUsed(key))).toEqual([]);
    for (const texts of Object.values(labTexts)) expect(Object.values(texts)).not.toContain("");
  });

  it("explain each setting and reward in one sentence", () => {
    for (const texts of [FIELD_TEXTS, REWARD_TEXTS]) {
      for (const { help } of Object.values(texts.en)) expect(help).toMatch(/^[A-Z0-9½].*\.$/);
      for (const { help } of Object.values(texts.ja)) expect(help).toMatch(/。$/);
    }
  });
});
