/* oxlint-disable no-underscore-dangle -- the parser's own names */
import { characterBefore, closesAfterPunctuation, mayClose, mayOpen } from "./attention.ts";
import type { Flanks } from "./attention.ts";

/** What of the parser's inner workings is used here; a code is a UTF-16 unit, or null or negative at a line's end. */
type Code = number | null;
type State = (code: Code) => State | undefined;
interface Token {
  _open?: boolean;
  _close?: boolean;
}
interface Effects {
  readonly enter: (type: string) => Token;
  readonly exit: (type: string) => Token;
  readonly consume: (code: Code) => void;
}
interface Place {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
  readonly _index: number;
  readonly _bufferIndex: number;
}
interface TokenizeContext {
  readonly previous: Code;
  readonly now: () => Place;
  readonly sliceSerialize: (token: { readonly start: Place; readonly end: Place }) => string;
}
type Tokenize = (this: TokenizeContext, effects: Effects, ok: State, nok: State) => State;
interface Construct {
  readonly tokenize: Tokenize;
}
interface Extension {
  readonly text?: Readonly<Record<number, unknown>>;
  readonly disable?: { readonly null: readonly string[] };
}

const ASTERISK = 42;
const UNDERSCORE = 95;
const TILDE = 126;

/**
 * Of CommonMark and GFM, what takes away text that a model means: blocks of HTML (what is within `<answer>` is read, and
 * the tags are shown), underlines as headings (`=` and `-` lines belong to a sum), definitions of links and footnotes (which are
 * not shown at all).
 */
const DISABLED = [
  "htmlFlow",
  "setextUnderline",
  "definition",
  "gfmFootnoteDefinition",
  "gfmFootnoteCall",
  "gfmPotentialFootnoteCall",
];

/** Reads markdown as models mean it; after the plugins whose emphasis and strikethrough it narrows down. */
export function remarkModelMarkdown(this: { data(): object }): void {
  // oxlint-disable-next-line oxc/no-this-in-exported-function -- a plugin is called on its processor
  const data: { micromarkExtensions?: unknown[] } = this.data();
  const extensions = (data.micromarkExtensions ??= []);
  const text: Record<number, unknown> = { [UNDERSCORE]: identifier };
  const before = extensions.flat().filter(isExtension);
  const own: Extension[] = [{ disable: { null: DISABLED } }];
  for (const sign of [ASTERISK, UNDERSCORE, TILDE]) {
    const construct = before.flatMap((extension) => extension.text?.[sign]).findLast(isConstruct);
    if (construct) own.push({ text: { [sign]: { ...construct, tokenize: narrowed(construct.tokenize) } } });
  }
  // What comes last is tried first.
  extensions.push(...own, { text });
}

function isExtension(value: unknown): value is Extension {
  return typeof value === "object" && value !== null;
}

function isConstruct(value: unknown): value is Construct {
  return typeof value === "object" && value !== null && "tokenize" in value;
}

/** The same runs of signs, of which fewer open and close. */
function narrowed(tokenize: Tokenize): Tokenize {
  /** What is open in each text that is read. */
  const openIn = new WeakMap<TokenizeContext, Flanks[]>();
  return function narrowedTokenize(this: TokenizeContext, effects, ok, nok) {
    const before = previousOf(this);
    const open = openIn.get(this) ?? [];
    openIn.set(this, open);
    let size = 0;
    let run: Token | undefined;
    const watched: Effects = {
      ...effects,
      consume: (code) => {
        size++;
        effects.consume(code);
      },
      exit: (type) => (run = effects.exit(type)),
    };
    const done: State = (code) => {
      const flanks: Flanks = { before, after: characterOf(code), size };
      if (run?._open === true && !mayOpen(flanks)) run._open = false;
      const isOpen = open.some((other) => other.size === size);
      if (run?._close === true && !mayClose(flanks, open.at(-1))) run._close = false;
      else if (run && closesAfterPunctuation(flanks)) run._close = true;
      if (run?._close === true && isOpen) open.length = open.findLastIndex((other) => other.size === size);
      else if (run?._open === true) open.push(flanks);
      return ok(code);
    };
    return tokenize.call(this, watched, done, nok);
  };
}

function characterOf(code: Code): string {
  if (code === null || code < 0) return "";
  // Of a pair only the first unit is known yet; characters that share it are of one kind: letters of formulas, faces, Han.
  return isHigh(code) ? String.fromCodePoint(0x10000 + (code - 0xd800) * 0x400) : String.fromCharCode(code);
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}

/** The whole character before what is read now. */
function previousOf(context: TokenizeContext): string {
  const code = context.previous;
  const end = context.now();
  if (code === null || code < 0xdc00 || code > 0xdfff || end._bufferIndex < 2) return characterOf(code);
  return characterBefore(context.sliceSerialize({ start: { ...end, _bufferIndex: end._bufferIndex - 2 }, end }), 2);
}

/** `__init__`: a name in lower case is Python's, not a word that is stressed. */
const identifier: Construct = {
  tokenize(effects, ok, nok) {
    let size = 0;
    let isName = false;
    const isWord = (code: Code): boolean => code !== null && code >= 0 && /\w/.test(String.fromCharCode(code));
    const start: State = (code) => {
      if (isWord(this.previous)) return nok(code);
      effects.enter("data");
      return opening(code);
    };
    const opening: State = (code) => {
      if (code !== UNDERSCORE) return size === 2 && code !== null && code >= 97 && code <= 122 ? name(code) : nok(code);
      size++;
      effects.consume(code);
      return opening;
    };
    const name: State = (code) => {
      if (code === UNDERSCORE) {
        size = 0;
        return closing(code);
      }
      if (code === null || !/[a-z0-9]/.test(characterOf(code))) return nok(code);
      effects.consume(code);
      return name;
    };
    const closing: State = (code) => {
      if (code === UNDERSCORE) {
        size++;
        effects.consume(code);
        return closing;
      }
      isName = size === 2;
      if (!isName) return size === 1 ? name(code) : nok(code);
      if (isWord(code)) return nok(code);
      effects.exit("data");
      return ok(code);
    };
    return start;
  },
};
