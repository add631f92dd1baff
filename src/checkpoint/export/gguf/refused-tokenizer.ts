import { R1Error } from "../../../errors.ts";

const FILE = "tokenizer.json";

/** A tokenizer that GGUF has no form for. */
export function refusedTokenizer(problem: string): R1Error {
  return new R1Error("E_TOKENIZER", `${FILE}: ${problem}`, { file: FILE });
}
