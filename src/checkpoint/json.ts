import { R1Error } from "../errors.ts";
import { quote } from "./quote.ts";

/** Nesting of objects and arrays that is accepted; real configurations and tokenizers stay below 12. */
export const MAX_JSON_DEPTH = 64;

/**
 * JSON of a file from outside. Deep nesting is refused, because whatever walks the value later may recurse.
 * @param file name for messages
 * @throws R1Error E_JSON
 */
export function parseJson(text: string, file: string): unknown {
  if (nestingDepth(text) > MAX_JSON_DEPTH) {
    throw new R1Error("E_JSON", `${file}: JSON nested more than ${MAX_JSON_DEPTH} levels deep`, { file });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new R1Error(
      "E_JSON",
      `${file}: expected JSON, but the parser says ${quote(reason)}`,
      { file },
      { cause: error },
    );
  }
}

/** Deepest nesting of brackets outside strings; of malformed JSON, some number. */
function nestingDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (inString) {
      if (character === "\\") i++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth--;
  }
  return deepest;
}
