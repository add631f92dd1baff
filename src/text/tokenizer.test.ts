import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { R1Error } from "../errors.ts";
import { hasData } from "../testing-data.ts";
import { StreamDecoder } from "./stream-decoder.ts";
import { readData, titleWithData } from "./testing/data.ts";
import {
  byteFallbackTokenizer,
  byteLevelFiles,
  byteLevelTokenizer,
  IDS,
  wordLevelTokenizer,
} from "./testing/tokenizers.ts";
import { tinyTokenizerConfig, tinyTokenizerJson } from "./tiny-tokenizer.ts";
import { createTokenizer } from "./tokenizer.ts";

interface Case {
  readonly text: string;
  readonly ids: readonly number[];
  readonly nfc_sensitive?: boolean;
}

const R1_TOKENIZER = "tokenizer/r1-distill-qwen/tokenizer.json";

/** The error that a call throws. */
function failure(run: () => unknown): R1Error {
  try {
    run();
  } catch (error) {
    if (error instanceof R1Error) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** As a UTF-8 encoder sees it: each half of a surrogate pair that stands alone is U+FFFD. */
function wellFormed(text: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text));
}

describe("tokenizer", () => {
  const tokenizer = byteLevelTokenizer();

  it("encodes by merges and parses added tokens, and adds no token of its own", () => {
    expect(tokenizer.encode("hello w").map((id) => tokenizer.tokenOf(id))).toEqual(["hello", "Ġw"]);
    expect(tokenizer.encode("<｜User｜>hello<think>")).toEqual([IDS.user, tokenizer.idOf("hello"), IDS.thinkStart]);
    expect(tokenizer.encode("")).toEqual([]);
  });

  it("decodes to the same text, special tokens included unless told otherwise", () => {
    const text = "<｜begin▁of▁sentence｜> a . b , n't <think> 日本 👩‍🚀\r\n";
    const ids = tokenizer.encode(text);
    expect(tokenizer.decode(ids)).toBe(text);
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(text.slice("<｜begin▁of▁sentence｜>".length));
    expect(tokenizer.decode([])).toBe("");
  });

  it("returns any well-formed text in normal form C from its ids", () => {
    const text = fc.string({ unit: "binary" }).map((value) => value.normalize("NFC"));
    fc.assert(fc.property(text, (value) => tokenizer.decode(tokenizer.encode(value)) === value));
  });

  it("knows its vocabulary", () => {
    expect(tokenizer.vocabSize).toBe(IDS.thinkEnd + 1);
    expect(tokenizer.tokenOf(IDS.user)).toBe("<｜User｜>");
    expect(tokenizer.tokenOf(1_000_000)).toBeUndefined();
    expect(tokenizer.idOf("no such piece")).toBeUndefined();
    expect(tokenizer.thinkStartId).toBe(IDS.thinkStart);
    expect(tokenizer.thinkEndId).toBe(IDS.thinkEnd);
    expect([IDS.eos, IDS.bos, IDS.user, IDS.thinkEnd].map((id) => tokenizer.isSpecial(id))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([IDS.user, 5].map((id) => tokenizer.isAdded(id))).toEqual([true, false]);
  });

  it("gives no text for ids without a token", () => {
    expect(tokenizer.decode([500_000, ...tokenizer.encode("hello")])).toBe("hello");
  });

  it("handles sentencepiece-style vocabularies with byte fallback", () => {
    const llama = byteFallbackTokenizer();
    expect(llama.encode("a b").map((id) => llama.tokenOf(id))).toEqual(["▁a", "▁b"]);
    for (const text of ["a b", "é猫 b", " a", "👋"]) expect(llama.decode(llama.encode(text))).toBe(text);
  });

  it("joins words with spaces where the file has no decoder", () => {
    const words = wordLevelTokenizer(["one", "two", "?"], "?");
    expect(words.encode("two three one")).toEqual([1, 2, 0]);
    expect(words.decode([1, 0])).toBe("two one");
  });

  it("names a piece that the vocabulary cannot express", () => {
    const error = failure(() => wordLevelTokenizer(["one"]).encode("one two"));
    expect(error.code).toBe("E_TOKENIZER");
    expect(error.message).toContain('"two"');
  });
});

describe("text that is not well-formed or not its own", () => {
  const tokenizer = createTokenizer({ tokenizerJson: tinyTokenizerJson(), tokenizerConfig: tinyTokenizerConfig() });

  it("is encoded all the same: half a surrogate pair as U+FFFD", () => {
    expect(tokenizer.decode(tokenizer.encode("a\ud800b\udfff"))).toBe("a\uFFFDb\uFFFD");
    const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 });
    fc.assert(
      fc.property(units, (codes) => {
        const text = String.fromCharCode(...codes);
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(wellFormed(text).normalize("NFC"));
      }),
      { numRuns: 1_000 },
    );
  });

  it("gets no BOS, though the post-processor and add_bos_token ask for one", () => {
    expect(new LibraryTokenizer(tinyTokenizerJson(), tinyTokenizerConfig()).encode("Wait").ids).toHaveLength(2);
    expect(tokenizer.encode("Wait")).toEqual([tokenizer.idOf("Wait")]);
  });

  it("streams to what it decodes to at once, for any ids", () => {
    const ids = fc.array(fc.nat(tokenizer.vocabSize + 3), { maxLength: 60 });
    fc.assert(
      fc.property(ids, fc.boolean(), (value, skipSpecialTokens) => {
        const decoder = new StreamDecoder(tokenizer, { skipSpecialTokens });
        const pieces = [...value.map((id) => decoder.push(id)), decoder.flush()];
        expect(pieces.join("")).toBe(tokenizer.decode(value, { skipSpecialTokens }));
      }),
    );
  });
});

