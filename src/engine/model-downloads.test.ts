import { createHash } from "node:crypto";
import { expect, it, onTestFinished } from "vitest";
import { onnxFiles } from "../checkpoint/export/onnx/export.ts";
import { exportedBytes } from "../checkpoint/export/testing.ts";
import { buildGguf, TINY_METADATA } from "../checkpoint/gguf/testing.ts";
import { MemoryLibrary } from "../checkpoint/hub/memory-library.ts";
import { startTestHub } from "../checkpoint/hub/node/test-hub.ts";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import { readJson } from "../checkpoint/source.ts";
import { R1Error } from "../errors.ts";
import { openExportModel } from "../model/export-model.ts";
import { ModelDownloads } from "./model-downloads.ts";
import { openFolder } from "./open-folder.ts";
import { ask, collect, failure, startTestEngine, TINY } from "./testing.ts";

it("a GGUF file in a folder of its repository is offered, downloaded, opened and removed", async () => {
  const gguf = buildGguf(TINY_METADATA, [{ name: "token_embd.weight", dtype: "F32", shape: [8, 32] }]);
  const hub = await startTestHub({ "README.md": Buffer.from("x"), "F32/tiny.gguf": gguf, "other.gguf": gguf });
  onTestFinished(hub.close);
  const library = new MemoryLibrary();
  const downloads = new ModelDownloads(async () => library);
  const { signal } = new AbortController();
  const { models } = await downloads.offer({ address: "owner/model", endpoint: hub.endpoint }, signal);
  expect(models.map(({ address }) => address)).toEqual(["owner/model:F32/tiny.gguf", "owner/model:other.gguf"]);

  const request = { address: "owner/model:F32/tiny.gguf", endpoint: hub.endpoint };
  const stored = await downloads.download(request, () => undefined, signal);
  expect(stored).toMatchObject({ address: request.address, bytes: gguf.length, totalBytes: gguf.length });
  expect((await downloads.list()).models).toEqual([stored]);
  const folder = await openFolder({ kind: "stored", id: stored.id }, async () => library);
  expect(await readJson(folder, "config.json")).toMatchObject({ architectures: ["Qwen2ForCausalLM"] });

  await downloads.remove(stored.id);
  expect((await downloads.list()).models).toEqual([]);
  await expect(openFolder({ kind: "stored", id: stored.id }, async () => library)).rejects.toMatchObject({
    code: "E_FILE_MISSING",
  });
});

it("an ONNX repository is offered graph by graph; one with its weights beside it is downloaded, checked and answers", async () => {
  const model = await openExportModel(nodeFolder(TINY));
  const exported = [...onnxFiles(model, { weights: "q4", maxModelBytes: 1000 }), ...onnxFiles(model)];
  const entries = exported.map(async (file) => [file.path, await exportedBytes(file)] as const);
  const files = Object.fromEntries(await Promise.all(entries));
  const data = "onnx/model_q4.onnx_data";
  let flips = 1;
  const hub = await startTestHub(files, {
    // Damaged the first time: its hash tells, and it comes again.
    fault: ({ what }) => (what === data && flips-- > 0 ? { flipAt: 4000 } : undefined),
  });
  onTestFinished(hub.close);
  const { client } = startTestEngine(() => Promise.reject(new R1Error("E_NO_ADAPTER", "none")));
  const { endpoint } = hub;
  const { models } = await client.listHub({ address: "owner/model", endpoint });
  expect(models.map(({ format, address }) => [format, address])).toEqual([
    ["onnx", "owner/model:onnx/model.onnx"],
    ["onnx", "owner/model:onnx/model_q4.onnx"],
  ]);
  const error = await failure(client.download({ address: "owner/model", endpoint }, () => undefined));
  expect(error).toMatchObject({ code: "E_HUB_FILES", message: expect.stringContaining("onnx/model_q4.onnx") });

  const { source, ...stored } = await client.download(
    { address: "owner/model:onnx/model_q4.onnx", endpoint },
    () => undefined,
  );
  expect(stored).toMatchObject({ id: "owner--model--onnx--model_q4", format: "onnx", bytes: stored.totalBytes });
  expect(hub.requests.filter(({ what }) => what === data)).toHaveLength(2);
  expect(hub.requests.map(({ what }) => what)).not.toContain("onnx/model.onnx");
  if (!source) throw new Error("the download is not whole");
  const loaded = await client.load({ source, runtime: "auto" });
  expect(loaded).toMatchObject({ runtime: "onnx-wasm", hasTemplate: true });
  const events = await collect(client.generate(ask("Hi", { maxNewTokens: 4, thinkMax: 0 })));
  expect(events.filter(({ type }) => type === "token").length).toBeGreaterThan(0);
  await client.unload();
});

it("another content than the one wanted is refused; a branch that has moved is told, and may be passed over", async () => {
  const gguf = buildGguf(TINY_METADATA, [{ name: "token_embd.weight", dtype: "F32", shape: [8, 32] }]);
  const later = "d".repeat(40);
  let moved = false;
  const hub = await startTestHub(
    { "tiny.gguf": gguf },
    { fault: ({ what }) => (what === "revision" && moved ? { body: JSON.stringify({ sha: later }) } : undefined) },
  );
  onTestFinished(hub.close);
  const { client } = startTestEngine();
  const request = { address: "owner/model", endpoint: hub.endpoint };
  const other = await failure(client.download({ ...request, sha256: "0".repeat(64) }, () => undefined));
  expect(other).toMatchObject({ code: "E_HUB_OTHER", message: expect.stringContaining("tiny.gguf") });
  expect((await client.listStored()).models).toEqual([]);
  const sha256 = createHash("sha256").update(gguf).digest("hex");
  const stored = await client.download({ ...request, sha256 }, () => undefined);
  expect(await client.hubCommit(request)).toBe(stored.commit);

  moved = true;
  expect(await client.hubCommit(request)).toBe(later);
  await client.keepStored({ id: stored.id, commit: later });
  expect((await client.listStored()).models).toMatchObject([{ commit: stored.commit, passedCommit: later }]);
  const before = hub.requests.length;
  const again = await client.download(request, () => undefined);
  expect([again.commit, again.passedCommit]).toEqual([later, undefined]);
  // Its content is the same, so nothing came again.
  expect(hub.requests.slice(before).map(({ what }) => what)).not.toContain("tiny.gguf");
  expect((await failure(client.keepStored({ id: "nothing", commit: later }))).code).toBe("E_FILE_MISSING");
});
