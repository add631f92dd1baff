import { asObject, isObject, wrongField } from "./fields.ts";
import { R1Error } from "../errors.ts";

/** Largest published vocabularies hold 262,144 pieces (Gemma); ids beyond this would make huge sparse arrays. */
export const MAX_TOKEN_ID = 2_000_000;
const MAX_MERGES = 4_000_000;
const MAX_ADDED_TOKENS = 65_536;
const MAX_TOKEN_CHARS = 65_536;
/** Every place of a text is compared with the added tokens; published ones have up to a hundred characters. */
const MAX_ADDED_CHARS = 1_024;
const MAX_STEPS = 64;
const MAX_PATTERN_CHARS = 8_192;
const MAX_DEPTH = 32;
const MODEL_TYPES: readonly string[] = ["BPE", "Unigram", "WordPiece", "WordLevel"];
const FILE = "tokenizer.json";

/** `tokenizer.json` after its shape was checked. */
export interface TokenizerFile {
  readonly json: Readonly<Record<string, unknown>>;
  /** The token that stands for text outside the vocabulary. */
  readonly unkToken: string | undefined;
  readonly addedTokens: readonly AddedTokenEntry[];
}

export interface AddedTokenEntry {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  /** Only found where no character of a word stands beside it. */
  readonly singleWord: boolean;
  /** Takes the white space before it, or after it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in the normalized text. */
  readonly normalized: boolean;
}

/**
 * Checks the shape and the sizes of a parsed `tokenizer.json` before anything is built from it.
 * @throws R1Error E_TOKENIZER naming the field, what was found and what was expected
 */
export function checkTokenizerFile(value: unknown): TokenizerFile {
  const json = asObject("E_TOKENIZER", FILE, value);
  const model = asObject("E_TOKENIZER", `${FILE} model`, json["model"]);
  const type = model["type"];
  // Files of tokenizers before 0.9 leave the type out; the vocabulary then tells.
  if (type !== undefined && type !== null && !(typeof type === "string" && MODEL_TYPES.includes(type))) {
    throw wrongField("E_TOKENIZER", `${FILE} model.type`, type, MODEL_TYPES.join(", "));
  }
  if (Array.isArray(model["vocab"])) checkScoredVocab(model["vocab"]);
  else checkVocab(asObject("E_TOKENIZER", `${FILE} model.vocab`, model["vocab"]));
  if (type === "BPE" || model["merges"] !== undefined) checkMerges(model["merges"]);
  for (const field of ["normalizers", "pretokenizers"]) {
    const part = asOptionalList(json[field === "normalizers" ? "normalizer" : "pre_tokenizer"], field);
    if (part.length > MAX_STEPS) throw tooMany(field, part.length, MAX_STEPS);
  }
  for (const field of ["normalizer", "pre_tokenizer", "decoder"]) checkPipeline(`${FILE} ${field}`, json[field], 0);
  const unkToken = model["unk_token"];
  return { json, unkToken: typeof unkToken === "string" ? unkToken : undefined, addedTokens: checkAddedTokens(json) };
}

function checkVocab(vocab: Readonly<Record<string, unknown>>): void {
  for (const [token, id] of Object.entries(vocab)) {
    checkToken(`${FILE} model.vocab`, token);
    if (!isTokenId(id)) throw wrongField("E_TOKENIZER", `${FILE} model.vocab[${JSON.stringify(token)}]`, id, TOKEN_ID);
  }
}

function checkScoredVocab(vocab: readonly unknown[]): void {
  if (vocab.length > MAX_TOKEN_ID) throw tooMany("model.vocab", vocab.length, MAX_TOKEN_ID);
  for (const [id, entry] of vocab.entries()) {
    if (!Array.isArray(entry) || typeof entry[0] !== "string" || typeof entry[1] !== "number") {
      throw wrongField("E_TOKENIZER", `${FILE} model.vocab[${id}]`, entry, "a pair of a string and a score");
    }
    checkToken(`${FILE} model.vocab[${id}]`, entry[0]);
  }
}