describe("special tokens", () => {
  const files = byteLevelFiles();

  it("takes BOS from tokenizer_config, not from config.json", () => {
    const config = { bos_token_id: IDS.eos, eos_token_id: 7 };
    const tokenizer = createTokenizer({ ...files, config });
    expect([tokenizer.bosId, tokenizer.bosToken]).toEqual([IDS.bos, "<｜begin▁of▁sentence｜>"]);
    expect(createTokenizer({ tokenizerJson: files.tokenizerJson, config }).bosId).toBeUndefined();
  });

  it("joins the ends of text of generation_config and tokenizer_config, and falls back to config.json", () => {
    const config = { eos_token_id: [7, 8] };
    const joined = createTokenizer({ ...files, generationConfig: { eos_token_id: [3, IDS.eos] }, config });
    expect(joined.eosIds).toEqual([3, IDS.eos]);
    expect(joined.isSpecial(3)).toBe(true);
    expect(createTokenizer({ ...files, generationConfig: { eos_token_id: 4 } }).eosIds).toEqual([4, IDS.eos]);
    expect(createTokenizer({ ...files, config }).eosIds).toEqual([IDS.eos]);
    expect(createTokenizer({ tokenizerJson: files.tokenizerJson, config }).eosIds).toEqual([7, 8]);
    expect(createTokenizer({ ...files, tokenizerConfig: { eos_token: null } }).eosIds).toEqual([]);
  });

  it.each([
    [{ generationConfig: { eos_token_id: "2" } }, "generation_config.json eos_token_id"],
    [{ config: { eos_token_id: [-1] }, tokenizerConfig: {} }, "config.json eos_token_id"],
    [{ tokenizerConfig: { bos_token: 5 } }, "tokenizer_config.json bos_token"],
    [{ tokenizerConfig: [] }, "tokenizer_config.json"],
  ])("rejects %j", (wrong, field) => {
    const error = failure(() => createTokenizer({ ...files, ...wrong }));
    expect(error.code).toBe("E_TOKENIZER");
    expect(error.message.startsWith(`${field} is `)).toBe(true);
  });
});

describe("hostile tokenizer.json", () => {
  const good = byteLevelFiles().tokenizerJson;
  const { model } = good;
  const deep = Array.from({ length: 40 }).reduce((inner) => ({ type: "Sequence", decoders: [inner] }), {
    type: "Fuse",
  });

  it.each([
    ["no object", [], "tokenizer.json is"],
    ["no model", { ...good, model: undefined }, "model is missing"],
    ["unknown model", { ...good, model: { ...model, type: "Magic" } }, "model.type"],
    ["no vocabulary", { ...good, model: { ...model, vocab: null } }, "model.vocab is null"],
    ["huge id", { ...good, model: { ...model, vocab: { a: 4_294_967_295 } } }, 'model.vocab["a"]'],
    ["fractional id", { ...good, model: { ...model, vocab: { a: 0.5 } } }, 'model.vocab["a"]'],
    ["broken scores", { ...good, model: { type: "Unigram", vocab: [["a", "x"]] } }, "model.vocab[0]"],
    ["no merges", { ...good, model: { ...model, merges: undefined } }, "model.merges is missing"],
    ["broken merge", { ...good, model: { ...model, merges: ["ab"] } }, "model.merges[0]"],
    ["broken pair", { ...good, model: { ...model, merges: [["a", "b"], ["a"]] } }, "model.merges[1]"],
    ["added token without id", { ...good, added_tokens: [{ content: "x" }] }, "added_tokens[0].id is missing"],
    ["empty added token", { ...good, added_tokens: [{ id: 1, content: "" }] }, "added_tokens[0].content"],
    ["unknown decoder", { ...good, decoder: { type: "CTC" } }, "decoder.type"],
    ["unknown normalizer", { ...good, normalizer: { type: "Magic" } }, "cannot be used"],
    ["deep nesting", { ...good, decoder: deep }, "nested deeper"],
    [
      "long pattern",
      { ...good, pre_tokenizer: { type: "Split", pattern: { Regex: "a".repeat(10_000) } } },
      "10000 characters",
    ],
  ])("is rejected: %s", (_, tokenizerJson, message) => {
    const error = failure(() => createTokenizer({ tokenizerJson }));
    expect(error.code).toBe("E_TOKENIZER");
    expect(error.message).toContain(message);
  });

  it.each([
    [
      "a pattern",
      { type: "Split", pattern: { Wrong: " " }, behavior: "Isolated" },
      "pre_tokenizer.pattern is an object",
    ],
    ["a missing pattern", { type: "Split", behavior: "Isolated" }, "pre_tokenizer.pattern is missing"],
    ["a behaviour", { type: "Split", pattern: { String: " " }, behavior: {} }, "pre_tokenizer.behavior is an object"],
  ])("is rejected where the library would pass over %s", (_, pre_tokenizer, message) => {
    expect(failure(() => createTokenizer({ tokenizerJson: { ...good, pre_tokenizer } })).message).toContain(message);
  });

  it("never fails in another way, wherever a good file was changed", () => {
    const tiny = tinyTokenizerJson();
    // Every place but the vocabulary's entries, which are all alike.
    const places = (value: unknown, path: readonly string[]): (readonly string[])[] =>
      typeof value !== "object" || value === null || path.at(-1) === "vocab"
        ? [path]
        : [path, ...Object.entries(value).flatMap(([key, item]) => places(item, [...path, key]))];
    const path = fc.constantFrom(...places(tiny, []).slice(1), ["model", "vocab", "a"]);
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(undefined, "", "(", -1, 1e9, "ByteLevel", "Sequence", "Replace", [null]),
    );
    fc.assert(
      fc.property(path, value, (at, put) => {
        const tokenizerJson: unknown = structuredClone(tiny);
        let parent = tokenizerJson as Record<string, unknown>;
        for (const key of at.slice(0, -1)) parent = parent[key] as Record<string, unknown>;
        parent[at.at(-1) ?? ""] = put;
        try {
          const tokenizer = createTokenizer({ tokenizerJson });
          tokenizer.decode(tokenizer.encode("Wait <think> 12 é 👋\ud800"));
        } catch (error) {
          expect(error).toBeInstanceOf(R1Error);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("never fails in another way, whatever JSON comes", () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 4 }),
        fc.constantFrom(...Object.keys(good), ...Object.keys(model)),
        (value, field) => {
          for (const tokenizerJson of [
            value,
            { ...good, [field]: value },
            { ...good, model: { ...model, [field]: value } },
          ]) {
            try {
              createTokenizer({ tokenizerJson });
            } catch (error) {
              expect(error).toBeInstanceOf(R1Error);
            }
          }
        },
      ),
    );
  });
});

