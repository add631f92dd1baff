import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { httpFolder } from "./http.ts";
import { answer, openFrom, ranges, serve, testBytes } from "./node/test-server.ts";
import type { Handler } from "./node/test-server.ts";

/** More than the first request takes. */
const LARGE = testBytes(300_000);
const SMALL = LARGE.slice(0, 1000);
const FIRST = 128 * 1024;

/** Reads from a file whose beginning was answered well; the next answer is this. */
async function readLater(handler: Handler, signal?: AbortSignal): Promise<Uint8Array | undefined> {
  let answered = 0;
  const { source } = await openFrom((request, response) => {
    (answered++ === 0 ? ranges(LARGE) : handler)(request, response);
  });
  return source?.read(200_000, 1000, signal);
}

describe("a server's failure", () => {
  it.each([
    ["403", answer(403, {}, "go away"), "answered 403; expected 200 or 206"],
    ["401 with the Hub's reason", answer(401, { "x-error-message": "gated" }), 'answered 401, "gated"; expected'],
    ["500", answer(500, {}, "oops"), "answered 500"],
    ["416", answer(416, {}), "answered 416"],
    ["204", answer(204, {}), "answered 204"],
    ["a redirect to nowhere", answer(302, { location: "/x" }), "the connection failed"],
    ["a range from elsewhere", answer(206, { "content-range": "bytes 5-9/10" }, "abcde"), 'sent "bytes 5-9/10"'],
    ["a range shorter than the file", answer(206, { "content-range": "bytes 0-4/10" }, "abcde"), 'sent "bytes 0-4/10"'],
    [
      "a range longer than asked",
      answer(206, { "content-range": `bytes 0-${FIRST}/999999` }, "a"),
      "asked for bytes 0 to",
    ],
    ["a range in other units", answer(206, { "content-range": "lines 0-4/5" }, "abcde"), "expected bytes"],
    ["several ranges", answer(206, { "content-range": "bytes 0-1,3-4/5" }, "abcd"), "expected bytes"],
    [
      "a body longer than its range",
      answer(206, { "content-range": "bytes 0-4/5" }, "abcdef"),
      "more than the 5 bytes",
    ],
  ])("is told: %s", async (_, handler, problem) => {
    const opened = openFrom(handler);
    await expect(opened).rejects.toMatchObject({ code: "E_HTTP" });
    await expect(opened).rejects.toThrow(problem);
    await expect(opened).rejects.toThrow(/^http:\/\/127\.0\.0\.1:\d+\/models\/tiny\/x\.bin: /);
  });

  it("is told: a body shorter than its range", async () => {
    await expect(openFrom(answer(206, { "content-range": "bytes 0-9/10" }, "abcde"))).rejects.toMatchObject({
      code: "E_FILE_TRUNCATED",
      message: "x.bin: the data ended after 5 of 10 bytes",
    });
  });

  const right = { "content-range": "bytes 200000-200999/300000" };
  const piece = LARGE.slice(200_000, 201_000);

  it.each([
    ["404", answer(404, {}), "E_HTTP", "answered 404; expected 206 with bytes 200000 to 200999"],
    ["500", answer(500, {}), "E_HTTP", "answered 500"],
    ["the whole file", answer(200, {}, LARGE), "E_HTTP", "answered 200; expected 206"],
    [
      "another range",
      answer(206, { "content-range": "bytes 0-999/300000" }, piece),
      "E_HTTP",
      'sent "bytes 0-999/300000"',
    ],
    [
      "a range that begins too early",
      answer(206, { "content-range": "bytes 199999-200999/300000" }, piece),
      "E_HTTP",
      'sent "bytes 199999-200999/300000"',
    ],
    [
      "half the range",
      answer(206, { "content-range": "bytes 200000-200499/300000" }, piece.slice(500)),
      "E_HTTP",
      "sent",
    ],
    [
      "a file of another size",
      answer(206, { "content-range": "bytes 200000-200999/300001" }, piece),
      "E_HTTP",
      "300001",
    ],
    ["a compressed range", answer(206, { ...right, "content-encoding": "gzip" }, gzipSync(piece)), "E_HTTP", "sent"],
    ["too few bytes", answer(206, right, piece.slice(1)), "E_FILE_TRUNCATED", "ended after 200999 of 201000 bytes"],
    ["too many bytes", answer(206, right, LARGE), "E_HTTP", "more than the 1000 bytes"],
    ["too few bytes, saying nothing", answer(206, {}, piece.slice(1)), "E_FILE_TRUNCATED", "ended after 200999"],
    ["too many bytes, saying nothing", answer(206, {}, LARGE), "E_HTTP", "more than the 1000 bytes"],
  ])("is told when it comes later: %s", async (_, handler, code, problem) => {
    const read = readLater(handler);
    await expect(read).rejects.toMatchObject({ code });
    await expect(read).rejects.toThrow(problem);
  });
});

