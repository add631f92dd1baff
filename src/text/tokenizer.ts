import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { R1Error } from "../errors.ts";
import { createPieceDecoder } from "./piece-decoder.ts";
import type { PieceDecoder } from "./piece-decoder.ts";
import { readSpecialTokens } from "./special-tokens.ts";
import type { SpecialTokenFiles } from "./special-tokens.ts";
import { StreamDecoder } from "./stream-decoder.ts";
import type { DecodeOptions, TokenSource } from "./stream-decoder.ts";
import { THINK_END, THINK_START } from "./tags.ts";
import { checkTokenizerFile } from "./tokenizer-file.ts";
import type { TokenizerFile } from "./tokenizer-file.ts";

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
  readonly #added: ReadonlySet<number>;
  readonly #special: ReadonlySet<number>;

  constructor(file: TokenizerFile, files: SpecialTokenFiles) {
    this.pieces = createPieceDecoder(file.json["decoder"]);
    this.#tokenizer = build(file);
    const { bosToken, eosToken, bosId, eosIds } = readSpecialTokens(files, (token) => this.idOf(token));
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
   * added in front or behind.
   * @throws R1Error E_TOKENIZER for a piece that the vocabulary cannot express, when it has no unknown token, and for a
   * `tokenizer.json` whose fault shows only now
   */
  encode(text: string): number[] {
    const { ids, tokens } = usable(() => this.#tokenizer.encode(text, { add_special_tokens: false }));
    const missing = ids.findIndex((id) => typeof id !== "number");
    if (missing >= 0) {
      const piece = JSON.stringify(tokens[missing]);
      throw new R1Error("E_TOKENIZER", `the vocabulary has no token for ${piece} and no unknown token`);
    }
    return ids;
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
  return usable(() => new LibraryTokenizer(parts, { unk_token: unkToken }));
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
