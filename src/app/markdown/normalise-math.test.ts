import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitBlocks } from "./blocks.ts";
import { normaliseMath } from "./normalise-math.ts";

describe("formula delimiters", () => {
  it.each([
    [String.raw`so \(x^2\) is`, "so $$x^2$$ is"],
    [String.raw`so $x^2$ is`, "so $$x^2$$ is"],
    [String.raw`so \[x\] is`, "so \n$$\nx\n$$\n is"],
    [String.raw`so $$x$$ is`, "so \n$$\nx\n$$\n is"],
    ["$$\nx\n$$", "$$\nx\n$$\n"],
    [String.raw`- a \[x\]`, "- a \n  $$\n  x\n  $$\n  "],
    // Money, and what does not close.
    ["it is $5 and $6", "it is $5 and $6"],
    ["costs $ 5 $ now", "costs $ 5 $ now"],
    ["from $5", "from $5"],
    [String.raw`open \(x`, String.raw`open \(x`],
    [String.raw`an escaped \$x$ sign`, String.raw`an escaped \$x$ sign`],
    // Code.
    ["`$x$` and $y$", "`$x$` and $$y$$"],
    [String.raw`${"``"}\(x\)${"``"}`, String.raw`${"``"}\(x\)${"``"}`],
    ["```\n$x$\n```\n$y$", "```\n$x$\n```\n$$y$$"],
    ["~~~\n$x$\n~~~\n$y$", "~~~\n$x$\n~~~\n$$y$$"],
    ["```tex\n$x$", "```tex\n$x$"],
    ["a lone ` and $y$", "a lone ` and $$y$$"],
  ])("%j becomes %j", (text, expected) => {
    expect(normaliseMath(text)).toBe(expected);
  });

  it("take time in proportion to the text, whatever it is made of", () => {
    for (const part of ["\\(", "\\[", "$", "$$", "`", "$x", "\\[ ", "~~~\n", "```\n", "$a\\("]) {
      const started = performance.now();
      normaliseMath(part.repeat(Math.ceil(100_000 / part.length)));
      expect(performance.now() - started, part).toBeLessThan(500);
    }
  });
});

describe("blocks", () => {
  it("end at blank lines, but not in code, formulas or indented continuations", () => {
    expect(splitBlocks("a\n\nb\n\n```\nc\n\nd\n```\n\n$$\ne\n\nf\n$$\n\n- g\n\n  h\n\ni")).toEqual([
      "a\n",
      "b\n",
      "```\nc\n\nd\n```\n",
      "$$\ne\n\nf\n$$\n",
      "- g\n\n  h\n",
      "i",
    ]);
  });

  it("joined are the text", () => {
    const texts = fc
      .array(fc.constantFrom("a", "\n", "\n\n", "```\n", "$$\n", "  ", "- "))
      .map((list) => list.join(""));
    fc.assert(fc.property(texts, (text) => splitBlocks(text).join("\n") === text));
  });
});
