import { R1Error } from "../../errors.ts";
import { endTexts } from "../../text/end-tokens.ts";
import { quote } from "../quote.ts";
import { architectureOf } from "./model-config.ts";
import type { MetadataReader } from "./metadata.ts";
import { preTokenizerOf } from "./pre-tokenizers.ts";
import { TOKEN_TYPES } from "./token-types.ts";
import { byteLevelUnigram } from "./unigram.ts";

const KEY = "tokenizer.ggml.";

/** Text as bytes and back, without cutting it. */
const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false };

/** Merges of a sentencepiece vocabulary are every way to cut its pieces in two; real ones have up to 48 characters. */
const MAX_CUT_PIECE = 256;

/**
 * What the model's `tokenizer.json` would say; undefined where the file has no vocabulary.
 * @throws R1Error E_TOKENIZER for a kind of tokenizer that is not supported, E_CONFIG for metadata of wrong types
 */
export function tokenizerJson(metadata: MetadataReader): object | undefined {
  const model = metadata.string(`${KEY}model`);
  const tokens = metadata.strings(`${KEY}tokens`);
  if (model === undefined || model === "no_vocab" || model === "none" || !tokens) return undefined;
  const types = metadata.numbers(`${KEY}token_type`) ?? [];
  switch (model) {
    case "gpt2":
      return byteLevelTokenizer(metadata, tokens, types);
    case "llama":
      return sentencePieceTokenizer(metadata, tokens, types);
    case "t5":
      return unigramTokenizer(metadata, tokens, types);
    default:
      throw new R1Error(
        "E_TOKENIZER",
        `${metadata.file}: tokenizer of kind ${quote(model)}; supported are gpt2 (byte-level BPE), llama (sentencepiece) and t5 (unigram)`,
      );
  }
}

function byteLevelTokenizer(metadata: MetadataReader, tokens: readonly string[], types: ArrayLike<number>): object {
  const merges = metadata.strings(`${KEY}merges`);
  if (!merges) throw new R1Error("E_TOKENIZER", `${metadata.file}: ${KEY}merges is missing`);
  const { patterns, normalizer, ignoreMerges } = preTokenizerOf(
    metadata.string(`${KEY}pre`),
    architectureOf(metadata) ?? "",
    metadata.file,
  );
  const splits = patterns.map((pattern) => ({
    type: "Split",
    pattern: { Regex: pattern },
    behavior: "Isolated",
    invert: false,
  }));
  return {
    version: "1.0",
    added_tokens: addedTokens(tokens, types),
    normalizer,
    pre_tokenizer: { type: "Sequence", pretokenizers: [...splits, BYTE_LEVEL] },
    post_processor: null,
    decoder: BYTE_LEVEL,
    model: { type: "BPE", ignore_merges: ignoreMerges, vocab: vocabulary(tokens, types), merges },
  };
}

/** A unigram vocabulary over all bytes, as this project's own models have it: it needs no unknown token. */
function unigramTokenizer(metadata: MetadataReader, tokens: readonly string[], types: ArrayLike<number>): object {
  const scores = metadata.numbers(`${KEY}scores`) ?? [];
  const vocab = byteLevelUnigram(tokens, types, scores);
  if (!vocab || metadata.has(`${KEY}precompiled_charsmap`) || metadata.boolean(`${KEY}add_space_prefix`) !== false) {
    throw new R1Error(
      "E_TOKENIZER",
      `${metadata.file}: tokenizer of kind "t5" (unigram); only one with all bytes and without normalization is supported`,
    );
  }
  return {
    version: "1.0",
    added_tokens: addedTokens(tokens, types),
    normalizer: null,
    pre_tokenizer: BYTE_LEVEL,
    post_processor: null,
    decoder: BYTE_LEVEL,
    model: { type: "Unigram", unk_id: null, vocab, byte_fallback: false },
  };
}

/**
 * Sentencepiece joins the neighbours whose union scores highest; as byte-pair merges, these are all pairs of pieces whose
 * union is a piece, by its score (transformers, `generate_merges`).
 */
