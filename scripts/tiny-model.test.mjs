import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tinyTokenizerConfig, tinyTokenizerJson } from "../src/text/tiny-tokenizer.ts";
import { TINY_MODEL, tinyModelFiles } from "./tiny-model.mjs";

const folder = join(import.meta.dirname, "../public/models", TINY_MODEL);

describe("the built-in model's files", () => {
  it("are what `npm run make:tiny-model` writes", () => {
    const made = tinyModelFiles({ tokenizerJson: tinyTokenizerJson(), tokenizerConfig: tinyTokenizerConfig() });
    expect(readdirSync(folder).toSorted()).toEqual(Object.keys(made).toSorted());
    for (const [name, content] of Object.entries(made)) {
      expect(readFileSync(join(folder, name)).equals(Buffer.from(content)), name).toBe(true);
    }
  });
});
