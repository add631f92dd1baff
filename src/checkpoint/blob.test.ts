import { describe, expect, it } from "vitest";
import { blobFolder, blobSource } from "./blob.ts";

function file(path: string, text = path): { path: string; blob: Blob } {
  return { path, blob: new Blob([text]) };
}

async function textOf(folder: ReturnType<typeof blobFolder>, name: string): Promise<string | undefined> {
  const source = await folder.open(name);
  return source && new TextDecoder().decode(await source.read(0, source.size));
}

describe("blobFolder", () => {
  it("finds files by name", async () => {
    const folder = blobFolder("picked", [file("config.json"), file("model.safetensors")]);
    expect(folder.name).toBe("picked");
    await expect(textOf(folder, "config.json")).resolves.toBe("config.json");
    await expect(folder.open("tokenizer.json")).resolves.toBeUndefined();
  });

  it.each([
    ["a dropped folder", ["/model/config.json", "/model/tokenizer.json"]],
    ["a picked folder", ["model/config.json", "model/onnx/config.json"]],
    ["folders in folders", ["a/b/c/config.json", "a/b/c/d/config.json"]],
    ["one file of a folder", ["model/config.json"]],
    ["a path that begins with a dot", ["./model/config.json"]],
  ])("leaves out the folder that all files are in: %s", async (_, paths) => {
    const folder = blobFolder(
      "dropped",
      paths.map((path) => file(path)),
    );
    await expect(textOf(folder, "config.json")).resolves.toBe(paths[0]);
  });

  it("keeps names apart when files share no folder", async () => {
    const folder = blobFolder("dropped", [file("a/config.json"), file("b/config.json")]);
    await expect(folder.open("config.json")).resolves.toBeUndefined();
    await expect(textOf(folder, "b/config.json")).resolves.toBe("b/config.json");
  });

  it("refuses names that lead out, and stops when asked to", async () => {
    const folder = blobFolder("dropped", [file("config.json")]);
    await expect(folder.open("../config.json")).rejects.toMatchObject({ code: "E_FORMAT" });
    await expect(folder.open("config.json", AbortSignal.abort())).rejects.toMatchObject({ code: "E_ABORTED" });
  });
});

describe("blobSource", () => {
  it("reads exactly what was asked for", async () => {
    const source = blobSource("x.bin", new Blob([Uint8Array.of(1, 2, 3, 4, 5)]));
    const bytes = await source.read(1, 3);
    expect([...bytes]).toEqual([2, 3, 4]);
    expect(bytes.buffer.byteLength).toBe(3);
    await expect(source.read(5, 0)).resolves.toHaveLength(0);
    await expect(source.read(3, 3)).rejects.toMatchObject({
      code: "E_FILE_TRUNCATED",
      message: "x.bin: 3 bytes from byte 3 are needed; the file has 5 bytes",
    });
    await expect(source.read(-1, 1)).rejects.toMatchObject({ code: "E_FILE_TRUNCATED" });
  });

  it("says when the file can no longer be read", async () => {
    const gone = new Blob(["abc"]);
    gone.slice = () => {
      const piece = new Blob(["a"]);
      piece.arrayBuffer = () => Promise.reject(new DOMException("changed", "NotReadableError"));
      return piece;
    };
    await expect(blobSource("x.bin", gone).read(0, 1)).rejects.toMatchObject({ code: "E_FILE_READ" });
  });

  it("says when the file is shorter than it was", async () => {
    const cut = new Blob(["abc"]);
    cut.slice = () => new Blob(["a"]);
    await expect(blobSource("x.bin", cut).read(0, 3)).rejects.toMatchObject({
      code: "E_FILE_TRUNCATED",
      message: "x.bin: the data ended after 1 of 3 bytes",
    });
  });
});
