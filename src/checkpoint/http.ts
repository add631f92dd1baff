import { R1Error, throwIfAborted } from "../errors.ts";
import { blobSource } from "./blob.ts";
import { pathSegments } from "./file-name.ts";
import { contentRange, discard, httpError, isEncoded, readInto, statusError, transferError } from "./http-response.ts";
import { quote } from "./quote.ts";
import { allocate, checkRange, endedEarly } from "./source.ts";
import type { ByteSource, ModelFolder } from "./source.ts";

export interface HttpFolderOptions {
  /** Stands in for the global one. */
  readonly fetch?: typeof fetch;
}

/** Bytes of the first request: all of a small file, or the header of nearly every checkpoint. */
const FIRST_BYTES = 128 * 1024;
/** Bytes of an answer that are looked at to tell a web page, or a bucket's refusal, from a file. */
const PEEK_BYTES = 1024;

/**
 * A folder at an absolute http(s) address, read by byte ranges: a small file costs one request, a large one a request
 * for its beginning and one per read. From a server without ranges the whole file is taken once, as a Blob.
 * @throws R1Error E_HTTP for an address that is not one
 */
export function httpFolder(baseUrl: string, options: HttpFolderOptions = {}): ModelFolder {
  const base = folderUrl(baseUrl);
  const fetcher = options.fetch ?? fetch;
  return {
    name: base.pathname.split("/").at(-2) || base.host,
    async open(file, signal) {
      const segments = pathSegments(file);
      const url = new URL(segments.map(encodeURIComponent).join("/"), base);
      return new HttpFile(segments.join("/"), url, fetcher).open(signal);
    },
  };
}

