import * as v from "valibot";
import { isR1Error, R1Error, throwIfAborted } from "../../errors.ts";
import { httpFolder } from "../http.ts";
import { discard } from "../http-response.ts";
import { pathSegments } from "../file-name.ts";
import { parseJson } from "../json.ts";
import { quote } from "../quote.ts";
import type { ModelFolder } from "../source.ts";
import type { HubAddress } from "./address.ts";
import { hubError, hubStatusError } from "./hub-error.ts";
import { StallWatch } from "./stall-watch.ts";

export const HUGGING_FACE = "https://huggingface.co";

export interface HubOptions {
  /** Where the hub is; Hugging Face's by default. */
  readonly endpoint?: string;
  /** For gated and private repositories. It is kept in memory only, and sent to the endpoint's own host only. */
  readonly token?: string;
  /** Stands in for the global one. */
  readonly fetch?: typeof fetch;
  /** A connection that brings nothing for so long has stalled. */
  readonly stallMs?: number;
}

/** A file of a repository, as the hub lists it. */
export interface HubFile {
  /** Within the repository, with slashes. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Of large files. */
  readonly sha256?: string;
  /** SHA-1 of git's blob (a header and the content), of the others. */
  readonly gitOid?: string;
}

export interface HubListing {
  readonly repository: string;
  /** The one that was asked for. */
  readonly revision: string;
  /** What it was then: a commit stays what it is. */
  readonly commit: string;
  readonly files: readonly HubFile[];
}

const MEBIBYTE = 2 ** 20;
const MAX_ANSWER_BYTES = 16 * MEBIBYTE;
/** A model of trillions of parameters has hundreds of files; whole archives of checkpoints have tens of thousands. */
const MAX_FILES = 50_000;
/** A hub gives a thousand files a page; one that gives fewer is not asked for ever. */
const MAX_PAGES = 200;
const STALL_MS = 30_000;

const infoSchema = v.object({ sha: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/)) });

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const treeSchema = v.array(
  v.object({
    type: v.string(),
    path: v.pipe(v.string(), v.maxLength(1000)),
    size: v.optional(size, 0),
    oid: v.optional(v.string()),
    lfs: v.optional(v.nullable(v.object({ oid: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)), size }))),
  }),
);

/** The hub need not know which page asks, nor may cookies of its own pages come along. */
const PRIVATE = { credentials: "omit", referrerPolicy: "no-referrer" } as const;

/** A hub's two ways to be asked: what a repository has, and a file's bytes. */
export class Hub {
  readonly #endpoint: URL;
  readonly #token: string | undefined;
  readonly #fetch: typeof fetch;
  readonly #stallMs: number;

  /** @throws R1Error E_HUB_NAME for an endpoint that is no address */
  constructor({ endpoint = HUGGING_FACE, token, fetch: fetcher = fetch, stallMs = STALL_MS }: HubOptions = {}) {
    this.#endpoint = endpointUrl(endpoint);
    this.#token = token;
    this.#fetch = fetcher;
    this.#stallMs = stallMs;
  }

