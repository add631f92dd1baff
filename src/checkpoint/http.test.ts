import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "./checkpoint.ts";
import { httpFolder } from "./http.ts";
import { answer, askedRange, openFrom, ranges, serve, testBytes } from "./node/test-server.ts";
import type { Handler } from "./node/test-server.ts";
import { readJson } from "./source.ts";
import { buildSafetensors } from "./testing.ts";

/** More than the first request takes. */
const LARGE = testBytes(300_000);
const SMALL = LARGE.slice(0, 1000);
const FIRST = 128 * 1024;

/** Compares quickly, where `toEqual` takes a second for a few hundred kB. */
function expectSame(bytes: Uint8Array | undefined, expected: Uint8Array): void {
  expect(bytes).toHaveLength(expected.length);
  expect(Buffer.compare(bytes ?? new Uint8Array(), expected)).toBe(0);
}

describe("a server with ranges", () => {
  it("gives a small file in one request", async () => {
    const { source, requests } = await openFrom(ranges(SMALL));
    expect(source).toMatchObject({ name: "x.bin", size: 1000 });
    await expect(source?.read(0, 1000)).resolves.toEqual(SMALL);
    await expect(source?.read(10, 20)).resolves.toEqual(SMALL.slice(10, 30));
    expect(requests).toEqual([`GET /models/tiny/x.bin bytes=0-${FIRST - 1}`]);
  });

  it("gives a large file piece by piece, its beginning once", async () => {
    const { source, requests } = await openFrom(ranges(LARGE));
    expect(source?.size).toBe(300_000);
    expectSame(await source?.read(100, 50), LARGE.slice(100, 150));
    expect(requests).toHaveLength(1);
    expectSame(await source?.read(200_000, 1000), LARGE.slice(200_000, 201_000));
    expectSame(await source?.read(0, 300_000), LARGE);
    expect(requests.slice(1)).toEqual([
      "GET /models/tiny/x.bin bytes=200000-200999",
      `GET /models/tiny/x.bin bytes=${FIRST}-299999`,
    ]);
    await expect(source?.read(299_999, 2)).rejects.toMatchObject({ code: "E_FILE_TRUNCATED" });
    expect(requests).toHaveLength(3);
  });

  it("gives buffers of their own", async () => {
    const { source } = await openFrom(ranges(SMALL));
    const bytes = await source?.read(8, 4);
    expect(bytes?.byteOffset).toBe(0);
    expect(bytes?.buffer.byteLength).toBe(4);
    bytes?.fill(0);
    await expect(source?.read(8, 4)).resolves.toEqual(SMALL.slice(8, 12));
  });

  it.each([FIRST - 1, FIRST, FIRST + 1])("gives a file of %i bytes whole", async (size) => {
    const { source } = await openFrom(ranges(LARGE.subarray(0, size)));
    expectSame(await source?.read(0, size), LARGE.slice(0, size));
  });

  it("gives an empty file", async () => {
    const { source } = await openFrom(ranges(new Uint8Array()));
    expect(source?.size).toBe(0);
    await expect(source?.read(0, 0)).resolves.toHaveLength(0);
  });

  it("gives a checkpoint and JSON", async () => {
    const model = buildSafetensors({ w: { dtype: "U8", shape: [LARGE.length], data: LARGE } });
    const server = await serve((request, response) => {
      if (request.url === "/models/tiny/model.safetensors") ranges(model)(request, response);
      else if (request.url === "/models/tiny/config.json")
        ranges(new TextEncoder().encode('{"a":1}'))(request, response);
      else answer(404, {})(request, response);
    });
    // Without the slash that tells a folder from a file.
    const folder = httpFolder(server.url.replace(/\/$/, ""));
    expect(folder.name).toBe("tiny");
    await expect(readJson(folder, "config.json")).resolves.toEqual({ a: 1 });
    const checkpoint = await openCheckpoint(folder);
    expect(server.requests).toHaveLength(2);
    expectSame(await checkpoint.read("w", 250_000), LARGE.slice(250_000));
    await expect(openCheckpoint(folder, { file: "y.safetensors" })).rejects.toMatchObject({ code: "E_FILE_MISSING" });
  });

  it("is asked for names as they are", async () => {
    const server = await serve(ranges(SMALL));
    const folder = httpFolder(server.url);
    await folder.open("sub/a b?#%2e.bin");
    expect(server.requests[0]).toMatch("GET /models/tiny/sub/a%20b%3F%23%252e.bin ");
    await expect(folder.open("../x.bin")).rejects.toMatchObject({ code: "E_FORMAT" });
    expect(server.requests).toHaveLength(1);
  });
});

