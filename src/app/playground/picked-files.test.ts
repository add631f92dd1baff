import { describe, expect, it } from "vitest";
import { filesOfDrop, filesOfInput } from "./picked-files.ts";

const file = (name: string, webkitRelativePath = ""): File =>
  Object.assign(new File(["x"], name), { webkitRelativePath });

/** A dropped file or folder, as browsers hand it out. */
function entry(path: string, content: File | readonly FileSystemEntry[] | Error): FileSystemEntry {
  const isDirectory = Array.isArray(content);
  let rest = isDirectory ? [...content] : [];
  return {
    fullPath: path,
    isFile: !isDirectory,
    isDirectory,
    file: (resolve: (f: unknown) => void, reject: (e: unknown) => void) =>
      content instanceof Error ? reject(content) : resolve(content),
    createReader: () => ({
      // Two at a time, as browsers give a hundred.
      readEntries: (resolve: (some: unknown) => void) => {
        resolve(rest.slice(0, 2));
        rest = rest.slice(2);
      },
    }),
  } as unknown as FileSystemEntry;
}

const transfer = (entries: readonly (FileSystemEntry | null)[], files: readonly File[] = []): DataTransfer =>
  ({ items: entries.map((one) => ({ webkitGetAsEntry: () => one })), files }) as unknown as DataTransfer;

describe("picked files", () => {
  it("of a folder keep their paths; what no model is made of is left out", () => {
    const files = [file("config.json", "m/config.json"), file("a.py", "m/a.py"), file("model.safetensors")];
    expect(filesOfInput(files).map(({ path }) => path)).toEqual(["m/config.json", "model.safetensors"]);
  });

  it("may be a single GGUF file, picked or dropped", async () => {
    expect(filesOfInput([file("m-Q4_0.gguf")]).map(({ path }) => path)).toEqual(["m-Q4_0.gguf"]);
    const dropped = await filesOfDrop(transfer([entry("/m-Q4_0.gguf", file("m-Q4_0.gguf"))]));
    expect(dropped.map(({ path }) => path)).toEqual(["/m-Q4_0.gguf"]);
  });

  it("of a drop are found in all its folders", async () => {
    const inner = ["b.safetensors", "c.json", "d.jinja", "e.bin"].map((name) => entry(`/m/in/${name}`, file(name)));
    const root = entry("/m", [entry("/m/config.json", file("config.json")), entry("/m/in", inner)]);
    const paths = (await filesOfDrop(transfer([root]))).map(({ path }) => path);
    expect(paths).toEqual(["/m/config.json", "/m/in/b.safetensors", "/m/in/c.json", "/m/in/d.jinja"]);
  });

  it("of a drop without entries are its files", async () => {
    const files = await filesOfDrop(transfer([null], [file("config.json")]));
    expect(files.map(({ path }) => path)).toEqual(["config.json"]);
  });

  it("that the browser cannot read are a typed failure", async () => {
    const gone = entry("/config.json", new DOMException("gone", "NotFoundError"));
    await expect(filesOfDrop(transfer([gone]))).rejects.toMatchObject({ code: "E_FILE_READ" });
  });
});
