import { isR1Error, throwIfAborted } from "../../errors.ts";
import type { ErrorCode, R1Error } from "../../errors.ts";
import { contentRange, discard, isEncoded } from "../http-response.ts";
import { quote } from "../quote.ts";
import { allocate, endedEarly } from "../source.ts";
import { hubError, hubStatusError, isPassing } from "./hub-error.ts";
import { isPage, pageError } from "./hub.ts";
import type { Answer, Hub, HubFile } from "./hub.ts";

export interface TransferSettings {
  /** Bytes of one request. */
  readonly chunkBytes: number;
  /** Requests at the same time. */
  readonly connections: number;
  /** Failures in a row, without a byte between them, after which a transfer gives up. */
  readonly tries: number;
  /** Pause before the second try; it doubles with each. */
  readonly backoffMs: number;
}

export const TRANSFER_SETTINGS: TransferSettings = {
  chunkBytes: 8 * 2 ** 20,
  connections: 4,
  tries: 6,
  backoffMs: 500,
};

const MAX_BACKOFF_MS = 30_000;

/** The server's file is not the one that the part is of. */
export class ChangedFile extends Error {
  override readonly name = "ChangedFile";
}

/** Bytes that a server was asked for. */
interface Range {
  readonly begin: number;
  readonly end: number;
}

/** The bytes of one file, by ranges or as a whole, through failures that pass. */
export class Transfer {
  /** What the server calls the file's content; answers with another one are of another file. */
  etag: string | undefined;
  /** False where that is known to say nothing. */
  checksEtag = true;
  readonly #hub: Hub;
  readonly #url: URL;
  readonly #file: HubFile;
  readonly #settings: TransferSettings;
  readonly #signal: AbortSignal | undefined;
  readonly #received: (bytes: number) => void;

  /** @param received is told of bytes as they arrive */
  constructor(
    hub: Hub,
    url: URL,
    file: HubFile,
    settings: TransferSettings,
    received: (bytes: number) => void,
    signal?: AbortSignal,
  ) {
    this.#hub = hub;
    this.#url = url;
    this.#file = file;
    this.#settings = settings;
    this.#received = received;
    this.#signal = signal;
  }

  /**
   * The file from a byte on, in order, from requests for ranges that run at the same time.
   * @throws R1Error E_HTTP_RANGE when the server does not keep to ranges, E_HTTP_LENGTH, E_HTTP_PAGE, E_HUB_MISSING,
   *   E_HUB_ACCESS, E_HTTP, E_STALLED, E_ABORTED
   * @throws ChangedFile
   */
  async *ranges(begin: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { size } = this.#file;
    const { chunkBytes, connections } = this.#settings;
    // Not `AbortSignal.any`: Node 20 may collect such a signal, and then nothing is stopped.
    const abort = new AbortController();
    const { signal } = abort;
    const follow = (): void => abort.abort();
    this.#signal?.addEventListener("abort", follow);
    const coming: Promise<Uint8Array<ArrayBuffer>>[] = [];
    let next = begin;
    // The first answer tells whether the server knows ranges, and the file's ETag; it comes alone.
    let most = 1;
    try {
      throwIfAborted(this.#signal);
      while (next < size || coming.length > 0) {
        while (coming.length < most && next < size) {
          const range = { begin: next, end: Math.min(size, next + chunkBytes) };
          const chunk = this.#chunk(range, signal);
          // Awaited in its turn.
          chunk.catch(() => undefined);
          coming.push(chunk);
          next = range.end;
        }
        const chunk = await coming.shift();
        if (chunk) yield chunk;
        most = connections;
      }
    } finally {
      abort.abort();
      this.#signal?.removeEventListener("abort", follow);
      await Promise.allSettled(coming);
    }
  }

  /**
   * The file from a byte on, from an answer that holds all of it: for servers that do not keep to ranges. What comes
   * before that byte is thrown away.
   * @throws as {@link ranges}
   */
  async *whole(begin: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    let at = begin;
    for (let failures = 0; ;) {
      const before = at;
      try {
        for await (const bytes of this.#allFrom(at)) {
          at += bytes.length;
          yield bytes;
        }
        return;
      } catch (error) {
        failures = at > before ? 1 : failures + 1;
        await this.#pauseOrThrow(error, failures, this.#signal);
      }
    }
  }

  async *#allFrom(begin: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { size, path } = this.#file;
    const answer = await this.#hub.get(this.#url, {}, this.#signal);
    let at = 0;
    try {
      await this.#checkWhole(answer.response);
      for await (const bytes of bodyOf(answer)) {
        if (at + bytes.length > size) throw this.#error("E_HTTP_LENGTH", `more than the ${size} bytes of the listing`);
        const from = Math.max(0, begin - at);
        at += bytes.length;
        if (from < bytes.length) {
          this.#received(bytes.length - from);
          yield bytes.subarray(from);
        }
      }
      if (at < size) throw endedEarly(path, at, size);
    } catch (error) {
      throw explained(answer, error);
    } finally {
      answer.watch.stop();
    }
  }

