import { isR1Error, R1Error } from "../../errors.ts";
import type { ErrorCode } from "../../errors.ts";
import { quote } from "../quote.ts";

/** A failed exchange with a hub. */
export function hubError(code: ErrorCode, url: URL, problem: string, status?: number): R1Error {
  // Signed addresses that a hub redirects to are keys for a while: only the hub's own are told.
  const address = `${url.origin}${url.pathname}`;
  return new R1Error(code, `${address}: ${problem}`, { url: address, ...(status === undefined ? {} : { status }) });
}

/** Statuses with which a server says that asking again may help. */
const PASSING_STATUSES: ReadonlySet<unknown> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** An answer whose status was not asked for, by what it means for the reader. */
export function hubStatusError(url: URL, response: Response): R1Error {
  const { status, headers } = response;
  const reason = headers.get("x-error-message");
  const said = `the server answered ${status}${reason === null ? "" : `, ${quote(reason)}`}`;
  return hubError(codeOf(status, headers.get("x-error-code")), url, said, status);
}

function codeOf(status: number, reason: string | null): ErrorCode {
  // Without a token the Hugging Face Hub answers 401 for what does not exist, too.
  if (status === 404 || status === 410 || reason === "RepoNotFound") return "E_HUB_MISSING";
  if (status === 401 || status === 403) return "E_HUB_ACCESS";
  return status === 416 ? "E_HTTP_RANGE" : "E_HTTP";
}

/** True for failures that pass: a lost connection, a busy server. */
export function isPassing(error: unknown): boolean {
  if (!isR1Error(error)) return false;
  if (error.code === "E_STALLED" || error.code === "E_FILE_TRUNCATED") return true;
  const { status } = error.details;
  return error.code === "E_HTTP" && (status === undefined || PASSING_STATUSES.has(status));
}
