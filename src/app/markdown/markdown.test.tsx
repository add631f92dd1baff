import katex from "katex";
import { createElement } from "react";
import { renderToReadableStream } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { KATEX_OPTIONS, MAX_FORMULA_CHARS } from "./katex-options.ts";
import { splitBlocks } from "./blocks.ts";
import { BATCH, MarkdownBlocks, safeUrl } from "./MarkdownBlocks.tsx";
import { normaliseMath } from "./normalise-math.ts";

/** The page's HTML for a text, with everything that is loaded later. */
async function html(text: string, isStreaming = false): Promise<string> {
  const stream = await renderToReadableStream(
    createElement(MarkdownBlocks, { text, isStreaming, labels: { code: "Code", table: "Table" } }),
  );
  await stream.allReady;
  return new Response(stream).text();
}

/** Elements that were made, without their attributes. */
const tags = (markup: string): string[] =>
  [...markup.matchAll(/<([a-z][a-z0-9-]*)/g)].map(([, name = ""]) => name).filter((name) => name !== "template");

describe("markdown of a model", () => {
  it("has emphasis, lists, tables, code and formulas", async () => {
    const shown = await html("**a** *b* `c`\n\n- d\n\n| e |\n| - |\n| f |\n\n```js\ng\n```\n\n\\(h\\)");
    for (const tag of ["strong", "em", "code", "li", "table", "td", "pre", "span"]) expect(tags(shown)).toContain(tag);
  });

  it("emphasises Japanese beside its own punctuation", async () => {
    expect(await html("**答えは「5」です。**これで終わり")).toContain("<strong>答えは「5」です。</strong>");
  });

  it("closes what is still open while it streams", async () => {
    expect(await html("so **bold", true)).toContain("<strong>bold</strong>");
    expect(await html("so **bold")).not.toContain("<strong>");
  });

  it.each([
    `<img src=x onerror=alert(1)>`,
    `<script>alert(1)</script>`,
    `<iframe src="https://example.com"></iframe>`,
    `<a href="javascript:alert(1)">x</a>`,
    `<svg onload=alert(1)>`,
    `text <b style="position:fixed">x</b>`,
    `<style>body{display:none}</style>`,
  ])("shows HTML as it was written: %s", async (source) => {
    const shown = await html(source);
    expect(tags(shown).filter((tag) => tag !== "p")).toEqual([]);
    expect(shown).toContain("&lt;");
  });

  it.each([
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:x)",
    "[x](#/lab)",
    "[x](/secret)",
    "[x](file:///etc/passwd)",
    "<javascript:alert(1)>",
    "[x][y]\n\n[y]: javascript:alert(1)",
    "a[^1]\n\n[^1]: note",
  ])("does not link to %s", async (source) => {
    expect(await html(source)).not.toMatch(/href|src=/);
  });

  it("links to the web in a tab of its own that knows nothing of this page", async () => {
    const shown = await html("[x](https://example.com/a?b=1) and mailto:a@example.com");
    expect(shown).toContain(`href="https://example.com/a?b=1" target="_blank" rel="noopener noreferrer nofollow"`);
    expect(safeUrl("mailto:a@example.com")).toBe("mailto:a@example.com");
    expect(safeUrl(`https://example.com/${"a".repeat(5000)}`)).toBe("");
  });

  it("shows an image's description and fetches nothing", async () => {
    const shown = await html("see ![a cat](https://example.com/cat.png)");
    expect(shown).toContain("a cat");
    expect(shown).not.toMatch(/<img|cat\.png/);
  });

  it.each([">".repeat(5000), "- ".repeat(2500), "*a **b ".repeat(800), "[".repeat(5000), "`".repeat(5000)])(
    "survives nesting: %#",
    async (source) => {
      const started = performance.now();
      // On a server nothing catches a fault within a block; in the page it is shown as it was written.
      await html(source).catch((error: unknown) => expect(error).toBeInstanceOf(RangeError));
      expect(performance.now() - started).toBeLessThan(2000);
    },
  );

  it("leaves a block or a formula that is too long as it was written", async () => {
    expect(tags(await html("**a** ".repeat(2000)))).toEqual(["p"]);
    const long = "x".repeat(MAX_FORMULA_CHARS + 1);
    expect(await html(`$$${long}$$`)).toContain(`<code class="font-mono text-[0.9em]">${long}</code>`);
  });
});

describe("100 KB of LaTeX", () => {
  const hostile = String.raw`\(\frac{x}{y}\) and $a_{1}^{2}$, \[\sum_{i} i\]` + "\n\n";
  const text = hostile.repeat(Math.ceil(100_000 / hostile.length));

  it("is cut into blocks that are drawn a few at a time", async () => {
    await html(hostile);
    const started = performance.now();
    const shown = await html(text);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(splitBlocks(normaliseMath(text)).length).toBeGreaterThan(1000);
    // A formula of its own ends a paragraph.
    const drawn = shown.split("</p>").length - 1;
    expect(drawn).toBeGreaterThanOrEqual(BATCH);
    expect(drawn).toBeLessThanOrEqual(2 * BATCH);
  });

  it.each([
    String.raw`\href{javascript:alert(1)}{x}`,
    String.raw`\url{javascript:alert(1)}`,
    String.raw`\includegraphics{https://example.com/x.png}`,
    String.raw`\htmlStyle{position:fixed}{x}`,
    String.raw`\htmlId{root}{x}`,
    String.raw`\htmlData{a=b}{x}`,
    String.raw`\text{<script>alert(1)</script>}`,
    String.raw`\rule{10000em}{10000em}`,
    String.raw`\def\a{\a\a}\a`,
    String.raw`\def\a#1{#1#1}\a{\a{\a{\a{\a{\a{\a{\a{\a{\a{x}}}}}}}}}}`,
    "{".repeat(MAX_FORMULA_CHARS),
    "x^{".repeat(300) + "}".repeat(300),
  ])("has no formula that does anything: %#", (source) => {
    const started = performance.now();
    let markup = "";
    try {
      markup = katex.renderToString(source, KATEX_OPTIONS);
    } catch (error) {
      // Refused: the page shows the source.
      expect(error).toBeInstanceOf(Error);
    }
    // A copy of the source, as text, for those who read it.
    const drawn = markup.replace(/<annotation.*<\/annotation>/s, "");
    expect(drawn).not.toMatch(/<(script|a|img|iframe)\b|javascript:[^<]*"|\bid=|position:fixed|10000em/);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
