import type { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { AddedTokens } from "./added-tokens.ts";
import type { Allowed } from "./added-tokens.ts";
import { mergeLongWords } from "./long-words.ts";
import type { AddedTokenEntry } from "./tokenizer-file.ts";

/** Pairs of offsets (UTF-16 units): start and end of parts of a text. */
export type Spans = readonly number[];

interface Rewritten {
  readonly text: string;
  readonly plain: Spans;
}

/**
 * Text to the vocabulary's pieces. The steps are the library's (normalizer, pre-tokenizer, model); added tokens are found
 * here, because the library knows neither words of their own nor parts of a text in which none may be found.
 */
export class Encoder {
  readonly #library: LibraryTokenizer;
  readonly #model: NonNullable<LibraryTokenizer["model"]>;
  readonly #byContent: ReadonlyMap<string, AddedTokenEntry>;
  /** Looked for in the text as it is, and in the normalized text. */
  readonly #raw: AddedTokens;
  readonly #normalized: AddedTokens;

  constructor(library: LibraryTokenizer, added: readonly AddedTokenEntry[]) {
    this.#library = library;
    const { model } = library;
    if (!model) throw new Error("the tokenizer has no model");
    this.#model = model;
    mergeLongWords(model);
    if (isUnigram(model)) {
      // The library's own gathers the pieces of a text with a spread, which has no room for those of a long one.
      Object.assign(model, { encode: (words: readonly string[]) => words.flatMap((word) => model.tokenize(word)) });
    }
    this.#byContent = new Map(added.map((token) => [token.content, token]));
    const { normalizer } = library;
    const isNormalized = ({ normalized }: AddedTokenEntry): boolean => normalized && normalizer !== null;
    this.#raw = new AddedTokens(added.filter((token) => !isNormalized(token)).map((token) => [token.content, token]));
    this.#normalized = new AddedTokens(
      added.filter(isNormalized).map((token) => [normalizer?.normalize(token.content) ?? token.content, token]),
    );
  }

  /**
   * @param plain parts of the text in which tokens that `steers` names are text like any other
   * @returns ids of added tokens, and pieces of the vocabulary
   */
  encode(text: string, plain: Spans, steers: (token: AddedTokenEntry) => boolean): (number | string)[] {
    const out: (number | string)[] = [];
    for (const [index, section] of this.#raw.split(text, outside(plain, steers)).entries()) {
      if (section.token) out.push(section.token.id);
      else this.#section(clip({ text, plain }, section.from, section.to), index, steers, out);
    }
    return out;
  }

  #section(
    piece: Rewritten,
    index: number,
    steers: (token: AddedTokenEntry) => boolean,
    out: (number | string)[],
  ): void {
    const { normalizer, pre_tokenizer } = this.#library;
    const model = this.#model;
    const whole = normalizer ? normalizer.normalize(piece.text) : piece.text;
    if (whole === "") return;
    const plain =
      normalizer && !this.#normalized.isEmpty ? moved(piece, whole, (text) => normalizer.normalize(text)) : piece.plain;
    for (const { from, to, token } of this.#normalized.split(whole, outside(plain, steers))) {
      if (token) {
        out.push(token.id);
        continue;
      }
      const part = whole.slice(from, to);
      const words: readonly string[] = pre_tokenizer
        ? pre_tokenizer.pre_tokenize(part, { section_index: index })
        : [part];
      // One by one: the library gathers a list's pieces with a spread, which has no room for those of a long text.
      for (const word of words) {
        for (const said of model([word])) {
          if (piece.plain.length > 0 && this.#steering(said, steers)) this.#spell(said, out);
          else out.push(said);
        }
      }
    }
  }

  /** Whether the model itself made a token that steers it: some vocabularies hold theirs among the words. */
  #steering(said: string, steers: (token: AddedTokenEntry) => boolean): boolean {
    const token = this.#byContent.get(said);
    return token !== undefined && steers(token);
  }

  /** The same text in smaller pieces. */
  #spell(said: string, out: (number | string)[]): void {
    for (const char of said) for (const one of this.#model([char])) out.push(one);
  }
}

function isUnigram(model: object): model is { readonly tokenize: (word: string) => readonly string[] } {
  return "tokenize" in model && typeof model.tokenize === "function";
}

/** Allows what lies apart from every part given. */
function outside(plain: Spans, steers: (token: AddedTokenEntry) => boolean): Allowed | undefined {
  if (plain.length === 0) return undefined;
  return (token, from, to) => !overlaps(plain, from, to) || !steers(token);
}

function overlaps(spans: Spans, from: number, to: number): boolean {
  // The first part that ends behind `from`, by halving.
  let low = 0;
  let high = spans.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[2 * middle + 1] ?? 0) <= from) low = middle + 1;
    else high = middle;
  }
  return 2 * low < spans.length && (spans[2 * low] ?? 0) < to;
}

function clip({ text, plain }: Rewritten, from: number, to: number): Rewritten {
  const spans: number[] = [];
  for (let i = 0; i < plain.length; i += 2) {
    const [start, end] = [Math.max(plain[i] ?? 0, from), Math.min(plain[i + 1] ?? 0, to)];
    if (start < end) spans.push(start - from, end - from);
  }
  return { text: text.slice(from, to), plain: spans };
}

/**
 * Where parts of a text lie after it was normalized. What a normalizer joins across a part's end (a letter and the accent
 * after it) counts to the part.
 */
function moved({ text, plain }: Rewritten, whole: string, normalize: (text: string) => string): Spans {
  if (text === whole) return plain;
  const spans: number[] = [];
  for (let i = 0; i < plain.length; i += 2) {
    const before = normalize(text.slice(0, plain[i]));
    const after = normalize(text.slice(plain[i + 1]));
    let start = 0;
    while (start < before.length && before[start] === whole[start]) start++;
    let end = whole.length;
    for (let back = after.length; back > 0 && end > start && after[back - 1] === whole[end - 1]; back--) end--;
    if (start < end) spans.push(Math.max(start, spans.at(-1) ?? 0), end);
  }
  return spans;
}
