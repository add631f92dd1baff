import { visibleLines } from "./visible-text.ts";

/**
 * Every failure that a user can meet carries one of these codes: the command line prints it, the page translates it.
 * The message names the file or field, what was found and what was expected.
 */
export const ERROR_CODES = [
  // files and checkpoints
  "E_FILE_MISSING",
  "E_FILES_GONE",
  "E_FILE_TRUNCATED",
  "E_FILE_READ",
  "E_HTTP",
  "E_JSON",
  "E_HEADER_TOO_SMALL",
  "E_HEADER_TOO_LARGE",
  "E_HEADER_INVALID",
  "E_TENSOR_INFO",
  "E_TENSOR_OFFSETS",
  "E_TENSOR_MISSING",
  "E_TENSOR_SHAPE",
  "E_DTYPE",
  "E_NOT_FINITE",
  "E_QUANTIZATION",
  "E_FORMAT",
  "E_CHECKPOINT",
  // downloads from a hub
  "E_HUB_NAME",
  "E_HUB_MISSING",
  "E_HUB_ACCESS",
  "E_HUB_FILES",
  "E_HUB_MOVED",
  "E_HUB_OTHER",
  "E_HTTP_PAGE",
  "E_HTTP_RANGE",
  "E_HTTP_LENGTH",
  "E_STALLED",
  "E_HASH",
  "E_QUOTA",
  "E_STORAGE",
  // model configuration
  "E_ARCHITECTURE",
  "E_CONFIG",
  "E_QUANTIZED",
  "E_ADAPTER",
  // text
  "E_TOKENIZER_MISSING",
  "E_TOKENIZER",
  "E_TEMPLATE_MISSING",
  "E_TEMPLATE",
  "E_MESSAGES",
  // training
  "E_DATASET",
  "E_NON_FINITE",
  // generation
  "E_PROMPT_EMPTY",
  "E_PROMPT_TOO_LONG",
  "E_TOKEN_RANGE",
  "E_KV_FULL",
  "E_OPTION",
  "E_LOGITS",
  // device
  "E_NO_WEBGPU",
  "E_NO_ADAPTER",
  "E_DEVICE_LOST",
  "E_OUT_OF_MEMORY",
  "E_GPU_VALIDATION",
  "E_GPU_INTERNAL",
  "E_SELF_TEST",
  "E_SHADER",
  "E_FEATURE",
  "E_LIMIT",
  "E_TOO_LARGE",
  // engine
  "E_NO_MODEL",
  "E_BUSY",
  "E_ABORTED",
  "E_WORKER",
  "E_INTERNAL",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** An error with a stable code and plain, cloneable details (it crosses the worker boundary as a message). */
export class R1Error extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(
    code: ErrorCode,
    message: string,
    details: Readonly<Record<string, string | number | boolean>> = {},
    options?: ErrorOptions,
  ) {
    // Messages repeat names and what servers say.
    super(visibleLines(message), options);
    this.name = "R1Error";
    this.code = code;
    this.details = details;
  }
}

export function isR1Error(error: unknown): error is R1Error {
  return error instanceof R1Error;
}

/** Throws `E_ABORTED` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new R1Error("E_ABORTED", "stopped on request");
}