describe("a connection", () => {
  const cut = (headers: Record<string, string>, status = 206): Handler => {
    return (_, response) => {
      response.writeHead(status, { ...headers, "content-length": "1000" });
      response.write(SMALL.subarray(0, 400));
      setTimeout(() => response.destroy(), 20);
    };
  };

  it("is cut while a file is opened", async () => {
    const range = { "content-range": "bytes 0-999/1000" };
    await expect(openFrom(cut(range))).rejects.toMatchObject({
      code: "E_HTTP",
      details: { url: expect.any(String) as string },
    });
    await expect(openFrom(cut({}, 200))).rejects.toMatchObject({ code: "E_HTTP" });
  });

  it("is cut while bytes are read", async () => {
    const read = readLater(cut({ "content-range": "bytes 200000-200999/300000" }));
    await expect(read).rejects.toMatchObject({ code: "E_HTTP" });
    await expect(read).rejects.toThrow("the connection failed");
  });

  it("cannot be made", async () => {
    const server = await serve(answer(200, {}));
    await server.close();
    const opened = httpFolder(server.url).open("x.bin");
    await expect(opened).rejects.toMatchObject({ code: "E_HTTP" });
    await expect(opened).rejects.toThrow("ECONNREFUSED");
  });
});

describe("an abort", () => {
  /** Says what it has, sends some of it, and then nothing more. */
  const stall = (headers: Record<string, string>, status = 206): Handler => {
    return (_, response) => {
      response.writeHead(status, headers);
      response.write("abc");
    };
  };

  it.each([
    ["before the answer", () => undefined],
    ["in the first range", stall({ "content-range": "bytes 0-999/1000" })],
    ["in a whole file", stall({}, 200)],
  ])("stops opening: %s", async (_, handler) => {
    await expect(openFrom(handler, AbortSignal.timeout(50))).rejects.toMatchObject({ code: "E_ABORTED" });
  });

  it("stops reading", async () => {
    const handler = stall({ "content-range": "bytes 200000-200999/300000" });
    await expect(readLater(handler, AbortSignal.timeout(50))).rejects.toMatchObject({ code: "E_ABORTED" });
  });

  it("stops a body that goes on regardless", async () => {
    const abort = new AbortController();
    const chunk = new Uint8Array(10);
    const body = new ReadableStream({
      pull(controller) {
        abort.abort();
        controller.enqueue(chunk);
      },
    });
    const headers = { "content-range": "bytes 0-999/1000" };
    const folder = httpFolder("https://example.org/m", {
      fetch: async () => new Response(body, { status: 206, headers }),
    });
    await expect(folder.open("x.bin", abort.signal)).rejects.toMatchObject({ code: "E_ABORTED" });
  });

  it("that came earlier sends no request", async () => {
    const server = await serve(ranges(SMALL));
    const folder = httpFolder(server.url);
    await expect(folder.open("x.bin", AbortSignal.abort())).rejects.toMatchObject({ code: "E_ABORTED" });
    expect(server.requests).toEqual([]);
    const source = await folder.open("x.bin");
    await expect(source?.read(0, 1, AbortSignal.abort())).rejects.toMatchObject({ code: "E_ABORTED" });
  });
});
