import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseBuiltInModels } from "./models.ts";
import { DEFAULT_SETTINGS, settingsFor } from "./playground/settings.ts";

const MODELS = join(import.meta.dirname, "../../public/models");
const list = readFileSync(join(MODELS, "index.json"), "utf8");

describe("the list of built-in models", () => {
  const models = parseBuiltInModels(list);

  it("names every folder that comes with the page, with what it downloads", () => {
    const folders = readdirSync(MODELS, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(models.map(({ folder }) => folder).toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
    for (const { folder, bytes } of models) {
      const files = readdirSync(join(MODELS, folder)).filter((name) => /\.(json|safetensors|jinja)$/.test(name));
      expect(
        files.reduce((sum, name) => sum + statSync(join(MODELS, folder, name)).size, 0),
        folder,
      ).toBe(bytes);
    }
  });

  it.each([
    ["{", /the list|JSON/i],
    ["{}", /the list/],
    [list.replace('"folder": "tiny-random"', '"folder": "../secret"'), /\.folder/],
    [list.replace('"thinkMax": 48', '"thinkMax": -1'), /\.settings\.thinkMax/],
    [list.replace(/"ja": "[^"]*"/, '"de": ""'), /0\.note\.ja/],
  ])("is refused with the field's name: %s", (json, names) => {
    expect(() => parseBuiltInModels(json)).toThrow(names);
    expect(() => parseBuiltInModels(json)).toThrow(expect.objectContaining({ code: "E_JSON" }));
  });
});

describe("a model's questions", () => {
  const [first] = JSON.parse(list) as [object];
  const question = (text: string) => ({ en: text, ja: text });

  it.each([
    [{ examples: [question("a"), question("b")], example: question("c") }, ["a", "b"]],
    [{ examples: undefined, example: question("c") }, ["c"]],
    [{ examples: undefined, example: undefined }, []],
  ])("%j", (given, expected) => {
    const [model] = parseBuiltInModels(JSON.stringify([{ ...first, ...given }]));
    expect(model?.examples.map(({ en }) => en)).toEqual(expected);
  });
});

describe("the settings for a model", () => {
  it("are the list's, else the model's own, else the page's", () => {
    expect(settingsFor({}, {})).toEqual(DEFAULT_SETTINGS);
    expect(settingsFor({ temperature: 0, topK: 20 }, {})).toEqual({ ...DEFAULT_SETTINGS, temperature: 0 });
    expect(settingsFor({ temperature: 0.7 }, { temperature: 1, thinkMax: 48 })).toMatchObject({
      temperature: 1,
      thinkMax: 48,
    });
  });

  it("leave out what the page cannot show", () => {
    expect(settingsFor({ temperature: 50, topP: 0.5 }, {})).toMatchObject({ temperature: 0.6, topP: 0.5 });
  });
});