function sentencePieceTokenizer(metadata: MetadataReader, tokens: readonly string[], types: ArrayLike<number>): object {
  const scores = metadata.numbers(`${KEY}scores`);
  if (scores?.length !== tokens.length) {
    throw new R1Error(
      "E_TOKENIZER",
      `${metadata.file}: ${KEY}scores: found ${scores?.length ?? 0} for ${tokens.length} tokens`,
    );
  }
  const vocab = vocabulary(tokens, types);
  const prefixed = metadata.boolean(`${KEY}add_space_prefix`) ?? true;
  const space = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const back = [
    { type: "Replace", pattern: { String: "▁" }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
  ];
  const unknown = tokens[metadata.integer(`${KEY}unknown_token_id`) ?? -1];
  return {
    version: "1.0",
    added_tokens: addedTokens(tokens, types),
    normalizer: {
      type: "Sequence",
      normalizers: prefixed ? [{ type: "Prepend", prepend: "▁" }, space] : [space],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: "Sequence",
      decoders: prefixed ? [...back, { type: "Strip", content: " ", start: 1, stop: 0 }] : back,
    },
    model: {
      type: "BPE",
      ...(unknown === undefined ? {} : { unk_token: unknown }),
      fuse_unk: true,
      byte_fallback: true,
      vocab,
      merges: sentencePieceMerges(vocab, scores, metadata.file),
    },
  };
}

function sentencePieceMerges(
  vocab: Readonly<Record<string, number>>,
  scores: ArrayLike<number>,
  file: string,
): readonly (readonly [string, string])[] {
  const merges: {
    readonly pair: readonly [string, string];
    readonly score: number;
    readonly ids: readonly [number, number];
  }[] = [];
  for (const [piece, id] of Object.entries(vocab)) {
    if (piece.length > MAX_CUT_PIECE) {
      throw new R1Error("E_TOKENIZER", `${file}: a piece of ${piece.length} characters; the limit is ${MAX_CUT_PIECE}`);
    }
    for (let cut = 1; cut < piece.length; cut++) {
      const pair = [piece.slice(0, cut), piece.slice(cut)] as const;
      const [left, right] = [vocab[pair[0]], vocab[pair[1]]];
      if (left !== undefined && right !== undefined) merges.push({ pair, score: scores[id] ?? 0, ids: [left, right] });
    }
  }
  return merges
    .toSorted((a, b) => b.score - a.score || a.ids[0] - b.ids[0] || a.ids[1] - b.ids[1])
    .map(({ pair }) => pair);
}

/** Without a prototype, so that `constructor` is a piece like any other. Of equal pieces, the first has the id. */
function vocabulary(tokens: readonly string[], types: ArrayLike<number>): Readonly<Record<string, number>> {
  const vocab: Record<string, number> = {};
  Object.setPrototypeOf(vocab, null);
  for (const [id, token] of tokens.entries()) if (types[id] !== TOKEN_TYPES.unused) vocab[token] ??= id;
  return vocab;
}

function addedTokens(tokens: readonly string[], types: ArrayLike<number>): readonly object[] {
  const ends = new Map(endTokens(tokens, types));
  return tokens.flatMap((content, id) => {
    const type = types[id];
    // Some conversions give an end of turn the type of a word; llama.cpp takes it for a control token all the same.
    const special = type === TOKEN_TYPES.control || type === TOKEN_TYPES.unknown || ends.get(content) === id;
    if (content === "" || !(special || type === TOKEN_TYPES.userDefined)) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

/** Tokens that end a reply by their text, each with its id. */
function endTokens(tokens: readonly string[], types: ArrayLike<number>): readonly (readonly [string, number])[] {
  const used = tokens.filter((_, id) => types[id] !== TOKEN_TYPES.unused);
  const texts = endTexts(used, { fill: true });
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) {
    if (texts.has(token) && types[id] !== TOKEN_TYPES.unused && !ids.has(token)) ids.set(token, id);
  }
  return [...ids];
}

/** What the model's `tokenizer_config.json` would say: the chat template, and what it calls BOS and EOS. */
export function tokenizerConfig(metadata: MetadataReader): object {
  const tokens = metadata.strings(`${KEY}tokens`) ?? [];
  const token = (name: string): string | undefined => tokens[metadata.integer(`${KEY}${name}_token_id`) ?? -1];
  return defined({
    bos_token: token("bos"),
    eos_token: token("eos"),
    add_bos_token: metadata.boolean(`${KEY}add_bos_token`),
    add_eos_token: metadata.boolean(`${KEY}add_eos_token`),
    chat_template: metadata.string("tokenizer.chat_template"),
  });
}

/** Names of metadata whose tokens end a reply. */
const END_NAMES = ["eos", "eot", "eom", "fim_pad", "fim_rep", "fim_sep"];

/**
 * What the model's `generation_config.json` would say: what ends a text, and how its makers advise to sample. The set is
 * llama.cpp's: what the metadata name, and what ends a reply by its text; ids outside the vocabulary are passed over.
 */
export function generationConfig(metadata: MetadataReader): object {
  const tokens = metadata.strings(`${KEY}tokens`);
  const named = END_NAMES.flatMap((name) => metadata.integer(`${KEY}${name}_token_id`) ?? []);
  const ends = [
    ...named.filter((id) => tokens === undefined || tokens[id] !== undefined),
    ...endTokens(tokens ?? [], metadata.numbers(`${KEY}token_type`) ?? []).map(([, id]) => id),
  ];
  return defined({
    eos_token_id: ends.length === 0 ? undefined : [...new Set(ends)],
    temperature: metadata.number("general.sampling.temp"),
    top_p: metadata.number("general.sampling.top_p"),
    top_k: metadata.integer("general.sampling.top_k"),
  });
}

function defined(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
