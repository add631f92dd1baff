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
    const inner = ["b.safetensors", "c.json", "d.jinja", "e.py"].map((name) => entry(`/m/in/${name}`, file(name)));
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

  const ONNX = [
    "config.json",
    "tokenizer.json",
    "onnx/model.onnx",
    "onnx/model.onnx_data",
    "onnx/model.onnx_data_1",
    "onnx/model_q4.onnx",
    "onnx/model.onnx.data",
    "onnx/weights.data",
    "onnx/model.layers.0.weight",
  ];

  it("of an ONNX folder are its graphs and all that lies beside them, whatever it is called", async () => {
    const names = [...ONNX, "README.md", "onnx/.DS_Store", ".git/config", "images/a.png"];
    const paths = filesOfInput(names.map((name) => file(name, `m/${name}`))).map(({ path }) => path);
    expect(paths.toSorted()).toEqual(ONNX.map((name) => `m/${name}`).toSorted());
    const entries = names.filter((name) => !name.includes("/")).map((name) => entry(`/m/${name}`, file(name)));
    const graphs = names.filter((name) => name.startsWith("onnx/")).map((name) => entry(`/m/${name}`, file(name)));
    const root = entry("/m", [...entries, entry("/m/onnx", graphs)]);
    const dropped = (await filesOfDrop(transfer([root]))).map(({ path }) => path);
    expect(dropped.toSorted()).toEqual(ONNX.map((name) => `/m/${name}`).toSorted());
    // Loose files have no folder.
    const loose = ["config.json", "model_q4.onnx", "model_q4.onnx_data", "tokenizer.json"];
    expect(
      filesOfInput(loose.map((name) => file(name)))
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual(loose);
  });

  it("that cannot be read come along, so that they can be named", () => {
    const names = ["config.json", "pytorch_model.bin", "tokenizer.model", "merges.txt", "tf_model.h5", "notes.txt"];
    expect(filesOfInput(names.map((name) => file(name))).map(({ path }) => path)).toEqual(names.slice(0, -1));
  });

  it("of a whole disk are refused, and not cut off", async () => {
    const many = Array.from({ length: 5000 }, (_, i) => file(`${i}.json`));
    expect(() => filesOfInput(many)).toThrow("more than 4000 files");
    const root = entry(
      "/m",
      many.map((one) => entry(`/m/${one.name}`, one)),
    );
    await expect(filesOfDrop(transfer([root]))).rejects.toMatchObject({ code: "E_FORMAT" });
  });
});
