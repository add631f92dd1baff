import * as v from "valibot";
import { DEFAULT_PATTERNS, preTokenizerName } from "../../gguf/pre-tokenizers.ts";
import { TOKEN_TYPES } from "../../gguf/token-types.ts";
import { ggufPiece } from "../../gguf/unigram.ts";
import type { WrittenValue } from "../../gguf/write.ts";
import { quote } from "../../quote.ts";
import { refusedTokenizer } from "./refused-tokenizer.ts";
import { isSentencePiece, sentencePieces } from "./sentence-piece.ts";

const KEY = "tokenizer.ggml.";

const id = v.pipe(v.number(), v.integer(), v.minValue(0));
const byteLevel = v.object({
  type: v.literal("ByteLevel"),
  add_prefix_space: v.optional(v.boolean(), true),
  use_regex: v.optional(v.boolean(), true),
});
const split = v.object({ type: v.literal("Split"), pattern: v.object({ Regex: v.string() }) });
const preTokenizer = v.variant("type", [
  byteLevel,
  v.object({ type: v.literal("Sequence"), pretokenizers: v.array(v.variant("type", [byteLevel, split])) }),
]);
const added = v.object({ id, content: v.string(), special: v.optional(v.boolean(), false) });
const merge = v.union([v.string(), v.tuple([v.string(), v.string()])]);
const tokenizer = v.object({
  added_tokens: v.optional(v.array(added), []),
  pre_tokenizer: preTokenizer,
  model: v.variant("type", [
    v.object({ type: v.literal("BPE"), vocab: v.record(v.string(), id), merges: v.array(merge) }),
    v.object({ type: v.literal("Unigram"), vocab: v.array(v.tuple([v.string(), v.number()])) }),
  ]),
});
type TokenizerJson = v.InferOutput<typeof tokenizer>;

/** What a folder's text files say, resolved to ids. */
export interface GgufText {
  /** Parsed `tokenizer.json`; undefined where there is none. */
  readonly tokenizerJson: unknown;
  readonly template?: string | undefined;
  readonly bosId?: number | undefined;
  readonly eosIds: readonly number[];
  readonly padId?: number | undefined;
  readonly addBos?: boolean | undefined;
  readonly addEos?: boolean | undefined;
}

interface Token {
  readonly text: string;
  readonly type: number;
  readonly score?: number;
}

/**
 * Vocabulary, special tokens and chat template as llama.cpp reads them. Byte-level BPE is written as such ("gpt2"), a
 * byte-level unigram vocabulary as llama.cpp's unigram ("t5"), which reads text in the bytes' stead, sentencepiece's byte
 * pairs as such ("llama").
 * @param rows of the embedding; the vocabulary is padded to them
 * @throws R1Error E_TOKENIZER for a tokenizer that GGUF has no name for
 */
export function tokenizerMetadata(text: GgufText, rows: number): Map<string, WrittenValue> {
  if (text.tokenizerJson === undefined) return new Map([[`${KEY}model`, ["string", "none"]]]);
  const { bosId, eosIds, padId, addBos, addEos, template } = text;
  const [eos, eot] = eosIds;
  const optional = <T>(key: string, value: T | undefined, write: (value: T) => WrittenValue) =>
    value === undefined ? [] : [[key, write(value)] as const];
  const u32 = (value: number): WrittenValue => ["u32", value];
  const bool = (value: boolean): WrittenValue => ["bool", value];
  return new Map([
    ...vocabulary(text.tokenizerJson, rows),
    ...optional(`${KEY}bos_token_id`, bosId, u32),
    ...optional(`${KEY}eos_token_id`, eos, u32),
    ...optional(`${KEY}eot_token_id`, eot, u32),
    ...optional(`${KEY}padding_token_id`, padId, u32),
    ...optional(`${KEY}add_bos_token`, addBos, bool),
    ...optional(`${KEY}add_eos_token`, addEos, bool),
    ...optional("tokenizer.chat_template", template, (value) => ["string", value]),
  ]);
}

function vocabulary(tokenizerJson: unknown, rows: number): Entries {
  if (isSentencePiece(tokenizerJson)) return sentencePieceEntries(tokenizerJson, rows);
  const parsed = v.safeParse(tokenizer, tokenizerJson);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw refusedTokenizer(
      `${v.getDotPath(issue) ?? "the file"}: ${issue.message}; expected byte-level BPE, unigram or sentencepiece`,
    );
  }
  const json = parsed.output;
  return json.model.type === "BPE" ? bytePairs(json, json.model, rows) : unigram(json, json.model, rows);
}

