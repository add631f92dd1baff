import { readJson, readText } from "../checkpoint/source.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { R1Error } from "../errors.ts";
import { loadText } from "../text/load-text.ts";
import type { TextAssets } from "../text/load-text.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

/** Reads a folder's tokenizer, template and generation settings; what is absent is left out. */
export function loadTextAssets(folder: ModelFolder, signal?: AbortSignal): Promise<TextAssets> {
  return loadText(
    (file) => readJson(folder, file, undefined, signal),
    (file) => readText(folder, file, undefined, signal),
  );
}

/** @throws R1Error E_TOKENIZER_MISSING */
export function requireTokenizer(assets: TextAssets, folder: ModelFolder): Tokenizer {
  if (assets.tokenizer) return assets.tokenizer;
  throw new R1Error("E_TOKENIZER_MISSING", `${folder.name}: no tokenizer.json; only token ids can be used`);
}
