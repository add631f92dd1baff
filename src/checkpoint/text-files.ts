import { readText } from "./source.ts";
import type { ModelFolder } from "./source.ts";

/** What makes text of a model's tokens, by Hugging Face's names; adapters have these beside them too. */
export const TOKENIZER_FILES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
] as const;

/** Text files of a Hugging Face folder that a copy of the model needs, beside `config.json`. */
export const TEXT_FILES = ["generation_config.json", ...TOKENIZER_FILES] as const;

/**
 * Those of the files that the folder has, in the order of their names.
 * @throws R1Error what `readText` throws
 */
export async function readTexts(
  folder: ModelFolder,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const name of names) {
    const text = await readText(folder, name, undefined, signal);
    if (text !== undefined) texts.set(name, text);
  }
  return texts;
}
