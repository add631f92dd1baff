import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BoundedPattern } from "./bounded-pattern.ts";
import { KNOWN_PATTERNS } from "./known-patterns.ts";
import { compilePattern, UnsupportedPattern } from "./program.ts";

/** JavaScript's syntax of the published ones, and others of every kind of step. */
const PATTERNS = [
  ...[...KNOWN_PATTERNS].map((pattern) => pattern.replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)", "'(?:[sS]|[tT]|[rR][eE])")),
  "a|ab|abc",
  "(?:a|b)*?c",
  "a{2,3}b?",
  "a{2,}?|b",
  "[a-c\\]\\-]+\\d*",
  "(?<=a)b|(?<!b)a",
  "(?<=\\s|^)\\p{L}+(?=\\P{L}|$)",
  "(a*)*b",
  "(?:a?b?)+",
  "\\u{1F44B}|👋+|\\x61",
  ".+?(?:\\n|$)",
  "x*",
  "(?=a)[^]",
  "(?=(?:a+)+b)",
  "(?:(?=a*b)|a)*c|[^]",
  "(?=(?=a*b)a+)a|b",
  "(?!a*b)(?:a|(?=b+c)b)+",
];

describe("a bounded pattern", () => {
  it.each(PATTERNS)("matches as JavaScript's own: %s", (source) => {
    const own = new RegExp(source, "gu");
    const bounded = new BoundedPattern(source);
    const char = fc.constantFrom(
      "a",
      "b",
      "c",
      "A",
      " ",
      "  ",
      "\n",
      "1",
      "12",
      "'s",
      "é",
      "日本",
      "👋",
      "-",
      "]",
      "x",
    );
    fc.assert(
      fc.property(fc.array(char, { maxLength: 14 }), (chars) => {
        const text = chars.join("");
        const wanted = Array.from(text.matchAll(own), ({ 0: match, index }) => [match, index]);
        expect(Array.from(bounded[Symbol.matchAll](text), ({ 0: match, index }) => [match, index])).toEqual(wanted);
        expect(bounded[Symbol.replace](text, "$&")).toBe(text.replaceAll(own, () => "$&"));
        // Groups that capture would be among JavaScript's parts.
        if (!/\((?!\?)/.test(source)) expect(bounded[Symbol.split](text)).toEqual(text.split(own));
      }),
      { numRuns: 60 },
    );
  });

  it.each(["(a+)+$", "(a|a)*$", "(a|aa)+$", "(?:a*)*b", "^(?:(?:a+)+)+$|b", "(?<!x)(a+)+(?=b)"])(
    "ends where JavaScript's own would not: %s",
    (source) => {
      const text = `${"a".repeat(3_000)}!`;
      const begun = performance.now();
      const found = Array.from(new BoundedPattern(source)[Symbol.matchAll](text));
      expect(found.every(({ index }) => index <= text.length)).toBe(true);
      expect(performance.now() - begun).toBeLessThan(5_000);
    },
  );

  it("is stopped where its steps are too many", () => {
    const text = "a".repeat(30_000);
    expect(() => Array.from(new BoundedPattern("(?=a*b)c|(?<=a*a*b)")[Symbol.matchAll](text))).toThrow(
      "too many steps",
    );
  });

  it.each(["(a)\\1", "(?<n>a)\\k<n>", "(?:a{1000}){1000}", "a\\b"])("is refused where it needs more: %s", (source) => {
    expect(() => compilePattern(source)).toThrow(UnsupportedPattern);
  });
});