describe("a server that does not tell the size", () => {
  const unsized: Handler = (request, response) => {
    if (request.method === "HEAD") {
      response.writeHead(200, { "content-length": LARGE.length }).end();
      return;
    }
    const [begin, end] = askedRange(request, LARGE.length);
    response.writeHead(206, { "content-range": `bytes ${begin}-${end - 1}/*` }).end(LARGE.subarray(begin, end));
  };

  it("is asked by HEAD", async () => {
    const { source, requests } = await openFrom(unsized);
    expect(source?.size).toBe(300_000);
    expect(requests[1]).toBe("HEAD /models/tiny/x.bin");
    expectSame(await source?.read(200_000, 10), LARGE.slice(200_000, 200_010));
  });

  it("or does not show its Content-Range to other origins", async () => {
    const hidden: Handler = (request, response) => {
      if (request.method === "HEAD") return unsized(request, response);
      const [begin, end] = askedRange(request, LARGE.length);
      response.writeHead(206).end(LARGE.subarray(begin, end));
    };
    const { source } = await openFrom(hidden);
    expect(source?.size).toBe(300_000);
    expectSame(await source?.read(200_000, 10), LARGE.slice(200_000, 200_010));
  });

  it("needs no HEAD for a file that ends in the first range", async () => {
    const { source, requests } = await openFrom(answer(206, {}, SMALL));
    expect(source?.size).toBe(1000);
    expect(requests).toHaveLength(1);
  });

  it.each([
    ["405", answer(405, {})],
    ["nothing", answer(200, { "transfer-encoding": "chunked" })],
    ["a compressed length", answer(200, { "content-encoding": "gzip", "content-length": "99" })],
  ])("and answers HEAD with %s", async (_, head) => {
    const handler: Handler = (request, response) => (request.method === "HEAD" ? head : unsized)(request, response);
    await expect(openFrom(handler)).rejects.toMatchObject({
      code: "E_HTTP",
      message: expect.stringContaining("does not tell the file's size") as string,
    });
  });
});

describe("a server without ranges", () => {
  it("is asked once for the whole file", async () => {
    const { source, requests } = await openFrom(answer(200, {}, LARGE));
    expect(source?.size).toBe(300_000);
    expectSame(await source?.read(200_000, 10), LARGE.slice(200_000, 200_010));
    expectSame(await source?.read(0, 300_000), LARGE);
    await expect(source?.read(300_000, 1)).rejects.toMatchObject({ code: "E_FILE_TRUNCATED" });
    expect(requests).toHaveLength(1);
  });

  it("may compress: the size is the file's, not Content-Length", async () => {
    const zipped = gzipSync(LARGE);
    const headers = { "content-encoding": "gzip", "content-length": String(zipped.length) };
    const { source } = await openFrom(answer(200, headers, zipped));
    expect(source?.size).toBe(300_000);
    expectSame(await source?.read(0, 300_000), LARGE);
  });

  it("may send an empty file", async () => {
    expect((await openFrom(answer(200, {}))).source?.size).toBe(0);
  });
});

it("a range of compressed bytes is asked for again as a whole", async () => {
  const zipped = gzipSync(LARGE);
  const { source, requests } = await openFrom((request, response) => {
    if (request.headers.range === undefined) answer(200, { "content-encoding": "gzip" }, zipped)(request, response);
    else {
      const headers = { "content-encoding": "gzip", "content-range": `bytes 0-${zipped.length - 1}/${zipped.length}` };
      answer(206, headers, zipped)(request, response);
    }
  });
  expect(source?.size).toBe(300_000);
  expect(requests).toHaveLength(2);
});

describe("a file is missing", () => {
  it.each([
    ["404", answer(404, {}, "no")],
    ["404 with a page", answer(404, { "content-type": "text/html" }, "<!doctype html>")],
    ["410", answer(410, {})],
    ["an application's page", answer(200, { "content-type": "text/html; charset=utf-8" }, "<!DOCTYPE html><p>App")],
    ["a page in a range", answer(206, { "content-type": "text/html", "content-range": "bytes 0-4/5" }, "<html")],
    ["a page of no type", answer(200, {}, "\n<!DOCTYPE html><p>App")],
    ["a page in a range, of another type", answer(206, { "content-range": "bytes 0-14/15" }, "<!doctype html>")],
    ["S3's 403", answer(403, {}, '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')],
  ])("%s", async (_, handler) => {
    expect((await openFrom(handler)).source).toBeUndefined();
  });
});

describe("an address", () => {
  it.each(["models/tiny/", "/models/tiny", "file:///models/", "ftp://x/", "http://user:secret@x/", "", "http://"])(
    "is refused: %s",
    (address) => {
      expect(() => httpFolder(address)).toThrow(expect.objectContaining({ code: "E_HTTP" }));
    },
  );

  it("names the folder by its last part, or its host", () => {
    expect(httpFolder("https://example.org/a/my-model/?x=1").name).toBe("my-model");
    expect(httpFolder("https://example.org").name).toBe("example.org");
  });

  it("is fetched by what the caller gives", async () => {
    const asked: string[] = [];
    const folder = httpFolder("https://example.org/m", {
      fetch: async (input) => {
        asked.push(input instanceof Request ? input.url : String(input));
        return new Response("abc");
      },
    });
    await expect(folder.open("x.bin")).resolves.toMatchObject({ size: 3 });
    expect(asked).toEqual(["https://example.org/m/x.bin"]);
  });
});
