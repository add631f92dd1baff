import { isR1Error } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";

/** A failure as the page shows it: the code picks the sentence, the message is the detail. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

export function toFailure(error: unknown): Failure {
  if (isR1Error(error)) return { code: error.code, message: error.message };
  return { code: "E_INTERNAL", message: error instanceof Error ? error.message : String(error) };
}
