import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { nodeFolder } from "./folder.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "r1-folder-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

it("reads exactly what was asked for", async () => {
  writeFileSync(join(directory, "x.bin"), Uint8Array.of(1, 2, 3, 4, 5));
  const folder = nodeFolder(directory);
  expect(folder.name).toBe(basename(directory));
  const source = await folder.open("x.bin");
  expect(source).toMatchObject({ name: "x.bin", size: 5 });
  const bytes = await source?.read(1, 3);
  expect([...(bytes ?? [])]).toEqual([2, 3, 4]);
  expect(bytes?.buffer.byteLength).toBe(3);
  await expect(source?.read(4, 2)).rejects.toMatchObject({ code: "E_FILE_TRUNCATED" });
  await expect(source?.read(0, 1, AbortSignal.abort())).rejects.toMatchObject({ code: "E_ABORTED" });
});

it("follows links, as the Hugging Face cache has them", async () => {
  writeFileSync(join(directory, "blob"), "abc");
  mkdirSync(join(directory, "snapshot"));
  symlinkSync("../blob", join(directory, "snapshot", "config.json"));
  await expect(nodeFolder(join(directory, "snapshot")).open("config.json")).resolves.toMatchObject({ size: 3 });
});

it("tells missing folders and files", async () => {
  expect(() => nodeFolder(join(directory, "nowhere"))).toThrow(expect.objectContaining({ code: "E_FILE_MISSING" }));
  writeFileSync(join(directory, "file"), "");
  expect(() => nodeFolder(join(directory, "file"))).toThrow(expect.objectContaining({ code: "E_FILE_MISSING" }));
  await expect(nodeFolder(directory).open("config.json")).resolves.toBeUndefined();
  await expect(nodeFolder(directory).open("file/config.json")).resolves.toBeUndefined();
});

it("refuses what is not a file in the folder", async () => {
  mkdirSync(join(directory, "model.safetensors"));
  await expect(nodeFolder(directory).open("model.safetensors")).rejects.toMatchObject({ code: "E_FILE_READ" });
  await expect(nodeFolder(directory).open("../x")).rejects.toMatchObject({ code: "E_FORMAT" });
});

it("tells a file that shrinks or goes while it is open", async () => {
  const path = join(directory, "x.bin");
  writeFileSync(path, "abcdef");
  const source = await nodeFolder(directory).open("x.bin");
  truncateSync(path, 2);
  await expect(source?.read(0, 6)).rejects.toMatchObject({
    code: "E_FILE_TRUNCATED",
    message: "x.bin: the data ended after 2 of 6 bytes",
  });
  unlinkSync(path);
  await expect(source?.read(0, 6)).rejects.toMatchObject({
    code: "E_FILE_READ",
    message: "x.bin: the file could not be read (ENOENT)",
  });
});