function sentencePieceEntries(tokenizerJson: unknown, rows: number): Entries {
  const { tokens: pieces, unknownId, hasPrefix } = sentencePieces(tokenizerJson);
  const tokens = padded(new Map(pieces), rows);
  return [
    [`${KEY}model`, ["string", "llama"]],
    [`${KEY}pre`, ["string", "default"]],
    ...vocabularyEntries(tokens),
    [`${KEY}scores`, ["f32s", tokens.map(({ score = 0 }) => score)]],
    [`${KEY}add_space_prefix`, ["bool", hasPrefix]],
    ...(unknownId === undefined ? [] : [[`${KEY}unknown_token_id`, ["u32", unknownId]] as const]),
  ];
}

type Entries = readonly (readonly [string, WrittenValue])[];

function bytePairs(
  json: TokenizerJson,
  { vocab, merges }: Extract<TokenizerJson["model"], { readonly type: "BPE" }>,
  rows: number,
): Entries {
  const pre = preTokenizerName(patternsOf(json.pre_tokenizer));
  if (pre === undefined) throw refusedTokenizer("pre_tokenizer: llama.cpp has no name for these patterns");
  const pieces = new Map(Object.entries(vocab).map(([piece, at]) => [at, { text: piece, type: TOKEN_TYPES.normal }]));
  const tokens = withAdded(pieces, json, rows);
  return [
    [`${KEY}model`, ["string", "gpt2"]],
    [`${KEY}pre`, ["string", pre]],
    ...vocabularyEntries(tokens),
    [`${KEY}merges`, ["strings", merges.map((pair) => (typeof pair === "string" ? pair : pair.join(" ")))]],
  ];
}

function unigram(
  json: TokenizerJson,
  { vocab }: Extract<TokenizerJson["model"], { readonly type: "Unigram" }>,
  rows: number,
): Entries {
  const { pre_tokenizer: pre } = json;
  if (pre.type !== "ByteLevel" || pre.use_regex || pre.add_prefix_space) {
    throw refusedTokenizer(
      "pre_tokenizer: a unigram vocabulary; expected ByteLevel without a prefix and without cutting",
    );
  }
  const pieces = new Map<number, Token>();
  for (const [at, [piece, score]] of vocab.entries()) {
    const token = ggufPiece(piece);
    if (!token)
      throw refusedTokenizer(
        `model.vocab: the piece ${quote(piece)} is no text of its own, which llama.cpp cannot hold`,
      );
    pieces.set(at, { ...token, score });
  }
  const tokens = withAdded(pieces, json, rows);
  // Only bytes that are no text lack a token there, which llama.cpp then writes as this one.
  const unknown = tokens.findIndex(({ text }) => text === "?");
  return [
    [`${KEY}model`, ["string", "t5"]],
    [`${KEY}pre`, ["string", "default"]],
    ...vocabularyEntries(tokens),
    [`${KEY}scores`, ["f32s", tokens.map(({ score = 0 }) => score)]],
    [`${KEY}add_space_prefix`, ["bool", false]],
    [`${KEY}remove_extra_whitespaces`, ["bool", false]],
    ...(unknown < 0 ? [] : [[`${KEY}unknown_token_id`, ["u32", unknown]] as const]),
  ];
}

function vocabularyEntries(tokens: readonly Token[]): Entries {
  return [
    [`${KEY}tokens`, ["strings", tokens.map(({ text }) => text)]],
    [`${KEY}token_type`, ["i32s", tokens.map(({ type }) => type)]],
  ];
}

/** Pieces and added tokens by id, one for each row of the embedding. */
function withAdded(pieces: Map<number, Token>, json: TokenizerJson, rows: number): readonly Token[] {
  for (const { id: at, content, special } of json.added_tokens) {
    pieces.set(at, { text: content, type: special ? TOKEN_TYPES.control : TOKEN_TYPES.userDefined });
  }
  return padded(pieces, rows);
}

function padded(pieces: ReadonlyMap<number, Token>, rows: number): readonly Token[] {
  const highest = [...pieces.keys()].reduce((most, at) => Math.max(most, at), -1);
  if (highest >= rows) throw refusedTokenizer(`the token ${highest}; the model has embeddings for ${rows}`);
  return Array.from({ length: rows }, (_, at) => pieces.get(at) ?? { text: `[PAD${at}]`, type: TOKEN_TYPES.unused });
}

function patternsOf(pre: TokenizerJson["pre_tokenizer"]): readonly string[] {
  const steps = pre.type === "Sequence" ? pre.pretokenizers : [pre];
  return steps.flatMap((step) => {
    if (step.type === "Split") return [step.pattern.Regex];
    return step.use_regex ? DEFAULT_PATTERNS : [];
  });
}