  async #chunk(range: Range, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const chunk = allocate(this.#file.path, range.end - range.begin);
    let filled = 0;
    for (let failures = 0; filled < chunk.length;) {
      const before = filled;
      try {
        for await (const bytes of this.#bytesOf({ begin: range.begin + filled, end: range.end }, signal)) {
          chunk.set(bytes, filled);
          filled += bytes.length;
          this.#received(bytes.length);
        }
        // A server may send less than it is asked for, but not nothing.
        if (filled === before) throw endedEarly(this.#file.path, range.begin + filled, range.end);
      } catch (error) {
        failures = filled > before ? 1 : failures + 1;
        await this.#pauseOrThrow(error, failures, signal);
      }
    }
    return chunk;
  }

  async *#bytesOf(range: Range, signal: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { begin, end } = range;
    const isAll = begin === 0 && end === this.#file.size;
    const answer = await this.#hub.get(this.#url, isAll ? {} : this.#rangeHeaders(range), signal);
    try {
      const last = isAll ? await this.#checkWhole(answer.response) : await this.#checkRange(answer.response, range);
      let at = begin;
      for await (const bytes of bodyOf(answer)) {
        at += bytes.length;
        if (at > last) {
          throw this.#error(isAll ? "E_HTTP_LENGTH" : "E_HTTP_RANGE", `more than bytes ${begin} to ${last - 1} came`);
        }
        yield bytes;
      }
      if (at < last) throw endedEarly(this.#file.path, at, last);
    } catch (error) {
      throw explained(answer, error);
    } finally {
      answer.watch.stop();
    }
  }

  #rangeHeaders({ begin, end }: Range): Record<string, string> {
    const range = `bytes=${begin}-${end - 1}`;
    const { etag } = this;
    // A browser asks another origin's permission for If-Range, which the Hugging Face Hub does not give. The ETag of the
    // answer tells the same. A weak one says too little for If-Range.
    const asksWhether = this.checksEtag && etag !== undefined && !etag.startsWith("W/") && !isElsewhere(this.#url);
    return asksWhether ? { range, "if-range": etag } : { range };
  }

  /** @returns where the answer's bytes end */
  async #checkRange(response: Response, { begin, end }: Range): Promise<number> {
    const { size } = this.#file;
    const [, whole] = /^bytes \*\/(\d{1,15})$/.exec(response.headers.get("content-range") ?? "") ?? [];
    const range = response.ok ? contentRange(this.#url, response) : undefined;
    const found = range?.size ?? (whole === undefined ? undefined : Number(whole));
    if (found !== undefined && found !== size) {
      throw this.#error("E_HTTP_LENGTH", `found ${found} bytes; the repository lists ${size}`);
    }
    if (response.ok) this.#checkContent(response);
    if (response.status === 206) {
      const right = !range || (range.begin === begin && range.end > begin && range.end <= end);
      if (right && !isEncoded(response)) return range?.end ?? end;
    } else if (response.status !== 200) throw hubStatusError(this.#url, response);
    const sent = response.status === 200 ? "all of it" : (response.headers.get("content-range") ?? "compressed bytes");
    throw this.#error("E_HTTP_RANGE", `asked for bytes ${begin} to ${end - 1}, the server sent ${quote(sent)}`);
  }

  /** @returns where the answer's bytes end */
  async #checkWhole(response: Response): Promise<number> {
    const { size } = this.#file;
    if (response.status !== 200) throw hubStatusError(this.#url, response);
    this.#checkContent(response);
    const length = response.headers.get("content-length");
    // The length of a compressed body is not the file's.
    if (length !== null && !isEncoded(response) && Number(length) !== size) {
      throw this.#error("E_HTTP_LENGTH", `found ${quote(length)} bytes; the repository lists ${size}`);
    }
    return size;
  }

  #checkContent(response: Response): void {
    if (isPage(response) && !/\.html?$/.test(this.#file.path)) throw pageError(this.#url);
    const etag = response.headers.get("etag") ?? undefined;
    if (this.checksEtag && this.etag !== undefined && etag !== undefined && etag !== this.etag) throw new ChangedFile();
    this.etag ??= etag;
  }

  #error(code: ErrorCode, problem: string): R1Error {
    return hubError(code, this.#url, problem);
  }

  /** Waits before another try, if one may help. */
  async #pauseOrThrow(error: unknown, failures: number, signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    if (!isPassing(error) || failures >= this.#settings.tries) throw error;
    await pause(Math.min(MAX_BACKOFF_MS, this.#settings.backoffMs * 2 ** (failures - 1)), signal);
  }
}

async function* bodyOf({ response, watch }: Answer): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const read = reader && (await watch.until(reader.read()));
      if (read?.value === undefined) return;
      watch.heard();
      yield read.value;
    }
  } finally {
    // Otherwise the rest would be downloaded for nothing; a broken body cannot be cancelled and need not be.
    void reader?.cancel().catch(() => undefined);
  }
}

function explained({ response, watch }: Answer, error: unknown): Error {
  void discard(response);
  return error instanceof ChangedFile || isR1Error(error) ? error : watch.explain(error);
}

/** True in a browser whose page has another origin. */
function isElsewhere(url: URL): boolean {
  return typeof location !== "undefined" && location.origin !== url.origin;
}

/** @throws R1Error E_ABORTED */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done);
  });
  throwIfAborted(signal);
}