  /**
   * What a repository has at a revision.
   * @param onPage told how many files have come where more follow
   * @throws R1Error E_HUB_FILES for more files than are looked through; E_HUB_MISSING, E_HUB_ACCESS, E_HTTP, E_HTTP_PAGE, E_STALLED, E_JSON, E_ABORTED
   */
  async list(
    { repository, revision }: HubAddress,
    signal?: AbortSignal,
    onPage?: (files: number) => void,
  ): Promise<HubListing> {
    const commit = await this.commitOf({ repository, revision }, signal);
    const files: HubFile[] = [];
    const path = `api/models/${repository}/tree/${encodeURIComponent(commit)}?recursive=1`;
    let next: URL | undefined = new URL(path, this.#endpoint);
    for (let page = 0; next; page++) {
      const url: URL = next;
      if (page === MAX_PAGES) throw tooMany(repository, `more than ${MAX_PAGES} pages of files`, `${MAX_PAGES} pages`);
      const { json, link } = await this.#json(url, signal);
      const parsed = v.safeParse(treeSchema, json);
      if (!parsed.success) throw badAnswer(url, parsed.issues);
      // One by one: a page of more than some hundred thousand would not fit a call's arguments.
      for (const entry of parsed.output) for (const file of fileOf(entry)) files.push(file);
      next = nextPage(url, link);
      const more = next ? "more than " : "";
      if (files.length > MAX_FILES) throw tooMany(repository, `${more}${files.length} files`, `${MAX_FILES}`);
      if (next) onPage?.(files.length);
    }
    return { repository, revision, commit, files };
  }

  /**
   * The commit that a revision is; the revision itself where a server only lists files.
   * @throws R1Error as {@link list}
   */
  async commitOf(
    { repository, revision }: Pick<HubAddress, "repository" | "revision">,
    signal?: AbortSignal,
  ): Promise<string> {
    const url = new URL(`api/models/${repository}/revision/${encodeURIComponent(revision)}`, this.#endpoint);
    try {
      const { json } = await this.#json(url, signal);
      const parsed = v.safeParse(infoSchema, json);
      if (parsed.success) return parsed.output.sha;
      throw badAnswer(url, parsed.issues);
    } catch (error) {
      if (isR1Error(error) && error.code === "E_HUB_MISSING" && error.details["status"] === 404) return revision;
      throw error;
    }
  }

  fileUrl({ repository, commit }: Pick<HubListing, "repository" | "commit">, path: string): URL {
    const name = pathSegments(path).map(encodeURIComponent).join("/");
    return new URL(`${repository}/resolve/${encodeURIComponent(commit)}/${name}`, this.#endpoint);
  }

  /** The files of a listing as a folder, for what is read in small pieces. */
  folder(listing: Pick<HubListing, "repository" | "commit">): ModelFolder {
    const send = this.#fetch;
    const fetcher: typeof fetch = (url, init) =>
      send(url, {
        ...init,
        ...PRIVATE,
        headers: { ...Object.fromEntries(new Headers(init?.headers)), ...this.#key() },
      });
    return httpFolder(new URL(".", this.fileUrl(listing, "config.json")).href, { fetch: fetcher });
  }

  /**
   * Asks for a file. The watch ends a connection that brings nothing; its owner tells it of what arrives, and stops it.
   * @throws R1Error E_HTTP, E_STALLED, E_ABORTED; a status is not looked at
   */
  async get(url: URL, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Answer> {
    throwIfAborted(signal);
    const watch = new StallWatch(url, this.#stallMs, signal);
    try {
      // Called through a variable: as a method of anything but the global object, a browser's fetch refuses to run.
      const send = this.#fetch;
      const sent = send(url, {
        headers: { ...headers, ...this.#key() },
        signal: watch.signal,
        ...PRIVATE,
      });
      const response = await watch.until(sent);
      watch.heard();
      return { response, watch };
    } catch (error) {
      throw watch.explain(error);
    }
  }

  #key(): Readonly<Record<string, string>> {
    return this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
  }

  async #json(url: URL, signal?: AbortSignal): Promise<{ readonly json: unknown; readonly link: string | null }> {
    const { response, watch } = await this.get(url, { accept: "application/json" }, signal);
    try {
      if (!response.ok) throw hubStatusError(url, response);
      if (isPage(response)) throw pageError(url);
      const text = new TextDecoder().decode(await readCapped(url, response, watch));
      if (/^\s*<(!doctype|html)\b/i.test(text)) throw pageError(url);
      return { json: parseJson(text, `${url.origin}${url.pathname}`), link: response.headers.get("link") };
    } catch (error) {
      throw watch.explain(error);
    } finally {
      void discard(response);
      watch.stop();
    }
  }
}

/** A server's answer, with the watch over its body. */
export interface Answer {
  readonly response: Response;
  readonly watch: StallWatch;
}

export function isPage(response: Response): boolean {
  return /^text\/html\b/i.test(response.headers.get("content-type") ?? "");
}

export function pageError(url: URL): R1Error {
  return hubError("E_HTTP_PAGE", url, "found a web page; expected a file");
}

async function readCapped(url: URL, response: Response, watch: StallWatch): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const read = reader && (await watch.until(reader.read()));
    if (read?.value === undefined) break;
    watch.heard();
    bytes += read.value.length;
    if (bytes > MAX_ANSWER_BYTES) {
      void reader?.cancel().catch(() => undefined);
      throw hubError("E_HTTP_LENGTH", url, `more than ${MAX_ANSWER_BYTES} bytes`);
    }
    chunks.push(read.value);
  }
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function endpointUrl(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new R1Error("E_HUB_NAME", `${quote(endpoint)}: expected a hub's http or https address without a password`);
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/** A listed file; folders, and names that would lead elsewhere, are left out. */
function fileOf({ type, path, size: bytes, oid, lfs }: v.InferOutput<typeof treeSchema>[number]): HubFile[] {
  if (type !== "file" || !isPath(path)) return [];
  if (lfs) return [{ path, size: lfs.size, sha256: lfs.oid }];
  return [{ path, size: bytes, ...(oid !== undefined && /^[0-9a-f]{40}$/.test(oid) ? { gitOid: oid } : {}) }];
}

function isPath(path: string): boolean {
  try {
    return pathSegments(path).length > 0;
  } catch {
    return false;
  }
}

/** `<address>; rel="next"`, if it is of the same server. */
function nextPage(url: URL, link: string | null): URL | undefined {
  const [, address] = /<([^<>]+)>\s*;\s*rel="?next"?/.exec(link ?? "") ?? [];
  if (address === undefined || !URL.canParse(address, url)) return undefined;
  const next = new URL(address, url);
  return next.origin === url.origin ? next : undefined;
}

function tooMany(repository: string, found: string, most: string): R1Error {
  return new R1Error(
    "E_HUB_FILES",
    `${repository}: the hub lists ${found}; at most ${most} are looked through. Name a repository of one model`,
  );
}

function badAnswer(url: URL, [issue]: readonly v.BaseIssue<unknown>[]): R1Error {
  const field = issue ? (v.getDotPath(issue) ?? "its value") : "its value";
  const file = `${url.origin}${url.pathname}`;
  return new R1Error("E_JSON", `${file}: ${field}: ${issue?.message ?? "not as expected"}`, { file, field });
}
