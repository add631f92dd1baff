import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";

/** How one answer differs from a good hub's. */
export interface Fault {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Replaces the body, and its length. */
  readonly body?: string | Uint8Array;
  /** The connection ends after so many bytes of the body. */
  readonly cutAfter?: number;
  /** Nothing more comes after so many bytes of the body. */
  readonly stallAfter?: number;
  /** Sends all of the file whatever the range. */
  readonly ignoresRange?: boolean;
  /** Sends the bytes from so many further on, under the header of what was asked for. */
  readonly shift?: number;
  /** Changes a byte of the file. */
  readonly flipAt?: number;
  /** Sends this Content-Range; none if it is empty. */
  readonly contentRange?: string;
  /** Calls the file's content so. */
  readonly etag?: string;
}

export interface HubRequest {
  /** "tree", "revision", or a file's path. */
  readonly what: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly authorization: string | undefined;
  /** How often the same was asked before. */
  readonly nth: number;
}

export interface TestHubOptions {
  readonly repository?: string;
  readonly commit?: string;
  /** Files that are listed with a SHA-256, by the ends of their names; the others have git's hash. */
  readonly large?: RegExp;
  /** What goes wrong with a request. */
  readonly fault?: ((request: HubRequest) => Fault | undefined) | undefined;
  /** Bytes per second of each answer; as fast as possible if left out. */
  readonly bytesPerSecond?: number;
  /** Files of one page of the listing. */
  readonly pageSize?: number;
}

export interface TestHub {
  readonly endpoint: string;
  readonly requests: readonly HubRequest[];
  readonly close: () => Promise<void>;
}

/** A hub of one repository on this machine, with the faults that a test wants. */
export async function startTestHub(
  files: Readonly<Record<string, Uint8Array>>,
  options: TestHubOptions = {},
): Promise<TestHub> {
  const {
    repository = "owner/model",
    commit = "c".repeat(40),
    large = /\.(safetensors|gguf|onnx|onnx_data\w*)$/,
  } = options;
  const requests: HubRequest[] = [];
  const tree = Object.entries(files).map(([path, bytes]) => entryOf(path, bytes, large));

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-expose-headers", "ETag, Link, Content-Range, Accept-Ranges, X-Error-Message");
    const url = new URL(request.url ?? "", "http://hub");
    const what = whatOf(decodeURIComponent(url.pathname), repository);
    const { range, authorization } = request.headers;
    const ifRange = request.headers["if-range"]?.toString();
    const nth = requests.filter((earlier) => earlier.what === what).length;
    const seen = { what, range, ifRange, authorization, nth };
    requests.push(seen);
    const fault = options.fault?.(seen) ?? {};
    if (fault.status !== undefined || fault.body !== undefined) {
      response.writeHead(fault.status ?? 200, { ...fault.headers }).end(fault.body ?? "");
    } else if (what === "revision") sendJson(response, { sha: commit });
    else if (what === "tree") sendPage(response, tree, url, options.pageSize ?? 1000);
    else if (files[what]) await sendFile(response, files[what], seen, fault, options.bytesPerSecond);
    else response.writeHead(404, { "x-error-message": "Entry not found" }).end();
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the test's hub has no port");
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function entryOf(path: string, bytes: Uint8Array, large: RegExp): object {
  const size = bytes.length;
  const oid = createHash("sha1").update(`blob ${size}\0`).update(bytes).digest("hex");
  if (!large.test(path)) return { type: "file", path, size, oid };
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { type: "file", path, size, oid: "0".repeat(40), lfs: { oid: sha256, size, pointerSize: 134 } };
}

function whatOf(path: string, repository: string): string {
  if (path.startsWith(`/api/models/${repository}/revision/`)) return "revision";
  if (path.startsWith(`/api/models/${repository}/tree/`)) return "tree";
  const start = `/${repository}/resolve/`;
  return path.startsWith(start) ? path.slice(start.length).replace(/^[^/]+\//, "") : path;
}

function sendJson(response: ServerResponse, json: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(json));
}

function sendPage(response: ServerResponse, tree: readonly object[], url: URL, size: number): void {
  const from = Number(url.searchParams.get("cursor") ?? 0);
  if (from + size < tree.length) {
    url.searchParams.set("cursor", String(from + size));
    response.setHeader("link", `<${url.pathname}${url.search}>; rel="next"`);
  }
  sendJson(response, tree.slice(from, from + size));
}

async function sendFile(
  response: ServerResponse,
  file: Uint8Array,
  { range, ifRange }: HubRequest,
  fault: Fault,
  bytesPerSecond: number | undefined,
): Promise<void> {
  const bytes = Uint8Array.from(file);
  if (fault.flipAt !== undefined) bytes[fault.flipAt] = (bytes[fault.flipAt] ?? 0) ^ 1;
  const etag = fault.etag ?? `"${createHash("md5").update(file).digest("hex")}"`;
  const [, begin, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  const isRange = begin !== undefined && fault.ignoresRange !== true && (ifRange === undefined || ifRange === etag);
  const [from, to] = isRange ? [Number(begin), Math.min(Number(last) + 1, file.length)] : [0, file.length];
  const shift = fault.shift ?? 0;
  const body = bytes.subarray(from + shift, to + shift);
  const told = fault.contentRange ?? `bytes ${from}-${to - 1}/${file.length}`;
  response.writeHead(isRange ? 206 : 200, {
    etag,
    "content-length": body.length,
    ...(isRange && told !== "" ? { "content-range": told } : {}),
    // Nothing else goes over a connection that is about to end.
    ...(fault.cutAfter === undefined ? {} : { connection: "close" }),
    ...fault.headers,
  });
  const end = fault.cutAfter ?? fault.stallAfter;
  if (bytesPerSecond === undefined) response.write(body.subarray(0, end ?? body.length));
  else await sendSlowly(response, body, bytesPerSecond);
  if (fault.stallAfter !== undefined) return;
  // What was written is to arrive before the connection ends.
  if (fault.cutAfter !== undefined) setTimeout(() => response.destroy(), 10);
  else response.end();
}

async function sendSlowly(response: ServerResponse, body: Uint8Array, bytesPerSecond: number): Promise<void> {
  const EVERY_MS = 20;
  const step = Math.max(1, Math.round((bytesPerSecond * EVERY_MS) / 1000));
  for (let at = 0; at < body.length && !response.destroyed; at += step) {
    response.write(body.subarray(at, at + step));
    await new Promise((resolve) => void setTimeout(resolve, EVERY_MS));
  }
}
