import type { PieceDecoder } from "./piece-decoder.ts";

/** What a stream decoder needs of a tokenizer. */
export interface TokenSource {
  readonly pieces: PieceDecoder;
  tokenOf(id: number): string | undefined;
  isAdded(id: number): boolean;
  isSpecial(id: number): boolean;
}

export interface DecodeOptions {
  /**
   * Special tokens (BOS, EOS, padding) give no text; role names and the tags of a thought always do. False by default, as
   * in transformers.
   */
  readonly skipSpecialTokens?: boolean;
}

/**
 * Turns token ids, one by one, into text. A token may hold only part of a character's UTF-8 bytes: those wait for the
 * rest. Joined, the pieces equal the whole sequence decoded at once; each token is decoded once, whatever came before.
 * Ids without a token (padded rows of the embedding) give no text.
 */
export class StreamDecoder {
  readonly #tokens: TokenSource;
  readonly #skipSpecialTokens: boolean;
  // The byte order mark is text here, not a signature.
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #first = true;
  #strip: number;

  constructor(tokens: TokenSource, { skipSpecialTokens = false }: DecodeOptions = {}) {
    this.#tokens = tokens;
    this.#skipSpecialTokens = skipSpecialTokens;
    this.#strip = tokens.pieces.strip?.most ?? 0;
  }

  /** @returns the text that this token completes; empty while a character is incomplete */
  push(id: number): string {
    const token = this.#tokens.tokenOf(id);
    if (token === undefined || (this.#skipSpecialTokens && this.#tokens.isSpecial(id))) return "";
    const { pieces } = this.#tokens;
    const piece = pieces.decode(token, this.#tokens.isAdded(id));
    const separator = this.#first ? "" : pieces.separator;
    this.#first = false;
    if ("bytes" in piece) return this.#stripStart(this.#utf8.decode(piece.bytes, { stream: true }));
    return this.#stripStart(this.#utf8.decode() + separator + piece.text);
  }

  /** Ends the text: bytes still waiting for the rest of their character become U+FFFD. The decoder can be used again. */
  flush(): string {
    const rest = this.#stripStart(this.#utf8.decode());
    this.#first = true;
    this.#strip = this.#tokens.pieces.strip?.most ?? 0;
    return rest;
  }

  #stripStart(text: string): string {
    const char = this.#tokens.pieces.strip?.char;
    let start = 0;
    while (this.#strip > 0 && start < text.length) {
      if (text[start] === char) {
        start++;
        this.#strip--;
      } else this.#strip = 0;
    }
    return text.slice(start);
  }
}
