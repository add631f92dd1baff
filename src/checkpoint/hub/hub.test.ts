import { describe, expect, it, onTestFinished } from "vitest";
import { parseHubAddress } from "./address.ts";
import { chooseModel, modelsOf } from "./choose-model.ts";
import { Hub } from "./hub.ts";
import { storeId } from "./manifest.ts";
import type { HubFile } from "./hub.ts";
import { startTestHub } from "./node/test-hub.ts";
import type { Fault, TestHubOptions } from "./node/test-hub.ts";

const ADDRESS = parseHubAddress("owner/model");
const FILES = {
  "config.json": Buffer.from("{}"),
  "model.safetensors": Buffer.from("weights"),
  "a/b.txt": Buffer.from(""),
};

async function list(options: TestHubOptions = {}, token?: string) {
  const hub = await startTestHub(FILES, options);
  onTestFinished(hub.close);
  const client = new Hub({ endpoint: hub.endpoint, stallMs: 10_000, ...(token === undefined ? {} : { token }) });
  return { hub, listing: client.list(ADDRESS) };
}

describe("a hub's listing", () => {
  it("has the commit, sizes and hashes", async () => {
    const { listing } = await list();
    expect(await listing).toEqual({
      repository: "owner/model",
      revision: "main",
      commit: "c".repeat(40),
      files: [
        { path: "config.json", size: 2, gitOid: "9e26dfeeb6e641a33dae4961196235bdb965b21b" },
        {
          path: "model.safetensors",
          size: 7,
          sha256: "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c",
        },
        { path: "a/b.txt", size: 0, gitOid: "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391" },
      ],
    });
  });

  it("comes in pages", async () => {
    const { hub, listing } = await list({ pageSize: 1 });
    expect((await listing).files).toHaveLength(3);
    expect(hub.requests.filter(({ what }) => what === "tree")).toHaveLength(3);
  });

  it("is of the revision itself where the server tells no commit", async () => {
    const { listing } = await list({ fault: ({ what }) => (what === "revision" ? { status: 404 } : undefined) });
    expect(await listing).toMatchObject({ commit: "main" });
  });

  it("is asked for with the token, if there is one", async () => {
    const { hub, listing } = await list({}, "hf_secret");
    await listing;
    expect(hub.requests.map(({ authorization }) => authorization)).toEqual(["Bearer hf_secret", "Bearer hf_secret"]);
    const other = await list();
    await other.listing;
    expect(other.hub.requests[0]?.authorization).toBeUndefined();
  });

  it.each<[string, Fault, string]>([
    ["a repository that is not there", { status: 401, headers: { "x-error-code": "RepoNotFound" } }, "E_HUB_MISSING"],
    ["a gated repository", { status: 401, headers: { "x-error-message": "Access is restricted" } }, "E_HUB_ACCESS"],
    ["a forbidden repository", { status: 403 }, "E_HUB_ACCESS"],
    ["404", { status: 404 }, "E_HUB_MISSING"],
    ["a broken server", { status: 500 }, "E_HTTP"],
    [
      "a network's login page",
      { headers: { "content-type": "text/html; charset=utf-8" }, body: "hello" },
      "E_HTTP_PAGE",
    ],
    ["a page without saying so", { body: "<!DOCTYPE html>" }, "E_HTTP_PAGE"],
    ["no JSON", { body: "{" }, "E_JSON"],
    ["other JSON", { body: '{"sha": 5}' }, "E_JSON"],
    ["no list", { body: '[{"type": "file", "path": 5}]' }, "E_JSON"],
    ["a negative size", { body: '[{"type": "file", "path": "a", "size": -5}]' }, "E_JSON"],
  ])("may be %s", async (_, fault, code) => {
    // Wrong JSON for one question is wrong for the other.
    const { listing } = await list({ fault: () => fault });
    await expect(listing).rejects.toMatchObject({ code });
  });

  it("leaves out names that lead elsewhere, and folders", async () => {
    const body = JSON.stringify(
      ["../x", "/etc/passwd", "a/../b", "c:\\x", "good.json"]
        .map((path) => ({ type: "file", path, size: 1 }))
        .concat({ type: "directory", path: "sub", size: 0 }),
    );
    const { listing } = await list({ fault: ({ what }) => (what === "tree" ? { body } : undefined) });
    expect((await listing).files).toEqual([{ path: "good.json", size: 1 }]);
  });

  const page = (from: number, count: number): string =>
    JSON.stringify(Array.from({ length: count }, (_, i) => ({ type: "file", path: `f${from + i}`, size: 1 })));

  it("of very many files is refused by the limit, and tells how far it is until then", async () => {
    const told: number[] = [];
    const hub = await startTestHub(
      {},
      {
        fault: ({ what, nth }) =>
          what === "tree"
            ? {
                body: page(nth * 20_000, 20_000),
                headers: { link: `</api/models/owner/model/tree/x?${nth}>; rel="next"` },
              }
            : undefined,
      },
    );
    onTestFinished(hub.close);
    const listing = new Hub({ endpoint: hub.endpoint }).list(ADDRESS, undefined, (count) => void told.push(count));
    await expect(listing).rejects.toMatchObject({
      code: "E_HUB_FILES",
      message: expect.stringContaining(
        "the hub lists more than 60000 files; at most 50000 are looked through",
      ) as string,
    });
    expect(told).toEqual([20_000, 40_000]);
  });

  it("whose pages never end is refused", async () => {
    const link = '</api/models/owner/model/tree/x>; rel="next"';
    const { listing } = await list({
      fault: ({ what }) => (what === "tree" ? { body: "[]", headers: { link } } : undefined),
    });
    await expect(listing).rejects.toMatchObject({ code: "E_HUB_FILES" });
  });

  it("of a hundred thousand files on one page is refused in time", async () => {
    const { listing } = await list({ fault: ({ what }) => (what === "tree" ? { body: page(0, 100_000) } : undefined) });
    await expect(listing).rejects.toThrow("100000 files; at most 50000");
  });

  it("does not follow a page to another server", async () => {
    const elsewhere = await startTestHub({ "evil.gguf": Buffer.from("x") });
    onTestFinished(elsewhere.close);
    const link = `<${elsewhere.endpoint}/api/models/owner/model/tree/main>; rel="next"`;
    const { listing } = await list({
      fault: ({ what }) => (what === "tree" ? { body: "[]", headers: { link } } : undefined),
    });
    expect((await listing).files).toEqual([]);
    expect(elsewhere.requests).toEqual([]);
  });

  it("may not come at all", async () => {
    const { hub, listing } = await list({ fault: () => undefined });
    await listing;
    await hub.close();
    await expect(new Hub({ endpoint: hub.endpoint }).list(ADDRESS)).rejects.toMatchObject({ code: "E_HTTP" });
  });

  it.each(["ftp://x", "models", "http://user:secret@x"])("is not asked of %s", (endpoint) => {
    expect(() => new Hub({ endpoint })).toThrow(expect.objectContaining({ code: "E_HUB_NAME" }));
  });
});

