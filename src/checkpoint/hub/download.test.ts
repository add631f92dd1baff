import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { R1Error } from "../../errors.ts";
import { parseHubAddress } from "./address.ts";
import { chooseModel } from "./choose-model.ts";
import { downloadModel, storedBytes } from "./download.ts";
import type { DownloadOptions } from "./download.ts";
import { Hub } from "./hub.ts";
import { MANIFEST, readManifest } from "./manifest.ts";
import { MemoryLibrary } from "./memory-library.ts";
import type { DownloadProgress } from "./meter.ts";
import type { ModelStore } from "./model-store.ts";
import { diskStore } from "./node/disk-store.ts";
import { startTestHub } from "./node/test-hub.ts";
import type { Fault, HubRequest, TestHub, TestHubOptions } from "./node/test-hub.ts";

const CHUNK = 1000;
/** Eleven requests, the last of which is short. */
const WEIGHTS = Uint8Array.from({ length: 10 * CHUNK + 500 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
const CONFIG = Buffer.from('{"model_type": "qwen2"}');
const FILES = { "config.json": CONFIG, "tokenizer.json": Buffer.from("{}"), "model.safetensors": WEIGHTS };
const ALL_BYTES = CONFIG.length + 2 + WEIGHTS.length;
const SETTINGS = { chunkBytes: CHUNK, connections: 3, tries: 3, backoffMs: 1 };

interface Setup extends TestHubOptions {
  readonly files?: Readonly<Record<string, Uint8Array>>;
  /** Milliseconds after which a connection has stalled. */
  readonly stallMs?: number;
}

async function setUp({ files = FILES, stallMs = 20_000, ...options }: Setup = {}) {
  const server = await startTestHub(files, options);
  onTestFinished(server.close);
  return { server, hub: new Hub({ endpoint: server.endpoint, stallMs }) };
}

function tempStore(): { readonly store: ModelStore; readonly directory: string } {
  const directory = mkdtempSync(join(tmpdir(), "r1-download-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return { store: diskStore(join(directory, "model")), directory: join(directory, "model") };
}

async function download(hub: Hub, store: ModelStore, options: DownloadOptions = {}, name = "owner/model") {
  const address = parseHubAddress(name);
  const listing = await hub.list(address);
  return downloadModel(hub, listing, chooseModel(listing, address), store, { settings: SETTINGS, ...options });
}

/** Requests for the weights. */
function asked({ requests }: TestHub): readonly HubRequest[] {
  return requests.filter(({ what }) => what === "model.safetensors");
}

function expectComplete(directory: string): void {
  expect(readdirSync(directory).toSorted()).toEqual(["config.json", "model.safetensors", MANIFEST, "tokenizer.json"]);
  expect(readFileSync(join(directory, "model.safetensors")).equals(WEIGHTS)).toBe(true);
  expect(readFileSync(join(directory, "config.json")).equals(CONFIG)).toBe(true);
}

/** One fault of the weights' nth answer, counted from 0. */
function once(nth: number, fault: Fault): TestHubOptions["fault"] {
  return (request) => (request.what === "model.safetensors" && request.nth === nth ? fault : undefined);
}

/** A fault of every answer with weights. */
function always(fault: Fault): TestHubOptions["fault"] {
  return ({ what }) => (what === "model.safetensors" ? fault : undefined);
}

describe("a download", () => {
  it("comes in ranges, says how far it is, and leaves a model's folder", async () => {
    const { server, hub } = await setUp();
    const { store, directory } = tempStore();
    const told: DownloadProgress[] = [];
    const manifest = await download(hub, store, { onProgress: (progress) => void told.push(progress) });
    expectComplete(directory);
    // Three at a time: which of them the server sees first is chance.
    expect(asked(server)).toHaveLength(11);
    expect(new Set(asked(server).map(({ range }) => range))).toEqual(
      new Set(
        Array.from({ length: 11 }, (_, i) => `bytes=${i * CHUNK}-${Math.min((i + 1) * CHUNK, WEIGHTS.length) - 1}`),
      ),
    );
    expect(manifest).toMatchObject({ repository: "owner/model", revision: "main", commit: "c".repeat(40) });
    expect(await readManifest(store)).toEqual(manifest);
    expect(told.at(-1)).toMatchObject({ receivedBytes: ALL_BYTES, totalBytes: ALL_BYTES });
    expect(told.map(({ file }) => file)).toContain("tokenizer.json");
    const counts = told.map(({ receivedBytes }) => receivedBytes);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(await storedBytes(store, manifest)).toEqual({ bytes: ALL_BYTES, whole: true });
  });

  it("of what is there asks for no file again", async () => {
    const { server, hub } = await setUp();
    const { store, directory } = tempStore();
    await download(hub, store);
    const before = server.requests.length;
    await download(hub, store);
    expect(server.requests.slice(before).map(({ what }) => what)).toEqual(["revision", "tree"]);
    expectComplete(directory);
  });

  it("has an empty file, one in a folder, and one that the hub lists without a hash", async () => {
    const files = { "Q8_0/m.gguf": new Uint8Array() };
    const { hub } = await setUp({ files });
    const { store, directory } = tempStore();
    await download(hub, store);
    expect(statSync(join(directory, "Q8_0/m.gguf")).size).toBe(0);
    const body = JSON.stringify([{ type: "file", path: "m.gguf", size: 3 }]);
    const bare = await setUp({
      files: { "m.gguf": Buffer.from("abc") },
      fault: ({ what }) => (what === "tree" ? { body } : undefined),
    });
    const other = tempStore();
    await download(bare.hub, other.store);
    expect(readFileSync(join(other.directory, "m.gguf"), "utf8")).toBe("abc");
  });

  it("goes into memory where there is nothing else", async () => {
    const { hub } = await setUp();
    const library = new MemoryLibrary();
    const store = await library.store("owner--model");
    await library.exclusively("owner--model", () => download(hub, store));
    const source = await store.open("model.safetensors");
    expect(await source?.read(5000, 10)).toEqual(WEIGHTS.slice(5000, 5010));
    expect(library.files("owner--model").map(({ path }) => path)).toContain("owner--model/config.json");
    await library.remove("owner--model");
    expect(await library.ids()).toEqual([]);
  });

  it("has one writer", async () => {
    const library = new MemoryLibrary();
    await library.exclusively("a", async () => {
      await expect(library.exclusively("a", async () => undefined)).rejects.toMatchObject({ code: "E_BUSY" });
      await library.exclusively("b", async () => undefined);
    });
    await library.exclusively("a", async () => undefined);
  });

  it("asks for room first", async () => {
    const { server, hub } = await setUp();
    const { store } = tempStore();
    const tooFull = download(hub, store, { freeBytes: async () => ALL_BYTES });
    await expect(tooFull).rejects.toMatchObject({ code: "E_QUOTA", details: { free: ALL_BYTES } });
    expect(asked(server)).toEqual([]);
    await download(hub, store, { freeBytes: async () => ALL_BYTES + 2 ** 20 });
  });

  it("looks at config.json before the weights come", async () => {
    const { server, hub } = await setUp();
    const wrong = (config: unknown): void => {
      expect(config).toEqual({ model_type: "qwen2" });
      throw new R1Error("E_CONFIG", "not that model");
    };
    await expect(download(hub, tempStore().store, { checkConfig: wrong })).rejects.toMatchObject({ code: "E_CONFIG" });
    expect(asked(server)).toEqual([]);
  });
});

describe("a stopped download", () => {
  /** Stops when so many bytes of the model have come. */
  async function stopAt(bytes: number, hub: Hub, store: ModelStore): Promise<void> {
    const abort = new AbortController();
    const onProgress = ({ receivedBytes }: DownloadProgress): void => {
      if (receivedBytes >= bytes) abort.abort();
    };
    const stopped = download(hub, store, { signal: abort.signal, onProgress });
    await expect(stopped).rejects.toMatchObject({ code: "E_ABORTED" });
  }

  // Slow enough that the stop comes in the middle, also on a busy machine: progress is told a few times a second.
  const SLOW = { bytesPerSecond: 6000 };

  it("goes on from its part, whose ETag it names", async () => {
    const { server, hub } = await setUp(SLOW);
    const { store, directory } = tempStore();
    await stopAt(5000, hub, store);
    const part = statSync(join(directory, "model.safetensors.part")).size;
    expect(part).toBeGreaterThanOrEqual(CHUNK);
    expect(part % CHUNK).toBe(0);
    const before = server.requests.length;
    const stages: string[] = [];
    await download(hub, store, { onProgress: ({ stage }) => void stages.push(stage) });
    expectComplete(directory);
    const first = server.requests.slice(before).find(({ what }) => what === "model.safetensors");
    expect(first).toMatchObject({ range: `bytes=${part}-${part + CHUNK - 1}` });
    expect(first?.ifRange).toMatch(/^"\w+"$/);
    expect(stages).toContain("checking");
  });

  it("whose part was damaged begins afresh once its hash turns out wrong", async () => {
    const { hub } = await setUp(SLOW);
    const { store, directory } = tempStore();
    await stopAt(5000, hub, store);
    const part = join(directory, "model.safetensors.part");
    const bytes = readFileSync(part);
    writeFileSync(part, bytes.fill(0, bytes.length - 100));
    await download(hub, store);
    expectComplete(directory);
  });

  it.each([
    ["too long", (part: string) => writeFileSync(part, new Uint8Array(WEIGHTS.length + 1))],
    ["without its note", (part: string) => rmSync(`${part}.json`)],
    ["with a note that is cut off", (part: string) => truncateSync(`${part}.json`, 5)],
    ["with a note of another file", (part: string) => writeFileSync(`${part}.json`, '{"size": 10500, "hash": "x"}')],
  ])("begins afresh where its part is %s", async (_, damage) => {
    const { server, hub } = await setUp(SLOW);
    const { store, directory } = tempStore();
    await stopAt(5000, hub, store);
    damage(join(directory, "model.safetensors.part"));
    const before = server.requests.length;
    await download(hub, store);
    expectComplete(directory);
    const first = server.requests.slice(before).find(({ what }) => what === "model.safetensors");
    expect(first?.range).toBe("bytes=0-999");
  });

  it("needs room only for what is missing", async () => {
    const { hub } = await setUp(SLOW);
    const { store } = tempStore();
    await stopAt(5000, hub, store);
    const freeBytes = async (): Promise<number> => ALL_BYTES - CHUNK + 2 ** 20;
    await expect(download(hub, store, { freeBytes })).resolves.toMatchObject({ repository: "owner/model" });
  });

  it("of a revision that has moved on keeps what has stayed the same", async () => {
    const { store, directory } = tempStore();
    const old = { ...FILES, "config.json": Buffer.from('{"old": true}'), "chat_template.jinja": Buffer.from("gone") };
    const before = await setUp({ files: old, commit: "a".repeat(40) });
    await download(before.hub, store);
    const after = await setUp({ commit: "b".repeat(40) });
    await download(after.hub, store);
    expectComplete(directory);
    expect(after.server.requests.map(({ what }) => what)).toEqual(["revision", "tree", "config.json"]);
    expect(await readManifest(store)).toMatchObject({ commit: "b".repeat(40) });
  });

  it("that began in another way is not trusted", async () => {
    const { hub } = await setUp();
    const { store, directory } = tempStore();
    writeFileSync(join(directory, "model.safetensors"), new Uint8Array(WEIGHTS.length));
    await download(hub, store);
    expectComplete(directory);
  });
});

describe("a server that misbehaves is survived", () => {
  const part = `"${"x".repeat(32)}"`;
  it.each<[string, TestHubOptions["fault"]]>([
    ["cuts connections", ({ nth }) => (nth % 2 === 0 ? { cutAfter: 300 } : undefined)],
    ["cuts every connection", always({ cutAfter: 700 })],
    ["is busy for a while", ({ nth }) => (nth % 3 === 1 ? { status: 503 } : undefined)],
    ["asks to wait", once(2, { status: 429 })],
    ["sends all of it for a range", once(3, { ignoresRange: true })],
    ["knows no ranges", always({ ignoresRange: true })],
    ["says that it sends another range", once(4, { contentRange: `bytes 0-999/${WEIGHTS.length}` })],
    ["always says so", always({ contentRange: `bytes 0-999/${WEIGHTS.length}` })],
    ["sends another range than it says", ({ nth }) => (nth > 0 && nth < 11 ? { shift: -CHUNK } : undefined)],
    ["refuses a range", once(5, { status: 416, headers: { "content-range": `bytes */${WEIGHTS.length}` } })],
    ["refuses a range without saying why", once(5, { status: 416 })],
    ["sends more than was asked for", once(3, { contentRange: "bytes 3000-3499/10500" })],
    ["flips a byte", once(6, { flipAt: 6500 })],
    [
      "flips a byte of a small file",
      ({ what, nth }) => (what === "config.json" && nth === 0 ? { flipAt: 3 } : undefined),
    ],
    ["changes its ETag once", ({ nth }) => (nth >= 5 ? { etag: part } : undefined)],
    ["changes its ETag with every answer", ({ nth }) => ({ etag: `"${nth}"` })],
    ["has no Content-Range", always({ contentRange: "" })],
  ])("%s", async (_, fault) => {
    const { hub } = await setUp({ fault });
    const { store, directory } = tempStore();
    await download(hub, store);
    expectComplete(directory);
  });

  it("stalls", async () => {
    const fault: TestHubOptions["fault"] = ({ what, nth }) =>
      what === "model.safetensors" && (nth === 2 || nth === 5) ? { stallAfter: 400 } : undefined;
    const { hub } = await setUp({ fault, stallMs: 1000 });
    const { store, directory } = tempStore();
    await download(hub, store);
    expectComplete(directory);
  });
});

describe("a server that goes on misbehaving is told of", () => {
  it.each<[string, TestHubOptions["fault"], string]>([
    ["no connection", always({ cutAfter: 0 }), "E_HTTP"],
    ["a broken server", always({ status: 500 }), "E_HTTP"],
    ["a gated file", always({ status: 403 }), "E_HUB_ACCESS"],
    ["a token that has expired", once(5, { status: 401 }), "E_HUB_ACCESS"],
    ["a file that is gone", always({ status: 404 }), "E_HUB_MOVED"],
    ["a login page", always({ headers: { "content-type": "text/html" }, body: "<html>" }), "E_HTTP_PAGE"],
    ["a file of another length", always({ contentRange: "bytes 0-999/10501" }), "E_HTTP_LENGTH"],
    ["a shorter file", always({ status: 416, headers: { "content-range": "bytes */400" } }), "E_HTTP_LENGTH"],
    ["a whole file of another length", always({ body: "short", headers: { "content-length": "5" } }), "E_HTTP_LENGTH"],
    ["a byte that is always wrong", always({ flipAt: 6500 }), "E_HASH"],
  ])("%s", async (_, fault, code) => {
    const { hub } = await setUp({ fault });
    const { store, directory } = tempStore();
    await expect(download(hub, store)).rejects.toMatchObject({ code });
    // What was whole before stays.
    expect(readdirSync(directory)).toContain("tokenizer.json");
    expect(readdirSync(directory)).not.toContain("model.safetensors");
    if (code === "E_HASH") expect(readdirSync(directory)).not.toContain("model.safetensors.part");
    // And when the server has recovered, it is gone on with.
    const { hub: good } = await setUp();
    await download(good, store);
    expectComplete(directory);
  });

  it("one that stalls for ever", async () => {
    const { hub } = await setUp({ fault: always({ stallAfter: 0 }), stallMs: 300 });
    await expect(download(hub, tempStore().store)).rejects.toMatchObject({
      code: "E_STALLED",
      message: expect.stringContaining("nothing came for 0.3 s") as string,
    });
  });

  it("a file without a hash that never stays the same", async () => {
    const body = JSON.stringify([{ type: "file", path: "m.gguf", size: WEIGHTS.length }]);
    const fault: TestHubOptions["fault"] = ({ what, nth }) => (what === "tree" ? { body } : { etag: `"${nth}"` });
    const { hub } = await setUp({ files: { "m.gguf": WEIGHTS }, fault });
    await expect(download(hub, tempStore().store)).rejects.toMatchObject({ code: "E_HUB_MOVED" });
  });
});
