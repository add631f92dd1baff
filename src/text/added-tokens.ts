import type { AddedTokenEntry } from "./tokenizer-file.ts";

/** A piece of text, or an added token that stands in it. */
export interface Section {
  readonly from: number;
  readonly to: number;
  readonly token?: AddedTokenEntry;
}

interface TrieNode {
  readonly next: Map<number, TrieNode>;
  token?: AddedTokenEntry;
}

const WORD = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]";
const ENDS_WITH_WORD = new RegExp(`${WORD}$`, "u");
const STARTS_WITH_WORD = new RegExp(`^${WORD}`, "u");
const SPACE = /^\p{White_Space}$/u;

/** Whether an added token may stand at a place of the text. */
export type Allowed = (token: AddedTokenEntry, from: number, to: number) => boolean;

/**
 * Finds added tokens in a text as the Hugging Face tokenizers library (in Rust) does: of those that begin at a place the
 * longest; one that is a word of its own (`single_word`) not beside a word's character; with `lstrip` and `rstrip` the
 * white space beside it belongs to it.
 */
export class AddedTokens {
  readonly #root: TrieNode = { next: new Map() };
  readonly isEmpty: boolean;

  /** @param contents texts to look for, with their tokens; of equal ones the last counts */
  constructor(contents: Iterable<readonly [string, AddedTokenEntry]>) {
    let count = 0;
    for (const [content, token] of contents) {
      if (content === "") continue;
      let node = this.#root;
      for (let i = 0; i < content.length; i++) {
        const unit = content.charCodeAt(i);
        let next = node.next.get(unit);
        if (!next) node.next.set(unit, (next = { next: new Map() }));
        node = next;
      }
      node.token = token;
      count++;
    }
    this.isEmpty = count === 0;
  }

  /** @returns the whole text as sections, in order; none is empty */
  split(text: string, allowed?: Allowed): Section[] {
    if (this.isEmpty) return text === "" ? [] : [{ from: 0, to: text.length }];
    const sections: Section[] = [];
    let start = 0;
    let at = 0;
    while (at < text.length) {
      const found = this.#longest(text, at, allowed);
      if (!found) {
        at++;
        continue;
      }
      const { token, end } = found;
      at = end;
      if (token.singleWord && touchesWord(text, found.begin, end)) continue;
      let from = found.begin;
      let to = end;
      if (token.lstrip) while (from > start && SPACE.test(text.charAt(from - 1))) from--;
      if (token.rstrip) while (to < text.length && SPACE.test(text.charAt(to))) to++;
      if (from > start) sections.push({ from: start, to: from });
      sections.push({ from, to, token });
      start = to;
      at = Math.max(at, to);
    }
    if (start < text.length) sections.push({ from: start, to: text.length });
    return sections;
  }

  #longest(text: string, begin: number, allowed?: Allowed) {
    let node = this.#root.next.get(text.charCodeAt(begin));
    let found: { readonly token: AddedTokenEntry; readonly begin: number; readonly end: number } | undefined;
    for (let end = begin + 1; node; end++) {
      if (node.token && (!allowed || allowed(node.token, begin, end))) found = { token: node.token, begin, end };
      node = node.next.get(text.charCodeAt(end));
    }
    return found;
  }
}

function touchesWord(text: string, from: number, to: number): boolean {
  // Two units are enough for any character.
  return ENDS_WITH_WORD.test(text.slice(Math.max(0, from - 2), from)) || STARTS_WITH_WORD.test(text.slice(to, to + 2));
}
