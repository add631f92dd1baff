import { describe, expect, it } from "vitest";
import { decodeUtf8, readDatasetRows, readJsonl } from "./jsonl.ts";

const MARK = "\uFEFF";
const values = (text: string): unknown[] => readJsonl(text, "f.jsonl").map(({ value }) => value);

describe("a JSON-lines file", () => {
  it.each([
    ["as Unix writes it", '{"a":1}\n{"a":2}\n'],
    ["without a line end after the last line", '{"a":1}\n{"a":2}'],
    ["as Windows writes it, with a byte-order mark", `${MARK}{"a":1}\r\n{"a":2}\r\n`],
    ["as old Macs wrote it", '{"a":1}\r{"a":2}\r'],
    ["with blank lines", '\n{"a":1}\n \t\r\n\n{"a":2}\n\n'],
    ["joined from files that each have a mark", `${MARK}{"a":1}\n${MARK}{"a":2}`],
    ["with a mark alone at its end", `{"a":1}\n{"a":2}\n${MARK}`],
    ["with space around the values", '  {"a":1}  \n\t{"a":2}\t'],
  ])("is read %s", (_, text) => expect(values(text)).toEqual([{ a: 1 }, { a: 2 }]));

  it("keeps line separators that stand in a string", () => {
    expect(values('{"a":"x\u2028y\u0085z"}')).toEqual([{ a: "x\u2028y\u0085z" }]);
  });

  it.each([
    ['{"a":1}\r\n\r\n{"a":', 3],
    [`${MARK}{`, 1],
    ['{"a":NaN}', 1],
  ])("%j is refused, naming file and line", (text, line) => {
    const wanted = {
      code: "E_JSON",
      message: `f.jsonl, line ${line}: no valid JSON`,
      details: { file: "f.jsonl", line },
    };
    expect(() => readJsonl(text, "f.jsonl")).toThrow(expect.objectContaining(wanted));
  });

  it("of a dataset has objects alone, at least one", () => {
    expect(readDatasetRows(`${MARK}\r\n{"a":1}\r\n`, "d")).toEqual([{ line: 2, fields: { a: 1 } }]);
    expect(() => readDatasetRows("[1]", "d")).toThrow(expect.objectContaining({ code: "E_JSON" }));
    expect(() => readDatasetRows(MARK, "d")).toThrow(expect.objectContaining({ code: "E_FORMAT" }));
  });
});

describe("a file's encoding", () => {
  const bytes = (...parts: (number | string)[]): Uint8Array =>
    Uint8Array.from(
      parts.flatMap((part) => (typeof part === "number" ? [part] : Array.from(new TextEncoder().encode(part)))),
    );
  const utf16 = (text: string, mark: boolean): Uint8Array =>
    new Uint8Array(Uint16Array.from(Array.from((mark ? MARK : "") + text, (sign) => sign.charCodeAt(0))).buffer);

  it("is UTF-8, with a mark or without", () => {
    expect(decodeUtf8(bytes(0xef, 0xbb, 0xbf, "日本"), "f")).toBe("日本");
    expect(decodeUtf8(bytes("日本"), "f")).toBe("日本");
  });

  it.each([
    ["UTF-16", utf16('{"a":1}', true)],
    ["UTF-16", utf16('{"a":1}', true).map((_, i, all) => all[i ^ 1] ?? 0)],
    ["UTF-32", bytes(0xff, 0xfe, 0, 0, "{", 0, 0, 0)],
    ["bytes that are no UTF-8", bytes('{"a":"', 0x82, 0xa0, '"}')],
  ])("is refused by name where it is %s", (name, content) => {
    const message = expect.stringContaining(`f.jsonl: found ${name.startsWith("b") ? name : `text in ${name}`}`);
    expect(() => decodeUtf8(content, "f.jsonl")).toThrow(
      expect.objectContaining({ code: "E_FORMAT", message: message as string }),
    );
  });

  it("is seen in the text too, where UTF-16 was taken for UTF-8", () => {
    const loose = new TextDecoder();
    for (const content of [utf16('{"a":1}', true), utf16('{"a":1}', false)]) {
      expect(() => readJsonl(loose.decode(content), "f.jsonl")).toThrow(
        expect.objectContaining({ code: "E_FORMAT", message: expect.stringContaining("UTF-16") as string }),
      );
    }
  });
});
