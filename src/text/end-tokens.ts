/**
 * Tokens that end a reply and that their files often do not name as such: turns of chat models end in them, while EOS
 * stays that of the base model. The list is llama.cpp's (`llama-vocab.cpp`, `special_eog_ids`), which goes by the text.
 */
const END_TEXTS: ReadonlySet<string> = new Set([
  "<|eot_id|>",
  "<|im_end|>",
  "<|end|>",
  "<|return|>",
  "<|call|>",
  "<|flush|>",
  "<|calls|>",
  "<end_of_turn>",
  "<|endoftext|>",
  "</s>",
  "<|eom_id|>",
  "<EOT>",
  "_<EOT>",
  "[EOT]",
  "[EOS]",
  "<|end_of_text|>",
  "<end_of_utterance>",
  "<eos>",
  "<turn|>",
  "<|tool_response>",
]);

/** Fill-in-the-middle tokens after which nothing belongs to the reply: padding, the next file, the next repository. */
const FILL_TEXTS: ReadonlySet<string> = new Set([
  "<|fim_pad|>",
  "<fim-pad>",
  "<fim_pad>",
  "<PAD>",
  "[PAD]",
  "<|fim_repo|>",
  "<|repo_name|>",
  "<fim-repo>",
  "<REPO>",
  "<reponame>",
  "<|file_sep|>",
]);

export interface EndTextOptions {
  /** Whether padding and the separators of files count, as in llama.cpp; false by default. */
  readonly fill?: boolean;
}

/**
 * Those of the given tokens that end a reply by their text. Two vocabularies are exceptions, as in llama.cpp: where
 * `<|return|>` (or `<|flush|>`) and `<|call|>` end replies, `<|end|>` only ends one of several messages, and beside
 * `<|tool_response>`, `</s>` is a word like any other.
 * @param tokens texts of a vocabulary, or of a part of it
 */
export function endTexts(tokens: Iterable<string>, { fill = false }: EndTextOptions = {}): ReadonlySet<string> {
  const found = new Set<string>();
  for (const token of tokens) if (END_TEXTS.has(token) || (fill && FILL_TEXTS.has(token))) found.add(token);
  const called = found.has("<|call|>") || found.has("<|calls|>");
  if (called && ((found.has("<|return|>") && found.has("<|call|>")) || found.has("<|flush|>"))) found.delete("<|end|>");
  if (found.has("<|tool_response>")) found.delete("</s>");
  return found;
}
