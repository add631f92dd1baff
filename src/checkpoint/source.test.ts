import { describe, expect, it } from "vitest";
import { isFileName, pathSegments } from "./file-name.ts";
import { quote } from "./quote.ts";
import { readJson, readText } from "./source.ts";
import { memoryFolder } from "./testing.ts";

describe("readText and readJson", () => {
  it("read what is there and tell what is not", async () => {
    const folder = memoryFolder({ "config.json": '{"a":1}', "chat_template.jinja": "{{ é }}" });
    await expect(readJson(folder, "config.json")).resolves.toEqual({ a: 1 });
    await expect(readText(folder, "chat_template.jinja")).resolves.toBe("{{ é }}");
    await expect(readJson(folder, "tokenizer.json")).resolves.toBeUndefined();
    await expect(readText(folder, "tokenizer.json")).resolves.toBeUndefined();
  });

  it("refuse a file over its cap without reading it", async () => {
    const folder = memoryFolder({ "config.json": new Uint8Array(2 ** 20 + 1), "other.json": "[1,2,3]" });
    await expect(readJson(folder, "config.json")).rejects.toMatchObject({
      code: "E_FORMAT",
      message: "config.json: 1048577 bytes; the limit is 1048576",
    });
    await expect(readText(folder, "other.json", 6)).rejects.toMatchObject({ code: "E_FORMAT" });
    expect(folder.reads).toEqual([]);
    await expect(readJson(folder, "other.json", 7)).resolves.toEqual([1, 2, 3]);
  });

  it("refuse what is not UTF-8 or not JSON, naming the file", async () => {
    const folder = memoryFolder({ "config.json": Uint8Array.of(0x22, 0xff, 0x22), "a.json": "{'a':1}" });
    await expect(readJson(folder, "config.json")).rejects.toMatchObject({ code: "E_JSON" });
    await expect(readText(folder, "config.json")).rejects.toMatchObject({ code: "E_FORMAT" });
    await expect(readJson(folder, "a.json")).rejects.toMatchObject({
      code: "E_JSON",
      message: expect.stringContaining("a.json") as string,
    });
  });

  it("stop when asked to", async () => {
    const folder = memoryFolder({ "config.json": "{}" });
    await expect(readJson(folder, "config.json", undefined, AbortSignal.abort())).rejects.toMatchObject({
      code: "E_ABORTED",
    });
  });
});

describe("file names", () => {
  it.each(["model.safetensors", "model-00001-of-00002.safetensors", "ファイル", "..a", "a b", "%2e%2e"])(
    "takes %s",
    (name) => {
      expect(isFileName(name)).toBe(true);
    },
  );

  it.each(["", ".", "..", "a/b", "..\\b", "C:x", "a\0", "a\n", "\ud800", "x".repeat(256)])("refuses %j", (name) => {
    expect(isFileName(name)).toBe(false);
  });

  it("lets paths lead further in, never out", () => {
    expect(pathSegments("onnx/model.onnx")).toEqual(["onnx", "model.onnx"]);
    for (const path of ["../x", "a/../../x", "/etc/passwd", "a//b", "a/", "", "..\\x"]) {
      expect(() => pathSegments(path)).toThrow(expect.objectContaining({ code: "E_FORMAT" }));
    }
  });
});

describe("quote", () => {
  it("makes outside text harmless and short", () => {
    expect(quote('a"b\n\u001b[31m')).toBe(String.raw`"a\"b\n\u001b[31m"`);
    expect(quote("\u009b2J\u202e\u2028")).toBe(String.raw`"\u{9b}2J\u{202e}\u{2028}"`);
    expect(quote("x".repeat(1000))).toBe(`"${"x".repeat(80)}…"`);
  });
});
