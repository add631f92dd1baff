import type { Token } from "./latex-tokens.ts";
import { MAX_DEPTH } from "./limits.ts";

/** Thrown inside the parser alone; `parseAnswer` turns it into undefined. */
export class Unparseable extends Error {
  override readonly name = "Unparseable";
}

/** A position in a row of tokens, with a bound on how deep the parser goes. */
export class TokenCursor {
  readonly #tokens: Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = [...tokens];
  }

  peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#at + ahead];
  }

  next(): Token {
    const token = this.#tokens[this.#at++];
    if (!token) throw new Unparseable("the answer ends too early");
    return token;
  }

  /** Puts other tokens in the place of the next one. */
  replace(tokens: readonly Token[]): void {
    this.#tokens.splice(this.#at, 1, ...tokens);
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** True where the next token is this sign or command. */
  at(...texts: readonly string[]): boolean {
    const token = this.peek();
    return token !== undefined && (token.kind === "sign" || token.kind === "command") && texts.includes(token.text);
  }

  /** The next token's text where it is a sign or command of the set. */
  among(texts: { has: (text: string) => boolean }): string | undefined {
    const token = this.peek();
    const isSign = token !== undefined && (token.kind === "sign" || token.kind === "command");
    return isSign && texts.has(token.text) ? token.text : undefined;
  }

  /** Takes the next token if it is this sign or command. */
  take(...texts: readonly string[]): string | undefined {
    return this.at(...texts) ? this.next().text : undefined;
  }

  expect(...texts: readonly string[]): string {
    const found = this.take(...texts);
    if (found === undefined) throw new Unparseable(`expected ${texts.join(" or ")}`);
    return found;
  }

  /** @throws Unparseable where the answer nests deeper than {@link MAX_DEPTH} */
  nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new Unparseable("nested too deeply");
    const value = parse();
    this.#depth--;
    return value;
  }
}
