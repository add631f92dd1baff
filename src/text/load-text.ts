import { readSamplingDefaults } from "./sampling-defaults.ts";
import type { SamplingDefaults } from "./sampling-defaults.ts";
import { readSpecialTokens } from "./special-tokens.ts";
import { findTemplate } from "./template.ts";
import type { ChatTemplate } from "./template.ts";
import { createTokenizer } from "./tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** What a checkpoint's folder says about text. What is absent is left out: whether that is an error is the caller's to say. */
export interface TextAssets {
  readonly tokenizer?: Tokenizer;
  readonly template?: ChatTemplate;
  /** Known even without a tokenizer, where `generation_config.json` or `config.json` gives ids. */
  readonly eosIds: readonly number[];
  readonly sampling: SamplingDefaults;
}

/**
 * Reads the text files of a Hugging Face folder.
 * @param readJson parsed content of a file, or undefined where it is absent
 * @param readText text of a file, or undefined where it is absent
 * @throws R1Error E_TOKENIZER, E_TEMPLATE, E_CONFIG naming file and field, and what the readers throw
 */
export async function loadText(
  readJson: (file: string) => Promise<unknown>,
  readText: (file: string) => Promise<string | undefined>,
): Promise<TextAssets> {
  const [tokenizerJson, tokenizerConfig, generationConfig, config, jinjaFile] = await Promise.all([
    readJson("tokenizer.json"),
    readJson("tokenizer_config.json"),
    readJson("generation_config.json"),
    readJson("config.json"),
    readText("chat_template.jinja"),
  ]);
  const files = { tokenizerConfig, generationConfig, config };
  const template = findTemplate(tokenizerConfig, jinjaFile);
  const texts = { ...files, template: template?.source };
  const tokenizer = tokenizerJson === undefined ? undefined : createTokenizer({ tokenizerJson, ...texts });
  return {
    ...(tokenizer ? { tokenizer } : {}),
    ...(template ? { template } : {}),
    eosIds: tokenizer?.eosIds ?? readSpecialTokens(files).eosIds,
    sampling: readSamplingDefaults(generationConfig),
  };
}