describe.skipIf(!hasData(R1_TOKENIZER))(titleWithData("DeepSeek-R1-Distill-Qwen tokenizer", R1_TOKENIZER), () => {
  const tokenizerJson = hasData(R1_TOKENIZER) ? readData<object>(R1_TOKENIZER) : {};
  const tokenizer = hasData(R1_TOKENIZER) ? createTokenizer({ tokenizerJson }) : byteLevelTokenizer();
  const cases = hasData(R1_TOKENIZER) ? readData<{ cases: Case[] }>("tokenizer/r1-distill-qwen/cases.json").cases : [];

  it("encodes every case as the reference does", () => {
    expect(cases.length).toBe(165);
    for (const { text, ids } of cases) expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
  });

  it("needs the NFC normaliser for the cases that are marked so", () => {
    const plain = createTokenizer({ tokenizerJson: { ...tokenizerJson, normalizer: null } });
    const marked = cases.filter(({ nfc_sensitive }) => nfc_sensitive === true);
    expect(marked).toHaveLength(6);
    for (const { text, ids } of cases) {
      const same = JSON.stringify(plain.encode(text)) === JSON.stringify(ids);
      expect(same, JSON.stringify(text)).toBe(!marked.some((one) => one.text === text));
    }
  });

  it("encodes llama.cpp's published vectors", () => {
    const vectors = readData<{ "deepseek-r1-qwen": Case[] }>("tokenizer/llama.cpp-vectors.json")["deepseek-r1-qwen"];
    expect(vectors.length).toBe(23);
    for (const { text, ids } of vectors) expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
  });

  it("decodes as the library's own decoder does, and back to the normalised text", () => {
    const library = new LibraryTokenizer(tokenizerJson, { clean_up_tokenization_spaces: false });
    for (const { text, ids } of cases) {
      if (ids.length === 0) continue;
      expect(tokenizer.decode(ids)).toBe(library.decode([...ids]));
      expect(tokenizer.decode(ids).normalize("NFC")).toBe(text.normalize("NFC"));
    }
  });

  it("decodes any ids as the library does, broken characters too", () => {
    const library = new LibraryTokenizer(tokenizerJson, { clean_up_tokenization_spaces: false });
    const id = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: tokenizer.vocabSize - 1 }));
    fc.assert(
      fc.property(fc.array(id, { minLength: 1, maxLength: 40 }), (ids) => {
        expect(tokenizer.decode(ids)).toBe(library.decode(ids));
      }),
    );
  });

  it("has R1's ids", () => {
    expect([tokenizer.thinkStartId, tokenizer.thinkEndId, tokenizer.vocabSize]).toEqual([151648, 151649, 151665]);
  });

  it("is built in well under three seconds", () => {
    const start = performance.now();
    createTokenizer({ tokenizerJson });
    expect(performance.now() - start).toBeLessThan(3_000);
  });
});
