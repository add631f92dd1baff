import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { onTestFinished } from "vitest";
import { httpFolder } from "../http.ts";
import type { ByteSource } from "../source.ts";

/** How a server answers. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface TestServer {
  /** A model folder's address. */
  readonly url: string;
  /** Method, path and range of each request. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** A server on this machine, closed at the end of the test that starts it. */
export async function serve(handler: Handler): Promise<TestServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const range = request.headers.range;
    requests.push([request.method, request.url, ...(range === undefined ? [] : [range])].join(" "));
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(close);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the test's server has no port");
  return { url: `http://127.0.0.1:${address.port}/models/tiny/`, requests, close };
}

/** The file x.bin, opened from a server that answers so. */
export async function openFrom(
  handler: Handler,
  signal?: AbortSignal,
): Promise<{ readonly source: ByteSource | undefined; readonly requests: readonly string[] }> {
  const server = await serve(handler);
  const source = await httpFolder(server.url).open("x.bin", signal);
  return { source, requests: server.requests };
}

/** The [begin, end) that was asked for, within the file. */
export function askedRange(request: IncomingMessage, size: number): [begin: number, end: number] {
  const [, begin, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
  return [Number(begin), Math.min(Number(last) + 1, size)];
}

/** A server as it should be. */
export function ranges(bytes: Uint8Array): Handler {
  return (request, response) => {
    if (bytes.length === 0) {
      response.writeHead(416, { "content-range": "bytes */0" }).end();
      return;
    }
    const [begin, end] = askedRange(request, bytes.length);
    response.writeHead(206, { "content-range": `bytes ${begin}-${end - 1}/${bytes.length}` });
    response.end(bytes.subarray(begin, end));
  };
}

export function answer(status: number, headers: Record<string, string>, body: Uint8Array | string = ""): Handler {
  return (_, response) => {
    response.writeHead(status, headers).end(body);
  };
}

/** Bytes that differ from their neighbours near and far. */
export function testBytes(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
}
