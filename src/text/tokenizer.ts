import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { R1Error } from "../errors.ts";
import { Encoder } from "./encoder.ts";
import type { Spans } from "./encoder.ts";
import { boundPatterns } from "./pattern/bound-patterns.ts";
import { createPieceDecoder } from "./piece-decoder.ts";
import type { PieceDecoder } from "./piece-decoder.ts";
import { readSpecialTokens } from "./special-tokens.ts";
import type { SpecialTokenFiles } from "./special-tokens.ts";
import { StreamDecoder } from "./stream-decoder.ts";
import type { DecodeOptions, TokenSource } from "./stream-decoder.ts";
import { THINK_END, THINK_START } from "./tags.ts";
import { checkTokenizerFile } from "./tokenizer-file.ts";
import type { AddedTokenEntry, TokenizerFile } from "./tokenizer-file.ts";

/** Parsed JSON of a checkpoint's files; all but `tokenizer.json` may be absent. */
export interface TokenizerFiles extends SpecialTokenFiles {
  readonly tokenizerJson: unknown;
}

/**
 * Builds a tokenizer from parsed files, which are checked first.
 * @throws R1Error E_TOKENIZER naming file and field
 */
export function createTokenizer({ tokenizerJson, ...files }: TokenizerFiles): Tokenizer {
  return new Tokenizer(checkTokenizerFile(tokenizerJson), files);
}

export interface EncodeOptions {
  /** Parts of the text (start and end of each, in UTF-16 units) in which no token that steers the model is parsed. */
  readonly plain?: Spans;
  /** Source of the chat template: the added tokens that it writes steer the model. */
  readonly template?: string;
}

/** Names of HTML's elements, which some vocabularies (Gemma's) hold as tokens of ordinary text. */
const HTML =
  /^<\/?(?:a|b|i|u|s|em|strong|code|pre|sub|sup|p|br|hr|ul|ol|li|dl|dt|dd|h[1-6]|table|caption|thead|tbody|tfoot|tr|th|td|blockquote|div|span|img)\/?>$/;

/**
 * Whether an added token steers the model, so that it must not come of what a reader types: one that is flagged as
 * special, one that the template writes, and, because R1's own role names have no flag, whatever has the look of a tag.
 * Runs of spaces, words and elements of HTML are ordinary text.
 */
function steersModel({ content, special }: AddedTokenEntry, template: string): boolean {
  if (special) return true;
  const bare = content.trim();
  if (bare === "" || HTML.test(bare)) return false;
  return /^(?:<.+>|\[.+\])$/s.test(bare) || (bare.length > 1 && template.includes(bare));
}

/** Text to ids and back. No special token is ever added: a rendered chat template already holds BOS. */
class Tokenizer implements TokenSource {
  /** As the chat template sees them. */
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
  readonly bosId: number | undefined;
  /** Tokens that end a text. */
  readonly eosIds: readonly number[];
  /** Ids of `<think>` and `</think>` where these are single tokens. */
  readonly thinkStartId: number | undefined;
  readonly thinkEndId: number | undefined;
  /** Highest id + 1; the model's embedding may have more rows. */
  readonly vocabSize: number;
  readonly pieces: PieceDecoder;
  readonly #tokenizer: LibraryTokenizer;
  readonly #encoder: Encoder;
  readonly #unkToken: string | undefined;
  readonly #added: ReadonlySet<number>;
  readonly #special: ReadonlySet<number>;