function files(...names: string[]): HubFile[] {
  return names.map((path, size) => ({ path, size }));
}

function choose(address: string, names: readonly string[]) {
  return chooseModel({ files: files(...names) }, parseHubAddress(address));
}

describe("a repository's model", () => {
  it("is its safetensors with the files that belong to them, small ones first", () => {
    const names = [
      "README.md",
      "model.safetensors",
      "tokenizer.json",
      "config.json",
      "pytorch_model.bin",
      "sub/model.safetensors",
    ];
    const model = choose("a/b", names);
    expect(model).toMatchObject({ format: "safetensors", file: "model.safetensors", bytes: 1 + 2 + 3 });
    expect(model.files.map(({ path }) => path)).toEqual(["config.json", "tokenizer.json", "model.safetensors"]);
    expect(choose("a/b:model.safetensors", names)).toEqual(model);
  });

  const digits = (part: number): string => String(part).padStart(5, "0");
  const numbered = (count: number, name: (part: number) => string): string[] =>
    Array.from({ length: count }, (_, i) => name(i + 1));

  it.each([
    [99_999, 1000, numbered(99_999, (part) => `m-${digits(part)}-of-99999.gguf`)],
    [
      99_999,
      2000,
      ["config.json", "model.safetensors.index.json"].concat(
        numbered(99_999, (part) => `model-${digits(part)}-of-99999.safetensors`),
      ),
    ],
    [
      65,
      64,
      [
        "config.json",
        "onnx/model.onnx",
        "onnx/model.onnx_data",
        ...numbered(64, (part) => `onnx/model.onnx_data_${part}`),
      ],
    ],
  ])("of %d parts is refused at once: %d can be opened", (parts, most, names) => {
    const begun = performance.now();
    expect(() => choose("a/b", names)).toThrow(`has ${parts} parts; at most ${most} can be opened`);
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  it("may be in shards", () => {
    const shards = ["model-00002-of-000002.safetensors", "model-00001-of-000002.safetensors"];
    const model = choose("a/b", ["config.json", "model.safetensors.index.json", ...shards]);
    expect(model.files.map(({ path }) => path)).toEqual([
      "config.json",
      "model.safetensors.index.json",
      "model-00001-of-000002.safetensors",
      "model-00002-of-000002.safetensors",
    ]);
  });

  const GGUFS = [
    "m-Q4_K_M.gguf",
    "Q8_0/m-Q8_0-00001-of-00002.gguf",
    "Q8_0/m-Q8_0-00002-of-00002.gguf",
    "mmproj-F16.gguf",
  ];

  it("is one of several GGUF files, by name; parts belong together", () => {
    expect(choose("a/b:m-Q4_K_M.gguf", GGUFS)).toMatchObject({ format: "gguf", files: [{ path: "m-Q4_K_M.gguf" }] });
    const split = choose("a/b:Q8_0/m-Q8_0-00002-of-00002.gguf", GGUFS);
    expect(split).toMatchObject({ file: "Q8_0/m-Q8_0-00001-of-00002.gguf", bytes: 3 });
    expect(split.files).toHaveLength(2);
    expect(modelsOf(files(...GGUFS))).toHaveLength(2);
  });

  it("is the only GGUF file without a name", () => {
    expect(choose("a/b", ["m.gguf", "README.md"])).toMatchObject({ format: "gguf", file: "m.gguf" });
  });

  const ONNX = [
    "config.json",
    "tokenizer.json",
    "onnx/model_q4f16.onnx",
    "onnx/model_fp16.onnx",
    "onnx/model_fp16.onnx_data",
    "onnx/model_fp16.onnx_data_1",
    "onnx/model_q4f16.onnx_data_1",
    "onnx/model_bnb4.onnx",
  ];

  it("is one of several ONNX graphs, by name, with the weights beside it", () => {
    const model = choose("a/b:onnx/model_fp16.onnx", ONNX);
    expect(model).toMatchObject({ format: "onnx", file: "onnx/model_fp16.onnx", bytes: 0 + 1 + 3 + 4 + 5 });
    expect(model.files.map(({ path }) => path)).toEqual([
      "config.json",
      "tokenizer.json",
      "onnx/model_fp16.onnx",
      "onnx/model_fp16.onnx_data",
      "onnx/model_fp16.onnx_data_1",
    ]);
    expect(choose("a/b:onnx/model_fp16.onnx_data", ONNX)).toEqual(model);
    // A part of which the first is missing belongs to nothing.
    expect(choose("a/b:onnx/model_q4f16.onnx", ONNX).files).toHaveLength(3);
    expect(modelsOf(files(...ONNX)).map(({ file }) => file)).toEqual(["onnx/model_fp16.onnx", "onnx/model_q4f16.onnx"]);
    expect(storeId({ repository: "a/b", ...model })).toBe("a--b--onnx--model_fp16");
    // Safetensors are read by our own kernels.
    expect(choose("a/b", [...ONNX, "model.safetensors"])).toMatchObject({ format: "safetensors" });
  });

  it.each([
    [
      "a/b",
      ONNX,
      "E_HUB_FILES",
      /several ONNX models; name one.*found "onnx\/model_fp16.onnx", "onnx\/model_q4f16.onnx"$/,
    ],
    ["a/b:onnx/model_bnb4.onnx", ONNX, "E_HUB_FILES", /not a model's weights; found .*bnb4/],
    ["a/b", ["config.json", "onnx/decoder_model_merged.onnx"], "E_HUB_FILES", /onnx\/model\.onnx.*found.*merged/],
    ["a/b", ["onnx/model.onnx"], "E_HUB_FILES", /config\.json/],
    ["a/b", ["README.md", "pytorch_model.bin"], "E_HUB_FILES", /found "README\.md", "pytorch_model\.bin"$/],
    ["a/b", [], "E_HUB_FILES", /found no files$/],
    ["a/b", ["model.safetensors"], "E_HUB_FILES", /config\.json/],
    ["a/b", ["config.json", "model.safetensors.index.json"], "E_HUB_FILES", /found "config\.json"/],
    ["a/b", GGUFS, "E_HUB_FILES", /name one of them after a colon; found "Q8_0.*"m-Q4_K_M\.gguf"$/],
    ["a/b", ["m-00001-of-00002.gguf"], "E_HUB_FILES", /found/],
    ["a/b:x.gguf", GGUFS, "E_HUB_MISSING", /no such file/],
    ["a/b:config.json", ["config.json", "model.safetensors"], "E_HUB_FILES", /not a model's weights/],
    ["a/b", Array.from({ length: 30 }, (_, i) => `${i}.bin`), "E_HUB_FILES", /"19\.bin" and 10 more$/],
  ])("is not in %s: %j", (address, names, code, says) => {
    expect(() => choose(address, names)).toThrow(expect.objectContaining({ code }));
    expect(() => choose(address, names)).toThrow(says);
  });
});
