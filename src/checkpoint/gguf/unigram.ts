import { BYTE_OF_CHAR, CHAR_OF_BYTE } from "../../text/byte-level.ts";
import { TOKEN_TYPES } from "./token-types.ts";

/** How unigram vocabularies of llama.cpp write a space. */
const SPACE = "\u2581";
const BYTE_TOKEN = /^<0x([0-9A-F]{2})>$/;

/** A piece as GGUF's unigram vocabularies write it: text with ▁ for spaces, or a byte that is no text of its own. */
export interface UnigramPiece {
  readonly text: string;
  readonly type: number;
}

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A byte-level piece as GGUF writes it; undefined for what it cannot hold: several bytes that are no text. */
export function ggufPiece(piece: string): UnigramPiece | undefined {
  const found = Array.from(piece, (char) => BYTE_OF_CHAR.get(char));
  if (found.includes(undefined)) return undefined;
  const bytes = Uint8Array.from(found, (byte) => byte ?? 0);
  const [only] = bytes;
  if (bytes.length === 1 && only !== undefined && only >= 0x80) {
    return { text: `<0x${only.toString(16).toUpperCase()}>`, type: TOKEN_TYPES.byte };
  }
  try {
    const text = STRICT.decode(bytes);
    return text.includes(SPACE) ? undefined : { text: text.replaceAll(" ", SPACE), type: TOKEN_TYPES.normal };
  } catch {
    return undefined;
  }
}

/** The way back of {@link ggufPiece}. */
function byteLevelPiece(text: string, type: number | undefined): string {
  const hex = type === TOKEN_TYPES.byte ? BYTE_TOKEN.exec(text)?.[1] : undefined;
  const bytes = hex === undefined ? new TextEncoder().encode(text.replaceAll(SPACE, " ")) : [Number.parseInt(hex, 16)];
  return Array.from(bytes, (byte) => CHAR_OF_BYTE[byte] ?? "").join("");
}

const ADDED: ReadonlySet<number | undefined> = new Set([
  TOKEN_TYPES.control,
  TOKEN_TYPES.userDefined,
  TOKEN_TYPES.unused,
]);

/** Bytes that no text has, and vocabularies may leave out. */
function isNeverInUtf8(byte: number): boolean {
  return byte === 0xc0 || byte === 0xc1 || byte >= 0xf5;
}

/**
 * A unigram vocabulary in the byte-level alphabet, up to the first of the added tokens behind it.
 * @returns pairs of piece and score; undefined where a byte of texts has no token, or an added token lies between the pieces
 */
export function byteLevelUnigram(
  tokens: readonly string[],
  types: ArrayLike<number>,
  scores: ArrayLike<number>,
): readonly (readonly [string, number])[] | undefined {
  const first = tokens.findIndex((_, id) => ADDED.has(types[id]));
  const count = first < 0 ? tokens.length : first;
  if (tokens.some((_, id) => id >= count && !ADDED.has(types[id]))) return undefined;
  const vocab = tokens.slice(0, count).map((token, id) => [byteLevelPiece(token, types[id]), scores[id] ?? 0] as const);
  const pieces = new Set(vocab.map(([piece]) => piece));
  return CHAR_OF_BYTE.every((char, byte) => isNeverInUtf8(byte) || pieces.has(char)) ? vocab : undefined;
}
