import { R1Error } from "../errors.ts";
import { BYTE_OF_CHAR } from "./byte-level.ts";
import { asObject, wrongField } from "./fields.ts";

/** What one token adds to the text: bytes of a character that others may complete, or whole characters. */
export type Piece = { readonly bytes: Uint8Array } | { readonly text: string };

/** The `decoder` of a `tokenizer.json`, token by token: what makes streaming possible without decoding anything twice. */
export interface PieceDecoder {
  /** @param added whether the token is an added one, which byte-level decoding leaves as it is */
  decode(token: string, added: boolean): Piece;
  /** Put between tokens: the rule of files without a decoder. */
  readonly separator: string;
  /** Characters dropped at the very beginning: sentencepiece puts a space before the first word. */
  readonly strip: { readonly char: string; readonly most: number } | undefined;
}

type Step = (piece: Piece, added: boolean) => Piece;
type Fields = Readonly<Record<string, unknown>>;

interface Plan {
  readonly steps: Step[];
  strip: { char: string; most: number } | undefined;
  /** After `Fuse`, the steps see the whole text as one token. */
  fused: boolean;
}

/**
 * @param config `decoder` of a `tokenizer.json`, or null
 * @throws R1Error E_TOKENIZER for a decoder that cannot run token by token
 */
export function createPieceDecoder(config: unknown): PieceDecoder {
  if (config === undefined || config === null) {
    return { decode: (token) => ({ text: token }), separator: " ", strip: undefined };
  }
  const plan: Plan = { steps: [], strip: undefined, fused: false };
  addSteps(plan, "tokenizer.json decoder", config);
  return {
    decode: (token, added) => plan.steps.reduce<Piece>((piece, step) => step(piece, added), { text: token }),
    separator: "",
    strip: plan.strip,
  };
}

function addSteps(plan: Plan, field: string, config: unknown): void {
  const fields = asObject("E_TOKENIZER", field, config);
  const type = fields["type"];
  const add = typeof type === "string" ? DECODERS.get(type) : undefined;
  if (!add) throw wrongField("E_TOKENIZER", `${field}.type`, type, [...DECODERS.keys()].join(", "));
  add(plan, fields, field);
}

/** One entry for each decoder of the Hugging Face tokenizers library whose effect is local to a token. */
const DECODERS: ReadonlyMap<string, (plan: Plan, fields: Fields, field: string) => void> = new Map([
  [
    "Sequence",
    (plan: Plan, fields: Fields, field: string) => {
      const list = fields["decoders"];
      if (!Array.isArray(list)) throw wrongField("E_TOKENIZER", `${field}.decoders`, list, "a list");
      for (const [i, config] of list.entries()) addSteps(plan, `${field}.decoders[${i}]`, config);
    },
  ],
  [
    "ByteLevel",
    (plan: Plan) => void plan.steps.push((piece, added) => (added || "bytes" in piece ? piece : byteLevel(piece.text))),
  ],
  [
    "ByteFallback",
    (plan: Plan) => void plan.steps.push((piece) => ("bytes" in piece ? piece : byteFallback(piece.text))),
  ],
  ["Fuse", (plan: Plan) => void (plan.fused = true)],
  ["Metaspace", addMetaspace],
  ["Replace", addReplace],
  ["Strip", addStrip],
]);

function addMetaspace(plan: Plan, fields: Fields): void {
  const { replacement, prepend_scheme: scheme } = fields;
  const mark = typeof replacement === "string" && replacement !== "" ? replacement : "\u2581";
  plan.steps.push(onText((text) => text.replaceAll(mark, " ")));
  if (scheme !== "never" && fields["add_prefix_space"] !== false) plan.strip = { char: " ", most: 1 };
}

function addReplace(plan: Plan, fields: Fields, field: string): void {
  const pattern = asObject("E_TOKENIZER", `${field}.pattern`, fields["pattern"])["String"];
  const { content } = fields;
  if (typeof pattern !== "string" || pattern === "") {
    throw wrongField("E_TOKENIZER", `${field}.pattern.String`, pattern, "a string that is not empty");
  }
  if (typeof content !== "string") throw wrongField("E_TOKENIZER", `${field}.content`, content, "a string");
  if (plan.fused) throw new R1Error("E_TOKENIZER", `${field}: a Replace after Fuse cannot be streamed`, { field });
  plan.steps.push(onText((text) => text.replaceAll(pattern, () => content)));
}

function addStrip(plan: Plan, fields: Fields, field: string): void {
  const { content, start, stop } = fields;
  if (typeof content !== "string" || content.length !== 1) {
    throw wrongField("E_TOKENIZER", `${field}.content`, content, "one character");
  }
  if (typeof start !== "number") throw wrongField("E_TOKENIZER", `${field}.start`, start, "a number");
  if (typeof stop !== "number") throw wrongField("E_TOKENIZER", `${field}.stop`, stop, "a number");
  if (plan.fused) {
    if (stop > 0) throw new R1Error("E_TOKENIZER", `${field}: a Strip of the text's end cannot be streamed`, { field });
    plan.strip = { char: content, most: start };
    return;
  }
  plan.steps.push(
    onText((text) => {
      let from = 0;
      let to = text.length;
      while (from < start && text[from] === content) from++;
      while (text.length - to < stop && to > from && text[to - 1] === content) to--;
      return text.slice(from, to);
    }),
  );
}

function onText(change: (text: string) => string): Step {
  return (piece) => ("bytes" in piece ? piece : { text: change(piece.text) });
}

const encoder = new TextEncoder();

function byteLevel(token: string): Piece {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = BYTE_OF_CHAR.get(token.charAt(i));
    // As in the reference library, a piece with any character outside the alphabet stands for itself.
    if (byte === undefined) return { bytes: encoder.encode(token) };
    bytes[i] = byte;
  }
  return { bytes };
}

const BYTE_TOKEN = /^<0x([0-9A-Fa-f]{2})>$/;

function byteFallback(token: string): Piece {
  const hex = BYTE_TOKEN.exec(token)?.[1];
  return hex === undefined ? { text: token } : { bytes: Uint8Array.of(Number.parseInt(hex, 16)) };
}
