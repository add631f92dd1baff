import { R1Error } from "../errors.ts";
import type { ModelSpec } from "./spec.ts";

/** @throws R1Error E_TOKEN_RANGE for the first id that the vocabulary does not have */
export function checkTokenIds({ vocabSize }: Pick<ModelSpec, "vocabSize">, ids: readonly number[]): void {
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  if (wrong === undefined) return;
  throw new R1Error("E_TOKEN_RANGE", `token id ${wrong}; the vocabulary has ids 0 to ${vocabSize - 1}`);
}
