import { MAX_JSON_DEPTH } from "./json.ts";
import { quote } from "./quote.ts";

export type JsonKind = "object" | "array" | "string" | "number" | "true" | "false" | "null";

const LITERALS = ["true", "false", "null"] as const;

/**
 * Reads JSON piece by piece, as the caller expects it to be. Unlike JSON.parse it sees a key that appears twice
 * (also when one is written with escapes), keeps numbers as they are written, refuses lone surrogates,
 * and builds no object whose keys come from the file.
 */
export class JsonScanner {
  readonly #text: string;
  readonly #failure: (problem: string) => Error;
  #at = 0;
  #depth = 0;

  /** @param failure makes the error that is thrown for text which is not JSON */
  constructor(text: string, failure: (problem: string) => Error) {
    this.#text = text;
    this.#failure = failure;
  }

  /** What the next value is, without taking it. */
  kind(): JsonKind {
    this.#skipSpace();
    const character = this.#text[this.#at];
    if (character === "{") return "object";
    if (character === "[") return "array";
    if (character === '"') return "string";
    if (character === "-" || isDigit(this.#text.charCodeAt(this.#at))) return "number";
    return LITERALS.find((word) => this.#text.startsWith(word, this.#at)) ?? this.#fail("expected a value");
  }

  /** Takes an object; `member` is called after each key and must take its value. */
  object(member: (key: string) => void): void {
    const keys = new Set<string>();
    this.#items("{", "}", () => {
      const key = this.string();
      if (keys.has(key)) throw this.#failure(`key ${quote(key)} appears twice in one object`);
      keys.add(key);
      this.#take(":");
      member(key);
    });
  }

  /** Takes an array; `element` is called before each element and must take it. */
  array(element: () => void): void {
    this.#items("[", "]", element);
  }

  string(): string {
    this.#take('"');
    const start = this.#at;
    let escaped = false;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === QUOTE) break;
      if (Number.isNaN(code)) throw this.#failure(`the string at character ${start} has no end`);
      if (code < SPACE) this.#fail("expected no control character in a string");
      if (code === BACKSLASH) {
        escaped = true;
        this.#at++;
      }
      this.#at++;
    }
    const raw = this.#text.slice(start, this.#at++);
    return escaped ? this.#unescape(raw, start) : raw;
  }

  /** A number as it is written. */
  number(): string {
    this.#skipSpace();
    const start = this.#at;
    if (this.#text[this.#at] === "-") this.#at++;
    if (this.#text[this.#at] === "0") this.#at++;
    else this.#digits();
    if (this.#text[this.#at] === ".") {
      this.#at++;
      this.#digits();
    }
    if (this.#text[this.#at] === "e" || this.#text[this.#at] === "E") {
      this.#at++;
      if (this.#text[this.#at] === "+" || this.#text[this.#at] === "-") this.#at++;
      this.#digits();
    }
    return this.#text.slice(start, this.#at);
  }

  /** Takes any value and drops it. */
  skip(): void {
    const kind = this.kind();
    if (kind === "object") this.object(() => this.skip());
    else if (kind === "array") this.array(() => this.skip());
    else if (kind === "string") this.string();
    else if (kind === "number") this.number();
    else this.#at += kind.length;
  }

  /** Only white space may follow. */
  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail("expected nothing more");
  }

  #items(open: string, close: string, item: () => void): void {
    this.#take(open);
    if (++this.#depth > MAX_JSON_DEPTH) throw this.#failure(`JSON nested more than ${MAX_JSON_DEPTH} levels deep`);
    if (!this.#takeIf(close)) {
      do item();
      while (this.#takeIf(","));
      this.#take(close);
    }
    this.#depth--;
  }

  #unescape(raw: string, start: number): string {
    const value = literalValue(`"${raw}"`);
    if (value === undefined) {
      throw this.#failure(`the string at character ${start} has an escape that JSON does not know`);
    }
    if (/\p{Cs}/u.test(value)) throw this.#failure(`the string at character ${start} has half a surrogate pair`);
    return value;
  }

  #digits(): void {
    if (!isDigit(this.#text.charCodeAt(this.#at))) this.#fail("expected a digit");
    while (isDigit(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #takeIf(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #take(character: string): void {
    if (!this.#takeIf(character)) this.#fail(`expected ${character}`);
  }

  #skipSpace(): void {
    while (SPACES.has(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #fail(expected: string): never {
    const character = this.#text[this.#at];
    const found = character === undefined ? "the end" : quote(character);
    throw this.#failure(`${expected} at character ${this.#at}, found ${found}`);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
/** Space, tab, line feed, carriage return: all the white space that JSON has. */
const SPACES: ReadonlySet<number> = new Set([SPACE, 0x09, 0x0a, 0x0d]);

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** The string that a JSON literal stands for. */
function literalValue(literal: string): string | undefined {
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
