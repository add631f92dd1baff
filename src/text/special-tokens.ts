import { endTexts } from "./end-tokens.ts";
import { asOptionalObject, isObject, wrongField } from "./fields.ts";
import { isTokenId } from "./tokenizer-file.ts";

/** Parsed JSON of the files that name special tokens; each may be absent. */
export interface SpecialTokenFiles {
  readonly tokenizerConfig?: unknown;
  readonly generationConfig?: unknown;
  readonly config?: unknown;
  /** Tokens outside the trained vocabulary, and the chat template, which tell of turns' ends. */
  readonly addedTokens?: readonly string[];
  readonly template?: string | undefined;
}

export interface SpecialTokens {
  /** As the chat template sees them. */
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
  readonly bosId: number | undefined;
  /** Tokens that end a text, without repeats. */
  readonly eosIds: readonly number[];
}

/**
 * BOS is what `tokenizer_config.json` names: the `config.json` of the R1 distills gives the id of EOS for it. EOS is
 * what `generation_config.json` and `tokenizer_config.json` name together, and `config.json` only where both are silent;
 * with them, what ends a turn in the chat template (`endTexts`), which files made from a base model's often leave out.
 * @param idOf id of a vocabulary piece; left out when there is no tokenizer
 * @throws R1Error E_TOKENIZER naming file and field
 */
export function readSpecialTokens(
  files: SpecialTokenFiles,
  idOf?: (token: string) => number | undefined,
): SpecialTokens {
  const tokenizerConfig = asOptionalObject("E_TOKENIZER", "tokenizer_config.json", files.tokenizerConfig);
  const generationConfig = asOptionalObject("E_TOKENIZER", "generation_config.json", files.generationConfig);
  const config = asOptionalObject("E_TOKENIZER", "config.json", files.config);
  const bosToken = tokenText("tokenizer_config.json bos_token", tokenizerConfig["bos_token"]);
  const eosToken = tokenText("tokenizer_config.json eos_token", tokenizerConfig["eos_token"]);
  const eosId = eosToken === undefined ? undefined : idOf?.(eosToken);
  const eosIds = new Set(tokenIds("generation_config.json eos_token_id", generationConfig["eos_token_id"]));
  if (eosId !== undefined) eosIds.add(eosId);
  if (eosIds.size === 0) {
    for (const id of tokenIds("config.json eos_token_id", config["eos_token_id"])) eosIds.add(id);
  }
  const { addedTokens = [], template = "" } = files;
  for (const token of endTexts(addedTokens)) {
    const id = template.includes(token) ? idOf?.(token) : undefined;
    if (id !== undefined) eosIds.add(id);
  }
  return { bosToken, eosToken, bosId: bosToken === undefined ? undefined : idOf?.(bosToken), eosIds: [...eosIds] };
}

/** A token is written as its text, or as an object whose `content` is its text. */
function tokenText(field: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  const text = isObject(value) ? value["content"] : value;
  if (typeof text !== "string") throw wrongField("E_TOKENIZER", field, value, "a string or an object with content");
  return text;
}

function tokenIds(field: string, value: unknown): readonly number[] {
  if (value === undefined || value === null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((id) => {
    if (!isTokenId(id)) throw wrongField("E_TOKENIZER", field, id, "a token id or a list of token ids");
    return id;
  });
}
