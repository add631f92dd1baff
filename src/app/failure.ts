import type { MemoryNeed } from "../engine/protocol.ts";
import { isR1Error } from "../errors.ts";
import type { ErrorCode, R1Error } from "../errors.ts";
import { visibleLines } from "../visible-text.ts";

/** A failure as the page shows it: the code picks the sentence, the message is the detail. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  /** What would fit where a model does not. */
  readonly offer?: SmallerLoad;
  /** The worker that said so can do nothing more; the next load needs another. */
  readonly restart?: true;
}

/** A smaller way to load the same model. */
export type SmallerLoad = Pick<MemoryNeed, "format" | "contextTokens">;

export function toFailure(error: unknown): Failure {
  if (isR1Error(error)) {
    const offer = offerOf(error);
    const restart = error.code === "E_WORKER" || error.details["restart"] === true;
    return { code: error.code, message: error.message, ...(offer ? { offer } : {}), ...(restart ? { restart } : {}) };
  }
  return { code: "E_INTERNAL", message: visibleLines(error instanceof Error ? error.message : String(error)) };
}

function offerOf({ details }: R1Error): SmallerLoad | undefined {
  const { offerContextTokens: contextTokens, offerFormat } = details;
  if (typeof contextTokens !== "number") return undefined;
  const format = FORMATS.find((one) => one === offerFormat);
  return { contextTokens, ...(format ? { format } : {}) };
}

/** What a model is offered in when its own form does not fit. */
const FORMATS = ["f32", "f16", "bf16", "q8", "q4"] as const;
