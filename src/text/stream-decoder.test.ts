import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasData } from "../testing-data.ts";
import { StreamDecoder } from "./stream-decoder.ts";
import { readData, titleWithData } from "./testing/data.ts";
import {
  byteFallbackFiles,
  byteFallbackTokenizer,
  byteLevelFiles,
  byteLevelTokenizer,
  IDS,
} from "./testing/tokenizers.ts";
import { createTokenizer } from "./tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

function stream(tokenizer: Tokenizer, ids: readonly number[], skipSpecialTokens = true): string[] {
  const decoder = new StreamDecoder(tokenizer, { skipSpecialTokens });
  return [...ids.map((id) => decoder.push(id)), decoder.flush()];
}

describe("stream decoder", () => {
  const tokenizer = byteLevelTokenizer();

  it("holds back an incomplete character until its last byte", () => {
    // U+1F44B is F0 9F 91 8B, whose first two bytes are one token here.
    expect(stream(tokenizer, tokenizer.encode("a👋b"))).toEqual(["a", "", "", "👋", "b", ""]);
    expect(stream(tokenizer, tokenizer.encode("日"))).toEqual(["", "", "日", ""]);
  });

  it("turns a broken tail into U+FFFD at the end", () => {
    const ids = tokenizer.encode("a日").slice(0, -1);
    expect(stream(tokenizer, ids)).toEqual(["a", "", "", "\uFFFD"]);
  });

  it("closes a broken character before an added token", () => {
    const ids = [...tokenizer.encode("日").slice(0, 1), IDS.thinkEnd, ...tokenizer.encode("x")];
    expect(stream(tokenizer, ids)).toEqual(["", "\uFFFD</think>", "x", ""]);
  });

  it("shows tags and hides special tokens, unless told otherwise", () => {
    const ids = [IDS.bos, IDS.thinkStart, IDS.thinkEnd, IDS.eos];
    expect(stream(tokenizer, ids).join("")).toBe("<think></think>");
    expect(stream(tokenizer, ids, false).join("")).toBe("<｜begin▁of▁sentence｜><think></think><｜end▁of▁sentence｜>");
  });

  it("keeps a byte order mark wherever it stands", () => {
    expect(stream(tokenizer, tokenizer.encode("\uFEFFa\uFEFF")).join("")).toBe("\uFEFFa\uFEFF");
  });

  it("joins byte tokens of sentencepiece vocabularies and drops only the first space", () => {
    const llama = byteFallbackTokenizer();
    expect(stream(llama, llama.encode("a 猫 b")).join("")).toBe("a 猫 b");
    const cat = llama.encode("猫");
    expect(stream(llama, cat)).toEqual(["", "", "", "猫", ""]);
    const broken = [...cat.slice(0, -1), ...llama.encode("a")];
    expect(stream(llama, broken).at(-2)).toBe("\uFFFD a");
  });

  it("can be used again after a flush", () => {
    const llama = byteFallbackTokenizer();
    const decoder = new StreamDecoder(llama);
    for (let round = 0; round < 2; round++) {
      expect(
        llama
          .encode("a b")
          .map((id) => decoder.push(id))
          .join("") + decoder.flush(),
      ).toBe("a b");
    }
  });

  it.each([
    ["byte-level", byteLevelFiles()],
    ["byte-fallback", byteFallbackFiles()],
  ])("equals the reference library's decoding of the whole, for any ids: %s", (_, files) => {
    const any = createTokenizer(files);
    const library = new LibraryTokenizer(files.tokenizerJson, {});
    const ids = fc.array(fc.integer({ min: 0, max: any.vocabSize - 1 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(ids, fc.boolean(), (value, skipSpecialTokens) => {
        const options = { skip_special_tokens: skipSpecialTokens, clean_up_tokenization_spaces: false };
        expect(stream(any, value, skipSpecialTokens).join("")).toBe(library.decode(value, options));
        expect(any.decode(value, { skipSpecialTokens })).toBe(library.decode(value, options));
      }),
      { numRuns: 500 },
    );
  });

  it("equals the text for any text, cut at any token", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (value) => {
        const text = value.normalize("NFC");
        expect(stream(tokenizer, tokenizer.encode(text)).join("")).toBe(text);
      }),
    );
  });

  it("takes the same time for a token late in a long text", () => {
    const decoder = new StreamDecoder(tokenizer);
    const ids = tokenizer.encode("hello 日本 👋 ");
    const time = (rounds: number) => {
      const start = performance.now();
      for (let i = 0; i < rounds; i++) for (const id of ids) decoder.push(id);
      return performance.now() - start;
    };
    time(2_000);
    const early = time(2_000);
    time(20_000);
    // Decoding from the beginning each time would make this hundreds of times slower.
    expect(time(2_000)).toBeLessThan(20 * early + 50);
  });
});

const R1_TOKENIZER = "tokenizer/r1-distill-qwen/tokenizer.json";

describe.skipIf(!hasData(R1_TOKENIZER))(titleWithData("stream decoder with R1's tokenizer", R1_TOKENIZER), () => {
  it("equals the reference library's decoding of the whole on every case", () => {
    const tokenizerJson = readData<object>(R1_TOKENIZER);
    const tokenizer = createTokenizer({ tokenizerJson });
    const library = new LibraryTokenizer(tokenizerJson, {});
    const options = { skip_special_tokens: true, clean_up_tokenization_spaces: false };
    const { cases } = readData<{ cases: { ids: number[] }[] }>("tokenizer/r1-distill-qwen/cases.json");
    for (const { ids } of cases) expect(stream(tokenizer, ids).join("")).toBe(library.decode([...ids], options));
    for (const text of ["👩‍👩‍👧‍👦 and 🇩🇪", "推理模型的思考过程", "\u0000\uFEFF𝔘𝔫𝔦𝔠𝔬𝔡𝔢"]) {
      expect(stream(tokenizer, tokenizer.encode(text)).join("")).toBe(text);
    }
  });
});
