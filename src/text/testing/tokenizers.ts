import { CHAR_OF_BYTE } from "../byte-level.ts";
import { createTokenizer } from "../tokenizer.ts";
import type { Tokenizer } from "../tokenizer.ts";

// In the order of published byte-level vocabularies, which begin with "!".
const BYTE_CHARS = CHAR_OF_BYTE.toSorted();

const MERGES = ["h e", "l l", "he ll", "hell o", "Ġ w", "ð Ł"];

/** Ids of the added tokens of `byteLevelFiles`, which follow 256 bytes and six merges. */
export const IDS = { eos: 262, user: 263, assistant: 264, bos: 265, thinkStart: 266, thinkEnd: 267 } as const;

/**
 * A byte-level BPE tokenizer in the shape of R1's, with R1's tokenizer_config.
 * @param options.thinkTokens whether the tags of a thought are tokens of their own
 */
export function byteLevelFiles({ thinkTokens = true } = {}) {
  const pieces = [...BYTE_CHARS, ...MERGES.map((merge) => merge.replace(" ", ""))];
  const added = (id: number, content: string, special: boolean) => ({ id, content, special, normalized: false });
  return {
    tokenizerJson: {
      version: "1.0",
      normalizer: { type: "NFC" },
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
      post_processor: null,
      decoder: { type: "ByteLevel" },
      added_tokens: [
        added(IDS.eos, "<｜end▁of▁sentence｜>", true),
        added(IDS.user, "<｜User｜>", false),
        added(IDS.assistant, "<｜Assistant｜>", false),
        added(IDS.bos, "<｜begin▁of▁sentence｜>", true),
        ...(thinkTokens ? [added(IDS.thinkStart, "<think>", false), added(IDS.thinkEnd, "</think>", false)] : []),
      ],
      model: { type: "BPE", vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])), merges: MERGES },
    },
    tokenizerConfig: {
      add_bos_token: true,
      bos_token: { content: "<｜begin▁of▁sentence｜>" },
      eos_token: "<｜end▁of▁sentence｜>",
    },
  };
}

export function byteLevelTokenizer(options: { thinkTokens?: boolean } = {}): Tokenizer {
  return createTokenizer(byteLevelFiles(options));
}

/** A Llama-2-style tokenizer: spaces as U+2581, one in front of the text, bytes for what the vocabulary lacks. */
export function byteFallbackFiles() {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const pieces = ["<unk>", "<s>", "</s>", ...bytes, "▁", "a", "b", "▁a", "▁b", "é"];
  const added = pieces.slice(0, 3).map((content, id) => ({ id, content, special: true, normalized: false }));
  return {
    tokenizerJson: {
      added_tokens: added,
      normalizer: {
        type: "Sequence",
        normalizers: [
          { type: "Prepend", prepend: "▁" },
          { type: "Replace", pattern: { String: " " }, content: "▁" },
        ],
      },
      pre_tokenizer: null,
      post_processor: null,
      decoder: {
        type: "Sequence",
        decoders: [
          { type: "Replace", pattern: { String: "▁" }, content: " " },
          { type: "ByteFallback" },
          { type: "Fuse" },
          { type: "Strip", content: " ", start: 1, stop: 0 },
        ],
      },
      model: {
        type: "BPE",
        unk_token: "<unk>",
        fuse_unk: true,
        byte_fallback: true,
        vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
        merges: ["▁ a", "▁ b"],
      },
    },
    tokenizerConfig: { bos_token: "<s>", eos_token: "</s>" },
  };
}

export function byteFallbackTokenizer(): Tokenizer {
  return createTokenizer(byteFallbackFiles());
}

/** A word-level tokenizer whose tags are no single tokens. */
export function wordLevelTokenizer(words: readonly string[], unkToken?: string): Tokenizer {
  return createTokenizer({
    tokenizerJson: {
      normalizer: null,
      pre_tokenizer: { type: "WhitespaceSplit" },
      post_processor: null,
      decoder: null,
      added_tokens: [],
      model: {
        type: "WordLevel",
        vocab: Object.fromEntries(words.map((word, id) => [word, id])),
        ...(unkToken === undefined ? {} : { unk_token: unkToken }),
      },
    },
  });
}