function checkMerges(merges: unknown): void {
  if (!Array.isArray(merges)) throw wrongField("E_TOKENIZER", `${FILE} model.merges`, merges, "a list");
  if (merges.length > MAX_MERGES) throw tooMany("model.merges", merges.length, MAX_MERGES);
  const pairs = Array.isArray(merges[0]);
  for (const [i, merge] of merges.entries()) {
    const valid = pairs
      ? Array.isArray(merge) && merge.length === 2 && typeof merge[0] === "string" && typeof merge[1] === "string"
      : typeof merge === "string" && merge.includes(" ");
    if (!valid) {
      const expected = pairs ? "a pair of strings" : "two pieces with a space between them";
      throw wrongField("E_TOKENIZER", `${FILE} model.merges[${i}]`, merge, expected);
    }
  }
}

function checkAddedTokens(json: Readonly<Record<string, unknown>>): AddedTokenEntry[] {
  const list = json["added_tokens"] ?? [];
  if (!Array.isArray(list)) throw wrongField("E_TOKENIZER", `${FILE} added_tokens`, list, "a list");
  if (list.length > MAX_ADDED_TOKENS) throw tooMany("added_tokens", list.length, MAX_ADDED_TOKENS);
  return list.map((entry: unknown, i) => {
    const field = `${FILE} added_tokens[${i}]`;
    const { id, content, special, ...flags } = asObject("E_TOKENIZER", field, entry);
    if (!isTokenId(id)) throw wrongField("E_TOKENIZER", `${field}.id`, id, TOKEN_ID);
    if (typeof content !== "string" || content === "") {
      throw wrongField("E_TOKENIZER", `${field}.content`, content, "a string that is not empty");
    }
    checkToken(field, content, MAX_ADDED_CHARS);
    return {
      id,
      content,
      special: special === true,
      singleWord: flags["single_word"] === true,
      lstrip: flags["lstrip"] === true,
      rstrip: flags["rstrip"] === true,
      normalized: typeof flags["normalized"] === "boolean" ? flags["normalized"] : special !== true,
    };
  });
}

/** Patterns are compiled to regular expressions and sequences are built recursively: both are bounded. */
function checkPipeline(field: string, value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new R1Error("E_TOKENIZER", `${field} is nested deeper than ${MAX_DEPTH}`, { field });
  if (typeof value === "string" && value.length > MAX_PATTERN_CHARS && !field.endsWith("precompiled_charsmap")) {
    throw new R1Error("E_TOKENIZER", `${field} has ${value.length} characters; the limit is ${MAX_PATTERN_CHARS}`, {
      field,
    });
  }
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) checkPipeline(`${field}[${i}]`, item, depth + 1);
  } else if (isObject(value)) {
    checkPart(field, value);
    for (const [key, item] of Object.entries(value)) {
      checkPipeline(`${field}.${key}`, item, depth + 1);
    }
  }
}

/** Fields that the library would pass over when they are wrong, and then give other ids. */
function checkPart(field: string, part: Readonly<Record<string, unknown>>): void {
  const { type, pattern, behavior } = part;
  if (behavior !== undefined && typeof behavior !== "string") {
    throw wrongField("E_TOKENIZER", `${field}.behavior`, behavior, "a string");
  }
  if (type !== "Split" && type !== "Replace") return;
  if (isObject(pattern) && (typeof pattern["Regex"] === "string" || typeof pattern["String"] === "string")) return;
  throw wrongField("E_TOKENIZER", `${field}.pattern`, pattern, "an object with a string for Regex or String");
}

function asOptionalList(part: unknown, field: string): readonly unknown[] {
  const list = isObject(part) ? part[field] : undefined;
  return Array.isArray(list) ? list : [];
}

const TOKEN_ID = `a whole number from 0 to ${MAX_TOKEN_ID}`;

export function isTokenId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_TOKEN_ID;
}

function checkToken(field: string, token: string, most = MAX_TOKEN_CHARS): void {
  if (token.length <= most) return;
  throw new R1Error("E_TOKENIZER", `${field} holds a token of ${token.length} characters; the limit is ${most}`, {
    field,
  });
}

function tooMany(field: string, found: number, most: number): R1Error {
  return new R1Error("E_TOKENIZER", `${FILE} ${field} has ${found} entries; the limit is ${most}`, { field });
}
