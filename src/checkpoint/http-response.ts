import { isR1Error, R1Error, throwIfAborted } from "../errors.ts";
import { quote } from "./quote.ts";

/** A failed exchange with a server. */
export function httpError(url: URL, problem: string, status?: number, cause?: unknown): R1Error {
  const details = status === undefined ? { url: url.href } : { url: url.href, status };
  return new R1Error("E_HTTP", `${url.href}: ${problem}`, details, cause === undefined ? undefined : { cause });
}

/** An answer with a status that was not asked for, and what the server says about it. */
export function statusError(url: URL, response: Response, expected: string): R1Error {
  // The Hugging Face Hub's reason: a gated model, a revision that does not exist.
  const reason = response.headers.get("x-error-message");
  const said = reason === null ? "" : `, ${quote(reason)}`;
  return httpError(url, `the server answered ${response.status}${said}; expected ${expected}`, response.status);
}

/** What a request or the reading of its answer threw, as a typed error. */
export function transferError(url: URL, error: unknown, signal: AbortSignal | undefined): R1Error {
  if (isR1Error(error)) return error;
  if (signal?.aborted === true) return new R1Error("E_ABORTED", "stopped on request", {}, { cause: error });
  return httpError(url, `the connection failed (${reasonOf(error)})`, undefined, error);
}

/** Node puts the system's reason into `cause`, browsers have only a message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}

/** `Content-Range: bytes begin-last/size` as [begin, end), with the size if it is told. */
export interface ContentRange {
  readonly begin: number;
  readonly end: number;
  readonly size: number | undefined;
}

/**
 * The answer's range; undefined when the header is absent, which it also seems to be when a server of another origin
 * does not expose it.
 * @throws R1Error E_HTTP for one that cannot be read
 */
export function contentRange(url: URL, response: Response): ContentRange | undefined {
  const header = response.headers.get("content-range");
  if (header === null) return undefined;
  const [, begin, last, size] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header.trim()) ?? [];
  if (begin === undefined || last === undefined) {
    throw httpError(url, `the server answered with Content-Range ${quote(header)}; expected bytes`);
  }
  return { begin: Number(begin), end: Number(last) + 1, size: size === "*" ? undefined : Number(size) };
}

/** True when the body is compressed on the way: its length is then not the file's, nor a range the file's. */
export function isEncoded(response: Response): boolean {
  const encoding = response.headers.get("content-encoding");
  return encoding !== null && encoding !== "" && encoding !== "identity";
}

/**
 * Reads the body into `target` as it arrives.
 * @returns bytes read, fewer than `target` has when the body ends early
 * @throws R1Error E_HTTP when there are more, or the connection fails; E_ABORTED
 */
export async function readInto(
  target: Uint8Array,
  url: URL,
  response: Response,
  signal: AbortSignal | undefined,
): Promise<number> {
  const reader = response.body?.getReader();
  if (!reader) return 0;
  let at = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      throwIfAborted(signal);
      if (done) return at;
      if (value.length > target.length - at) {
        throw httpError(url, `the server sent more than the ${target.length} bytes that were asked for`);
      }
      target.set(value, at);
      at += value.length;
    }
  } catch (error) {
    // Otherwise the rest would be downloaded for nothing; a broken body cannot be cancelled and need not be.
    await reader.cancel().catch(() => undefined);
    throw transferError(url, error, signal);
  }
}

/** Lets go of an answer whose body is not wanted. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}
