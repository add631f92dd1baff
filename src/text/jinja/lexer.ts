import { TemplateError } from "./error.ts";

export type TokenType =
  | "data"
  | "variable_begin"
  | "variable_end"
  | "block_begin"
  | "block_end"
  | "name"
  | "string"
  | "integer"
  | "float"
  | "operator"
  | "eof";

export interface Token {
  readonly type: TokenType;
  /** Text of a name, an operator or data; the value of a string; the digits of a number. */
  readonly value: string;
  readonly line: number;
}

// A tag, with the sign that strips or keeps the white space before it; `raw` first, since it is a tag as well.
const TAG = /\{%([-+]?)\s*raw\s*(?:-%\}\s*|%\})|\{([%{#])([-+]?)/g;
const END_RAW = /\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\}\n?)/g;
const END_COMMENT = /\+#\}|-#\}\s*|#\}\n?/g;
const BLOCK_END = /\+%\}|-%\}\s*|%\}\n?/y;
const VARIABLE_END = /-\}\}\s*|\}\}/y;
const SPACE = /\s+/y;
const FLOAT = /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const NAME = /[\p{L}\p{M}\p{N}_]+/uy;
const IDENTIFIER = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u;
const STRING = /'(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*"/y;
const OPERATOR = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}<>=.:|,;]/y;
const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/**
 * Cuts a template into tokens, as Jinja2 does with `trim_blocks` and `lstrip_blocks`: a newline after a block or a comment
 * goes, and so does the space before one that begins its line; `-` strips all white space on its side, `+` keeps it.
 * @throws TemplateError for what no token begins with, and for a tag that does not end
 */
export function tokenize(template: string): Token[] {
  return new Lexer(template.replace(/\r\n?/g, "\n").replace(/\n$/, "")).run();
}

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;
  #lineStarts = true;

  constructor(source: string) {
    this.#source = source;
  }

  run(): Token[] {
    const source = this.#source;
    while (this.#at < source.length) {
      TAG.lastIndex = this.#at;
      const found = TAG.exec(source);
      if (!found) {
        this.#push("data", source.slice(this.#at));
        break;
      }
      const [tag, rawSign, kind] = found;
      const sign = rawSign ?? found[3] ?? "";
      this.#data(source.slice(this.#at, found.index), sign, kind === "{");
      this.#move(found.index + tag.length);
      if (kind === undefined) this.#raw();
      else if (kind === "#") this.#skip(END_COMMENT, "comment tag");
      else if (kind === "{") this.#inside("variable_begin", "variable_end", VARIABLE_END);
      else this.#inside("block_begin", "block_end", BLOCK_END);
    }
    this.#push("eof", "");
    return this.#tokens;
  }

  /** Text before a tag, stripped as the tag's sign says. */
  #data(text: string, sign: string, isVariable: boolean): void {
    let kept = text;
    if (sign === "-") kept = text.trimEnd();
    else if (sign !== "+" && !isVariable) {
      const lineStart = text.lastIndexOf("\n") + 1;
      if ((lineStart > 0 || this.#lineStarts) && text.slice(lineStart).trim() === "") kept = text.slice(0, lineStart);
    }
    if (kept !== "") this.#push("data", kept);
  }

  #raw(): void {
    const from = this.#at;
    END_RAW.lastIndex = from;
    const end = END_RAW.exec(this.#source);
    if (!end) throw this.#error("Missing end of raw directive");
    this.#data(this.#source.slice(from, end.index), end[1] ?? "", false);
    this.#move(end.index + end[0].length);
  }

  #skip(end: RegExp, what: string): void {
    end.lastIndex = this.#at;
    const found = end.exec(this.#source);
    if (!found) throw this.#error(`Missing end of ${what}`);
    this.#move(found.index + found[0].length);
  }

  #inside(begin: TokenType, end: TokenType, endPattern: RegExp): void {
    this.#push(begin, "");
    const open: string[] = [];
    for (;;) {
      const closed = open.length === 0 ? this.#match(endPattern) : undefined;
      if (closed !== undefined) {
        this.#push(end, "");
        this.#move(this.#at + closed.length);
        return;
      }
      if (this.#at >= this.#source.length) throw this.#error("unexpected end of template");
      const text = this.#one(open);
      this.#move(this.#at + text.length);
    }
  }

  /** One token of a tag. @returns its text */
  #one(open: string[]): string {
    const space = this.#match(SPACE);
    if (space !== undefined) return space;
    const float = this.#match(FLOAT);
    if (float !== undefined) return this.#push("float", float.replaceAll("_", ""), float);
    const integer = this.#match(INTEGER);
    if (integer !== undefined) return this.#push("integer", integer.replaceAll("_", ""), integer);
    const name = this.#match(NAME);
    if (name !== undefined) {
      if (!IDENTIFIER.test(name)) throw this.#error("Invalid character in identifier");
      return this.#push("name", name, name);
    }
    const string = this.#match(STRING);
    if (string !== undefined) return this.#push("string", unescape(string.slice(1, -1)), string);
    const operator = this.#match(OPERATOR);
    if (operator === undefined) {
      throw this.#error(`unexpected char ${JSON.stringify(this.#source[this.#at])} at ${this.#at}`);
    }
    const closing = CLOSING[operator];
    if (closing !== undefined) open.push(closing);
    else if (operator === ")" || operator === "]" || operator === "}") {
      const expected = open.pop();
      if (expected === undefined) throw this.#error(`unexpected '${operator}'`);
      if (expected !== operator) throw this.#error(`unexpected '${operator}', expected '${expected}'`);
    }
    return this.#push("operator", operator, operator);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#source)?.[0];
  }

  #push(type: TokenType, value: string, text = ""): string {
    this.#tokens.push({ type, value, line: this.#line });
    return text;
  }

  #move(to: number): void {
    const passed = this.#source.slice(this.#at, to);
    this.#line += passed.split("\n").length - 1;
    this.#lineStarts = passed.endsWith("\n");
    this.#at = to;
  }

  #error(message: string): TemplateError {
    return new TemplateError(`line ${this.#line}: ${message}`);
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Python's escapes in a string (codec `unicode-escape`); what is none stays as it is. */
function unescape(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(
    /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{1,3})|([^]))/g,
    (whole, x?: string, u?: string, long?: string, octal?: string, char?: string) => {
      const hex = x ?? u ?? long;
      if (hex !== undefined) {
        const code = Number.parseInt(hex, 16);
        if (code > 0x10ffff) throw new TemplateError("illegal Unicode character");
        return String.fromCodePoint(code);
      }
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      if (char === "x" || char === "u" || char === "U" || char === "N") {
        throw new TemplateError(`truncated \\${char} escape in a string`);
      }
      return ESCAPES[char ?? ""] ?? whole;
    },
  );
}
