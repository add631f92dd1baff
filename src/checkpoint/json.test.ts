import { describe, expect, it } from "vitest";
import { R1Error } from "../errors.ts";
import { JsonScanner } from "./json-scanner.ts";
import { MAX_JSON_DEPTH, parseJson } from "./json.ts";

/** Takes any value with the scanner, which is how it treats fields that nobody asked for. */
function scan(text: string): void {
  const json = new JsonScanner(text, (problem) => new R1Error("E_JSON", problem));
  json.skip();
  json.end();
}

function scanString(text: string): string {
  return new JsonScanner(text, (problem) => new R1Error("E_JSON", problem)).string();
}

describe("JsonScanner", () => {
  it.each([
    "{}",
    "[]",
    ' { "a" : [ 1 , -2.5e+3 , 0.1 , 1E5 ] , "b" : { } } \n\r\t',
    "true",
    "null",
    "-0",
    String.raw`"\u00e9\n\"\\"`,
  ])("takes %s", (text) => {
    expect(() => scan(text)).not.toThrow();
  });

  it.each([
    ["nothing", "", "expected a value at character 0, found the end"],
    ["an unfinished object", '{"a":1', "expected }"],
    ["a trailing comma", "[1,]", "expected a value"],
    ["a missing colon", '{"a" 1}', "expected :"],
    ["a key without quotes", "{a:1}", 'expected "'],
    ["single quotes", "{'a':1}", 'expected "'],
    ["a comment", "{/**/}", 'expected "'],
    ["two values", "{}{}", "expected nothing more at character 2"],
    ["a leading zero", "01", "expected nothing more"],
    ["a plus sign", "+1", "expected a value"],
    ["a fraction without digits", "1.", "expected a digit"],
    ["an exponent without digits", "1e", "expected a digit"],
    ["NaN", "NaN", "expected a value"],
    ["half a literal", "tru", "expected a value"],
    ["an unfinished string", '"abc', "has no end"],
    ["a string that ends in a backslash", '"abc\\', "has no end"],
    ["a line break in a string", '"a\nb"', "no control character"],
    ["an unknown escape", String.raw`"\x41"`, "an escape that JSON does not know"],
    ["an escaped line break", '"\\\n"', "an escape that JSON does not know"],
    ["half a surrogate pair", String.raw`"\ud800"`, "half a surrogate pair"],
    ["a key twice", '{"a":1,"a":1}', 'key "a" appears twice'],
    ["a key twice, once in escapes", String.raw`{"a":1,"\u0061":1}`, 'key "a" appears twice'],
    ["a key twice further in", '[{"x":{"a":1,"b":2,"a":1}}]', 'key "a" appears twice'],
    ["a no-break space", "\u00a0{}", "expected a value"],
    ["a byte order mark", "\ufeff{}", "expected a value"],
  ])("refuses %s", (_, text, problem) => {
    expect(() => scan(text)).toThrow(problem);
  });

  it("decodes escapes", () => {
    expect(scanString(String.raw`"\u0041\ud83d\ude00\/\t"`)).toBe("A😀/\t");
    expect(scanString('"plain"')).toBe("plain");
  });

  it("takes objects of the same keys beside and in each other", () => {
    expect(() => scan('[{"a":{"a":1}},{"a":2}]')).not.toThrow();
  });

  it("stops at a depth, however deep the text goes", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(() => scan(nested(MAX_JSON_DEPTH))).not.toThrow();
    expect(() => scan(nested(MAX_JSON_DEPTH + 1))).toThrow("levels deep");
    expect(() => scan("[".repeat(5_000_000))).toThrow("levels deep");
    expect(() => scan('{"a":'.repeat(1_000_000))).toThrow("levels deep");
  });

  it("takes numbers and strings of millions of characters", () => {
    expect(() => scan("1".repeat(10_000_000))).not.toThrow();
    expect(() => scan(`"${"\\n".repeat(5_000_000)}"`)).not.toThrow();
  });
});

describe("parseJson", () => {
  it("names the file", () => {
    expect(parseJson('{"a":[1]}', "config.json")).toEqual({ a: [1] });
    expect(() => parseJson("{", "config.json")).toThrow(
      expect.objectContaining({
        code: "E_JSON",
        message: expect.stringMatching(/^config\.json: expected JSON/) as string,
      }),
    );
  });

  it("stops at a depth, not counting brackets in strings", () => {
    const inString = JSON.stringify({ a: `${"[".repeat(500)}\\"` });
    expect(() => parseJson(inString, "config.json")).not.toThrow();
    expect(() => parseJson("[".repeat(100) + "]".repeat(100), "config.json")).toThrow("more than 64 levels deep");
  });

  it("leaves __proto__ a name", () => {
    parseJson('{"__proto__":{"polluted":1}}', "config.json");
    expect(Reflect.has({}, "polluted")).toBe(false);
  });
});