  constructor(file: TokenizerFile, files: SpecialTokenFiles) {
    this.pieces = createPieceDecoder(file.json["decoder"]);
    this.#tokenizer = build(file);
    this.#encoder = usable(() => new Encoder(this.#tokenizer, file.addedTokens));
    this.#unkToken = file.unkToken;
    const { bosToken, eosToken, bosId, eosIds } = readSpecialTokens(
      { ...files, addedTokens: file.addedTokens.map(({ content }) => content) },
      (token) => this.idOf(token),
    );
    this.bosToken = bosToken;
    this.eosToken = eosToken;
    this.bosId = bosId;
    this.eosIds = eosIds;
    this.thinkStartId = this.idOf(THINK_START);
    this.thinkEndId = this.idOf(THINK_END);
    this.vocabSize = 1 + highestId(this.#tokenizer);
    this.#added = new Set(file.addedTokens.map(({ id }) => id));
    const special = new Set(file.addedTokens.filter((token) => token.special).map(({ id }) => id));
    for (const id of eosIds) special.add(id);
    if (bosId !== undefined) special.add(bosId);
    // Some conversions flag the tags as special; a reader wants to see where a thought ends all the same.
    for (const id of [this.thinkStartId, this.thinkEndId]) if (id !== undefined) special.delete(id);
    this.#special = special;
  }

  /**
   * Token ids of a text. Added tokens written out in the text (`<think>`, `<｜User｜>`) become their ids; nothing is
   * added in front or behind. In the parts that are `plain`, tokens that steer the model are not parsed: what a reader
   * types is text.
   * @throws R1Error E_TOKENIZER for a piece that the vocabulary cannot express, when it has no unknown token, and for a
   * `tokenizer.json` whose fault shows only now
   */
  encode(text: string, { plain = [], template = "" }: EncodeOptions = {}): number[] {
    const steers = (token: AddedTokenEntry): boolean => this.isSpecial(token.id) || steersModel(token, template);
    const said = usable(() => this.#encoder.encode(text, plain, steers));
    const unknown =
      this.#tokenizer.model?.unk_token_id ?? (this.#unkToken === undefined ? undefined : this.idOf(this.#unkToken));
    return said.map((piece) => {
      const id = typeof piece === "number" ? piece : (this.idOf(piece) ?? unknown);
      if (id !== undefined) return id;
      throw new R1Error("E_TOKENIZER", `the vocabulary has no token for ${JSON.stringify(piece)} and no unknown token`);
    });
  }

  /**
   * The text of token ids; id by id, `StreamDecoder` gives the same. Spaces are never "cleaned up", so that encoding and
   * decoding are inverse.
   */
  decode(ids: readonly number[], options: DecodeOptions = {}): string {
    const decoder = new StreamDecoder(this, options);
    return ids.map((id) => decoder.push(id)).join("") + decoder.flush();
  }

  /** The vocabulary's piece as it is stored (byte-level pieces are not readable text). */
  tokenOf(id: number): string | undefined {
    return this.#tokenizer.id_to_token(id);
  }

  idOf(token: string): number | undefined {
    return this.#tokenizer.token_to_id(token);
  }

  /** Whether the token lies outside the trained vocabulary (special tokens, role names, tags). */
  isAdded(id: number): boolean {
    return this.#added.has(id);
  }

  /** Whether the token steers the model and is not text for a reader. */
  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }
}

// Only `createTokenizer` makes one, from files that it has checked.
export type { Tokenizer };

function build({ json, unkToken }: TokenizerFile): LibraryTokenizer {
  const { normalizer = null, pre_tokenizer = null, added_tokens = [], model } = json;
  // The post-processor only adds special tokens, which is the template's work here; decoding is this room's own.
  const parts = { model, normalizer, pre_tokenizer, added_tokens, post_processor: null, decoder: null };
  return usable(() => {
    const library = new LibraryTokenizer(parts, { unk_token: unkToken });
    boundPatterns(library.normalizer);
    boundPatterns(library.pre_tokenizer);
    return library;
  });
}

/** The library finds some faults of a file only as it uses it, by failing in its own way. */
function usable<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new R1Error("E_TOKENIZER", `tokenizer.json cannot be used: ${reason}`, {}, { cause: error });
  }
}

function highestId(tokenizer: LibraryTokenizer): number {
  let highest = -1;
  for (const id of tokenizer.get_vocab().values()) if (id > highest) highest = id;
  return highest;
}