function folderUrl(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new R1Error("E_HTTP", `${quote(address)}: expected an absolute http or https address without a password`);
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

class HttpFile {
  readonly #name: string;
  readonly #url: URL;
  readonly #fetch: typeof fetch;

  constructor(name: string, url: URL, fetcher: typeof fetch) {
    this.#name = name;
    this.#url = url;
    this.#fetch = fetcher;
  }

  /** @returns undefined when the server has no such file */
  async open(signal: AbortSignal | undefined): Promise<ByteSource | undefined> {
    let response = await this.#send("GET", signal, rangeHeader(0, FIRST_BYTES));
    if (response.status === 206 && isEncoded(response)) {
      // A range of compressed bytes is no range of the file.
      await discard(response);
      response = await this.#send("GET", signal);
    }
    if (isEmptyFile(response) || (await isMissing(response))) {
      await discard(response);
      return response.status === 416 ? blobSource(this.#name, new Blob()) : undefined;
    }
    if (response.status === 206) return this.#openRanges(response, signal);
    if (response.status === 200) return this.#openWhole(response, signal);
    await discard(response);
    throw statusError(this.#url, response, "200 or 206");
  }

  /** The server ignores ranges: this answer is the file. */
  async #openWhole(response: Response, signal: AbortSignal | undefined): Promise<ByteSource | undefined> {
    // The browser may keep a blob on disk. Its length is the truth; Content-Length is the compressed one, if compressed.
    const blob = await response.blob().catch((error: unknown) => {
      throw transferError(this.#url, error, signal);
    });
    if (isWebPage(new Uint8Array(await blob.slice(0, PEEK_BYTES).arrayBuffer()))) return undefined;
    return blobSource(this.#name, blob);
  }

  async #openRanges(response: Response, signal: AbortSignal | undefined): Promise<ByteSource | undefined> {
    const range = contentRange(this.#url, response);
    if (range && (range.begin !== 0 || range.end !== Math.min(FIRST_BYTES, range.size ?? range.end))) {
      await discard(response);
      throw this.#wrongRange(response, 0, FIRST_BYTES);
    }
    const first = allocate(this.#name, range?.end ?? FIRST_BYTES);
    const filled = await readInto(first, this.#url, response, signal);
    if (range && filled < range.end) throw endedEarly(this.#name, filled, range.end);
    const prefix = first.subarray(0, filled);
    if (isWebPage(prefix)) return undefined;
    // A range that ends before what was asked for ends where the file does.
    const size = range?.size ?? (filled < FIRST_BYTES ? filled : await this.#askSize(signal));
    return this.#source(size, prefix);
  }

  #source(size: number, prefix: Uint8Array): ByteSource {
    const name = this.#name;
    return {
      name,
      size,
      read: async (offset, length, signal) => {
        throwIfAborted(signal);
        checkRange({ name, size }, offset, length);
        const bytes = allocate(name, length);
        const known = prefix.subarray(offset, offset + length);
        bytes.set(known);
        const rest = bytes.subarray(known.length);
        if (rest.length > 0) await this.#readRange(rest, offset + known.length, size, signal);
        return bytes;
      },
    };
  }

  async #readRange(target: Uint8Array, begin: number, size: number, signal: AbortSignal | undefined): Promise<void> {
    const end = begin + target.length;
    const response = await this.#send("GET", signal, rangeHeader(begin, end));
    if (response.status !== 206) {
      await discard(response);
      throw statusError(this.#url, response, `206 with bytes ${begin} to ${end - 1}`);
    }
    const range = contentRange(this.#url, response);
    const right = !range || (range.begin === begin && range.end === end && (range.size ?? size) === size);
    if (!right || isEncoded(response)) {
      await discard(response);
      throw this.#wrongRange(response, begin, end);
    }
    const filled = await readInto(target, this.#url, response, signal);
    if (filled < target.length) throw endedEarly(this.#name, begin + filled, end);
  }

  /** For servers that do not tell (or, being of another origin, do not show) the size in Content-Range. */
  async #askSize(signal: AbortSignal | undefined): Promise<number> {
    const response = await this.#send("HEAD", signal);
    const length = response.headers.get("content-length");
    if (response.ok && !isEncoded(response) && length !== null && /^\d{1,15}$/.test(length)) return Number(length);
    throw httpError(this.#url, "the server does not tell the file's size; expected Content-Range or Content-Length");
  }

  async #send(method: "GET" | "HEAD", signal: AbortSignal | undefined, headers: HeadersInit = {}): Promise<Response> {
    throwIfAborted(signal);
    try {
      // Called through a variable: as a method of anything but the global object, a browser's fetch refuses to run.
      const send = this.#fetch;
      return await send(this.#url, { method, headers, signal: signal ?? null });
    } catch (error) {
      throw transferError(this.#url, error, signal);
    }
  }

  #wrongRange(response: Response, begin: number, end: number): R1Error {
    const found = response.headers.get("content-range") ?? "a compressed body";
    return httpError(
      this.#url,
      `asked for bytes ${begin} to ${end - 1}, the server sent ${quote(found)}`,
      response.status,
    );
  }
}

function rangeHeader(begin: number, end: number): HeadersInit {
  return { range: `bytes=${begin}-${end - 1}` };
}

/** No range of an empty file can be satisfied. */
function isEmptyFile(response: Response): boolean {
  return response.status === 416 && response.headers.get("content-range") === "bytes */0";
}

/**
 * True when the server says that there is no such file, in one of the ways servers do: 404, 410, a page instead of a
 * file (development servers answer unknown paths with the application's page), or S3's 403 for keys it does not list.
 */
async function isMissing(response: Response): Promise<boolean> {
  if (response.status === 404 || response.status === 410) return true;
  if (response.ok) return /^text\/html\b/i.test(response.headers.get("content-type") ?? "");
  if (response.status !== 403) return false;
  return /<Code>(NoSuchKey|AccessDenied)<\/Code>/.test(await firstText(response));
}

/** A web page that is served without saying so. */
function isWebPage(bytes: Uint8Array): boolean {
  return /^\s*<(!doctype|html)\b/i.test(latin1(bytes.subarray(0, PEEK_BYTES)));
}

/** The beginning of an answer whose body is not wanted otherwise. */
async function firstText(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  try {
    const chunk = await reader?.read();
    return latin1((chunk?.value ?? new Uint8Array()).subarray(0, PEEK_BYTES));
  } catch {
    return "";
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
