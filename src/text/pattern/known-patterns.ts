/**
 * Published patterns, which JavaScript's own expressions match in time that grows with the text: GPT-2's and those made
 * after it. Every other pattern is matched where its steps are counted.
 */
const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const TAIL = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

export const KNOWN_PATTERNS: ReadonlySet<string> = new Set([
  // GPT-2.
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  // GPT-4 and Llama 3, whose numbers have up to three digits, and Qwen2, which takes single ones.
  `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|${TAIL}`,
  `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|${TAIL}`,
  // DeepSeek's first cuts.
  "\\p{N}{1,3}",
  "\\p{N}",
  "\\s+",
  "[\\r\\n]",
  "[一-龥\u3040-\u309f\u30a0-\u30ff]+",
]);
