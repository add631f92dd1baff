import { expect, it, onTestFinished } from "vitest";
import { buildGguf, TINY_METADATA } from "../checkpoint/gguf/testing.ts";
import { MemoryLibrary } from "../checkpoint/hub/memory-library.ts";
import { startTestHub } from "../checkpoint/hub/node/test-hub.ts";
import { readJson } from "../checkpoint/source.ts";
import { ModelDownloads } from "./model-downloads.ts";
import { openFolder } from "./open-folder.ts";

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
