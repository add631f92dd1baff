import { R1Error } from "../../errors.ts";
import { quote } from "../quote.ts";

/** How a byte-level vocabulary cuts a text before it merges, as its `tokenizer.json` says it. */
export interface PreTokenizer {
  readonly patterns: readonly string[];
  readonly normalizer: object | null;
  /** A piece that is in the vocabulary whole is taken whole. */
  readonly ignoreMerges: boolean;
}

const QWEN2: PreTokenizer = {
  patterns: [
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  ],
  normalizer: { type: "NFC" },
  ignoreMerges: false,
};

const LLAMA3: PreTokenizer = {
  patterns: [
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  ],
  normalizer: null,
  ignoreMerges: true,
};

const GPT2: PreTokenizer = {
  patterns: ["'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"],
  normalizer: null,
  ignoreMerges: false,
};

/** By llama.cpp's names (`tokenizer.ggml.pre`). */
const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map([
  ["qwen2", QWEN2],
  ["deepseek-r1-qwen", QWEN2],
  ["llama-bpe", LLAMA3],
  ["llama3", LLAMA3],
  ["llama-v3", LLAMA3],
  ["gpt-2", GPT2],
]);

/** What files from before the key, or converters that did not know the tokenizer, leave to the architecture. */
const BY_ARCHITECTURE: ReadonlyMap<string, PreTokenizer> = new Map([
  ["qwen2", QWEN2],
  ["llama", LLAMA3],
]);

/**
 * @param file for messages
 * @throws R1Error E_TOKENIZER
 */
export function preTokenizerOf(name: string | undefined, architecture: string, file: string): PreTokenizer {
  const isTold = name !== undefined && name !== "default";
  const found = isTold ? PRE_TOKENIZERS.get(name) : BY_ARCHITECTURE.get(architecture);
  if (found) return found;
  const supported = [...PRE_TOKENIZERS.keys()].join(", ");
  throw new R1Error(
    "E_TOKENIZER",
    `${file}: tokenizer.ggml.pre: found ${quote(name ?? "nothing")}; supported are ${supported}`,
  );
}

/** The usual name of the pre-tokenizer that cuts by these patterns. */
export function preTokenizerName(patterns: readonly string[]): string | undefined {
  for (const [name, known] of PRE_TOKENIZERS) {
    if (known.patterns.length === patterns.length && known.patterns.every((one, i) => one === patterns[i])) return name;
  }
  return undefined;
}

/** What cuts the text where byte-level pre-tokenization is not told how. */
export const DEFAULT_PATTERNS = GPT2.patterns;
