import { describe, expect, it } from "vitest";
import { R1Error } from "./errors.ts";
import { visible, visibleLines } from "./visible-text.ts";

describe("text from outside", () => {
  it.each([
    ["model\u202egnp.exe", "model\\u{202e}gnp.exe"],
    ["a\u2066b\u2069", "a\\u{2066}b\\u{2069}"],
    ["a\u200eb\u200f", "a\\u{200e}b\\u{200f}"],
    ["a\u061cb", "a\\u{61c}b"],
    ["a\u200bb", "a\\u{200b}b"],
    ["soft\u00adhyphen", "soft\\u{ad}hyphen"],
    ["\ufeffbom", "\\u{feff}bom"],
    ["\u001b[2Jgone", "\\u{1b}[2Jgone"],
    ["c1\u009b31m", "c1\\u{9b}31m"],
    ["two\nlines\ttab\r", "two\\u{a}lines\\u{9}tab\\u{d}"],
    ["a\u2028b", "a\\u{2028}b"],
    ["fill\u3164er", "fill\\u{3164}er"],
    ["blank\u2800", "blank\\u{2800}"],
    ["tag\u{e0041}", "tag\\u{e0041}"],
    ["half\ud800", "half\\u{d800}"],
    ["join\u200dme", "join\\u{200d}me"],
  ])("%j is shown as %j", (text, expected) => expect(visible(text)).toBe(expected));

  it.each(["DeepSeek-R1 蒸留", "模型", "👨\u200d👩\u200d👧", "葛\u{e0100}", "❤\ufe0f", "مدل", "naïve"])(
    "%s is left alone",
    (text) => expect(visible(text)).toBe(text),
  );

  it("of several lines keeps them", () => {
    expect(visibleLines("a\tb\nc\u202e")).toBe("a\tb\nc\\u{202e}");
  });

  it("is no danger in an error's message", () => {
    expect(new R1Error("E_FILE_MISSING", "no mo\u202edel\u001b[2J").message).toBe("no mo\\u{202e}del\\u{1b}[2J");
  });
});
