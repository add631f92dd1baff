import { describe, expect, it } from "vitest";
import { readJson, readText } from "../checkpoint/source.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { loadText } from "./load-text.ts";
import { byteLevelFiles, IDS } from "./testing/tokenizers.ts";

function load(json: Readonly<Record<string, unknown>>, text: Readonly<Record<string, string>> = {}) {
  return loadText(
    async (file) => json[file],
    async (file) => text[file],
  );
}

const { tokenizerJson, tokenizerConfig } = byteLevelFiles();

describe("text files of a checkpoint", () => {
  it("are read together", async () => {
    const assets = await load({
      "tokenizer.json": tokenizerJson,
      "tokenizer_config.json": { ...tokenizerConfig, chat_template: "{{ bos_token }}" },
      "generation_config.json": {
        do_sample: true,
        temperature: 0.6,
        top_p: 0.95,
        top_k: null,
        eos_token_id: [IDS.eos, 3],
        bos_token_id: 1,
      },
      "config.json": { eos_token_id: 9 },
    });
    expect(assets.tokenizer?.bosId).toBe(IDS.bos);
    expect(assets.template?.source).toBe("{{ bos_token }}");
    expect(assets.eosIds).toEqual([IDS.eos, 3]);
    expect(assets.sampling).toEqual({ doSample: true, temperature: 0.6, topP: 0.95 });
  });

  it("may all be absent", async () => {
    expect(await load({})).toEqual({ eosIds: [], sampling: {} });
  });

  it("give the end of text without a tokenizer", async () => {
    expect((await load({ "config.json": { eos_token_id: 2 } })).eosIds).toEqual([2]);
  });

  it("may hold the template in a file of its own, which goes before the configuration's", async () => {
    const config = { ...tokenizerConfig, chat_template: "old" };
    const named = { ...config, chat_template: [{ name: "default", template: "named" }] };
    const tokenizer = { "tokenizer.json": tokenizerJson };
    const sourceOf = async (...files: Parameters<typeof load>) => (await load(...files)).template?.source;
    const jinja = { "chat_template.jinja": "new" };
    expect(await sourceOf({ "tokenizer_config.json": config }, jinja)).toBe("new");
    expect(await sourceOf({ ...tokenizer, "tokenizer_config.json": config }, jinja)).toBe("new");
    expect(await sourceOf({ ...tokenizer, "tokenizer_config.json": config })).toBe("old");
    expect(await sourceOf({ ...tokenizer, "tokenizer_config.json": named })).toBe("named");
    expect(await sourceOf(tokenizer)).toBeUndefined();
  });

  it.each([
    [{ "generation_config.json": { temperature: "hot" } }, "E_CONFIG", "generation_config.json temperature"],
    [{ "generation_config.json": { do_sample: 1 } }, "E_CONFIG", "generation_config.json do_sample"],
    [{ "tokenizer.json": "nothing" }, "E_TOKENIZER", "tokenizer.json"],
    [{ "tokenizer_config.json": { chat_template: 1 } }, "E_TEMPLATE", "tokenizer_config.json chat_template"],
  ])("are refused by name: %j", async (json, code, field) => {
    await expect(load(json)).rejects.toMatchObject({ code, message: expect.stringContaining(field) as string });
  });
});

describe("text files of a folder", () => {
  const folderOf = (files: Readonly<Record<string, unknown>>): ModelFolder => ({
    name: "tiny",
    open: async (file) => {
      if (!(file in files)) return undefined;
      const content = files[file];
      const bytes = new TextEncoder().encode(typeof content === "string" ? content : JSON.stringify(content));
      return { name: file, size: bytes.length, read: async (offset, length) => bytes.slice(offset, offset + length) };
    },
  });
  const loadFolder = (files: Readonly<Record<string, unknown>>) => {
    const folder = folderOf(files);
    return loadText(
      (file) => readJson(folder, file),
      (file) => readText(folder, file),
    );
  };

  it("are read with what stands beside them", async () => {
    const { tokenizer, template, eosIds } = await loadFolder({
      "tokenizer.json": tokenizerJson,
      "tokenizer_config.json": tokenizerConfig,
      "generation_config.json": { eos_token_id: 3 },
      "chat_template.jinja": "{{ bos_token }}",
    });
    expect(template?.source).toBe("{{ bos_token }}");
    expect(tokenizer?.bosToken).toBe("<｜begin▁of▁sentence｜>");
    expect(tokenizer?.eosIds).toEqual([3, IDS.eos]);
    expect(eosIds).toEqual([3, IDS.eos]);
  });

  it("may lack tokenizer.json, and are refused for what is in them", async () => {
    expect((await loadFolder({ "tokenizer_config.json": tokenizerConfig })).tokenizer).toBeUndefined();
    await expect(loadFolder({ "tokenizer.json": {} })).rejects.toMatchObject({
      code: "E_TOKENIZER",
      message: expect.stringContaining("tokenizer.json model is missing") as string,
    });
    await expect(loadFolder({ "tokenizer.json": "{" })).rejects.toMatchObject({ code: "E_JSON" });
  });
});
