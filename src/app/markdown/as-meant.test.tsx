import { createElement } from "react";
import { renderToReadableStream } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { MarkdownBlocks } from "./MarkdownBlocks.tsx";

async function html(text: string, isStreaming = false): Promise<string> {
  const stream = await renderToReadableStream(
    createElement(MarkdownBlocks, { text, isStreaming, labels: { code: "Code", table: "Table" } }),
  );
  await stream.allReady;
  return new Response(stream).text();
}

const decode = (text: string): string =>
  text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#x27;", "'")
    .replaceAll("&amp;", "&");

/** What a reader sees: formulas as TeX in double angle brackets. */
const seen = (markup: string): string =>
  decode(
    markup
      .replaceAll(/<template.*?<\/template>|<script.*?<\/script>/gs, "")
      .replaceAll(/<span[^>]*data-tex="([^"]*)"[^>]*><\/span>/g, "⟪$1⟫")
      .replaceAll(/<!--.*?-->|<[^>]*>/gs, ""),
  ).trim();

const shown = async (text: string, isStreaming = false): Promise<string> => seen(await html(text, isStreaming));

/** As it was written, while it grows too. */
const asWritten = [
  "2*3*4 = 24",
  "f(x)=(x-1)*(x-2)*(x-3)",
  "a*b*c",
  "so 2*x*y and 3*x*y",
  "5 * 3 * 2 = 30",
  "2**3**2 = 512",
  "x**2 + y**2 = z**2",
  "(a+b)**2 - (a-b)**2",
  "答えは2*3*4です。",
  "２*３*４",
  "count(*) and sum(*)",
  "a/*.ts b/*.js",
  "src/**/*.ts and lib/**/*.js",
  "*.txt and *.md",
  "α*β*γ",
  "n!*m!*k!",
  "(10$) or (20$) today.",
  "PATH=$HOME/bin:$PATH now",
  "$5 and $10",
  "costs $5",
  "US$3, A$5 and US$7",
  "export A=${HOME}/bin:${PATH}",
  "echo $HOME$PATH",
  "grep '^foo$|^bar$' file",
  "$1,000-$2,000",
  "costs $5, or 5$.",
  "my_var_name and other_var_name",
  "the method __init__ and __name__",
  "x_1 + x_2",
  "{a}_1 + x_{2}",
  "~5~ or 10~20 or 10~~20~~30",
  "f[1](2) and g[x](y)",
  "[1, 2, 3]",
  "a[0](x)*b[1](y)*c",
  "see [^1]\n[^1]: the note",
  "[1]: 5",
  "<answer>12</answer>",
  "a<b and b>c",
  "if a<b>c",
  "3 < 5 > 2",
  "wow! [x] !",
  ":smile: 10:30:45",
  "x &lt y",
  // A product within what is emphasised, of quotations, of formulas' letters, in words without spaces.
  '"a"*"b"*"c"',
  "|a|*|b|*|c|",
  "𝑥*𝑦*𝑧 and 𝐀**𝐁**𝐂",
  "面积=长*宽*高",
  "路程=速度*时间，时间=路程/速度，a*b=b*a。",
  "100円*3個*2日=600円",
  "税率*100円*2",
  "速度*时间*2",
  'echo "$1" "$@" $# $?',
  "![](https://example.com/x.png)",
  "$$a^2",
  "$$ a\n= b",
].map((text) => [text]);

describe("what a model wrote", () => {
  it.each(asWritten)("is shown as it was written: %s", async (text) => {
    const whole = text.replaceAll("\n", " ");
    expect((await shown(text)).replaceAll("\n", " ")).toBe(whole);
    expect((await shown(text, true)).replaceAll("\n", " ")).toBe(whole);
    expect(await html(text)).not.toMatch(/<(?:em|strong|del|h\d)\b/);
  });

  it.each([
    ["**bold** and *emphasis*", "<strong>bold</strong> and <em>emphasis</em>"],
    ["the *n*th term", "the <em>n</em>th term"],
    ["**bold**text", "<strong>bold</strong>text"],
    ["**Answer:**42", "<strong>Answer:</strong>42"],
    ["ステップ1**重要**です", "ステップ1<strong>重要</strong>です"],
    ["これは*強調*です", "これは<em>強調</em>です"],
    ["***both***", "<em><strong>both</strong></em>"],
    ["_words_ and __more words__", "<em>words</em> and <strong>more words</strong>"],
    ["~~gone~~", "<del>gone</del>"],
    ["**a*b** and **c*d**", "<strong>a*b</strong> and <strong>c*d</strong>"],
    ["**a *b*c d**", "<strong>a <em>b</em>c d</strong>"],
    ["*約*3.14です", "<em>約</em>3.14です"],
    ["😀**b**😀 👍*はい*👍", "😀<strong>b</strong>😀 👍<em>はい</em>👍"],
    ["**2*3*4 = 24**", "<strong>2*3*4 = 24</strong>"],
    ["*see 2*3*", "<em>see 2*3</em>"],
    ["(*x*)", "(<em>x</em>)"],
    ["**$x$**は", "<strong>"],
    ["<answer>**12**</answer>", "&lt;answer&gt;<strong>12</strong>&lt;/answer&gt;"],
  ])("is emphasised where it was meant: %s", async (text, expected) => {
    expect(await html(text)).toContain(expected);
    expect(await html(text, true)).toContain(expected);
  });

  it("keeps the lines of a sum", async () => {
    expect((await shown("12\n+ 5\n----\n17")).replaceAll(/\n+/g, " ")).toBe("12 + 5 17");
    expect(await html("12\n+ 5\n----\n17")).toContain("<hr/>");
    expect(await shown("2*3*4\n= 24\n=====")).toBe("2*3*4\n= 24\n=====");
    expect(await shown("- 3 + 4 = 1")).toBe("- 3 + 4 = 1");
    expect(await shown("* 3 = 12")).toBe("* 3 = 12");
    for (const text of ["12\n- 5\n----", "100\n- 58\n= 42", "3\n* 4\n= 12", "5 - 3 = 2\n- 1\n= 1"]) {
      expect((await shown(text)).replaceAll(/\n+/g, "\n"), text).toBe(text.replace("\n----", ""));
    }
    expect((await shown("x = 7\n\n> 5")).replaceAll(/\s+/g, " ")).toBe("x = 7> 5");
    expect((await shown("x < 9\n\n>= 2")).replaceAll(/\s+/g, "")).toBe("x<9>=2");
    // A formula that has no end yet.
    expect(await shown("- $$a")).toBe("$$a");
    // Ordinary lists and quotations stay.
    for (const text of ["Total:\n- 5\n- 6", "- 3 cups of flour", "- 3\n- 5", "+ item", "> a quotation", "- [ ] task"]) {
      expect(await shown(text), text).not.toMatch(/[-+>] /);
    }
  });

  it("keeps the numbers of a list", async () => {
    const markup = await html("1. a\n3. b\n5. c");
    expect([...markup.matchAll(/value="(\d+)"/g)].map(([, value]) => value)).toEqual(["1", "3", "5"]);
    expect(await html("2024. It was")).toContain(`value="2024"`);
  });
});

describe("an address", () => {
  const linked = async (text: string): Promise<string[]> =>
    [...(await html(text)).matchAll(/href="([^"]*)"/g)].map(([, href = ""]) => decode(href));

  it.each([
    ["詳しくは https://example.com/docs（説明）をご覧ください。", "https://example.com/docs"],
    ["https://example.com/docs、", "https://example.com/docs"],
    ["https://example.com/docs。", "https://example.com/docs"],
    ["「https://example.com/docs」です", "https://example.com/docs"],
    ["【https://example.com】", "https://example.com"],
    ["《https://example.com/a》と", "https://example.com/a"],
    ["https://example.com/a！", "https://example.com/a"],
    ["https://example.com/a？", "https://example.com/a"],
    ["https://example.com/docsをご覧ください", "https://example.com/docs"],
    ["https://example.com/をご覧ください", "https://example.com/"],
    ["https://example.com/ａｂｃ", "https://example.com/"],
    ["詳細はhttps://example.com/a(b)です", "https://example.com/a(b)"],
    ["(https://example.com/a)です", "https://example.com/a"],
    ["https://example.com/a.（説明）", "https://example.com/a"],
    ["**https://example.com/a**。", "https://example.com/a"],
    ["www.example.com/a（説明）", "http://www.example.com/a"],
    ["a@example.com（連絡先）", "mailto:a@example.com"],
    ["“https://example.com/a” and", "https://example.com/a"],
    ["https://example.com/a—then", "https://example.com/a"],
    ["https://example.com/a?b=1&c=2。", "https://example.com/a?b=1&c=2"],
  ])("ends where the sentence goes on: %s", async (text, href) => {
    expect(await linked(text)).toEqual([href]);
    const plain = text.replaceAll("**", "");
    expect(await shown(text)).toBe(plain);
  });

  it.each([
    [
      "https://ja.wikipedia.org/wiki/日本の首都",
      "https://ja.wikipedia.org/wiki/%E6%97%A5%E6%9C%AC%E3%81%AE%E9%A6%96%E9%83%BD",
    ],
    ["https://de.wikipedia.org/wiki/Zürich", "https://de.wikipedia.org/wiki/Z%C3%BCrich"],
    ["[説明](https://example.com/a（b）)", "https://example.com/a%EF%BC%88b%EF%BC%89"],
    ["see https://example.com/a.", "https://example.com/a"],
  ])("keeps what is its own: %s", async (text, href) => {
    expect(await linked(text)).toEqual([href]);
  });

  it("in code is text", async () => {
    expect(await shown("`https://example.com/docs（説明）`")).toBe("https://example.com/docs（説明）");
    expect(await shown("```\nhttps://example.com/docs（説明）\n```")).toBe("https://example.com/docs（説明）");
  });
});

describe("a formula", () => {
  it.each([
    ["$x$ and $|x|$", "⟪$x$⟫ and ⟪$|x|$⟫"],
    ["the $n$th term", "the ⟪$n$⟫th term"],
    ["2$\\pi$r", "2⟪$\\pi$⟫r"],
    ["方程式$x^2$は", "方程式⟪$x^2$⟫は"],
    ["$ x^2 $ here", "⟪$x^2$⟫ here"],
    ["$50%$ of it", "⟪$50%$⟫ of it"],
    ["$[0, 1)$", "⟪$[0, 1)$⟫"],
    ["$\\$5$", "⟪$\\$5$⟫"],
    ["so \\boxed{24}.", "so ⟪$\\boxed{24}$⟫."],
    ["\\boxed{24}", "⟪$\\boxed{24}$⟫"],
    ["is \\boxed{\\frac{1}{2}} here", "is ⟪$\\boxed{\\frac{1}{2}}$⟫ here"],
    ["\\boxed {x}", "⟪$\\boxed {x}$⟫"],
    ["答えは\\boxed{２４}です", "答えは⟪$\\boxed{２４}$⟫です"],
    ["\\boxed{$24}", "⟪$\\boxed{\\$24}$⟫"],
    ["\\boxed{$x$}", "⟪$\\boxed{x}$⟫"],
    ["x = \\frac{1}{2}", "x = ⟪$\\frac{1}{2}$⟫"],
    ["\\sqrt[3]{8} = 2", "⟪$\\sqrt[3]{8}$⟫ = 2"],
    ["**\\boxed{24}**", "⟪$\\boxed{24}$⟫"],
    ["\\boxed{\n5\n}", "⟪$\\boxed{ 5 }$⟫"],
    ["\\(a\n+ b\\) is", "⟪$a + b$⟫ is"],
    ["> \\(a\n> + b\\) is", "⟪$a + b$⟫ is"],
  ])("within a line is set: %s", async (text, expected) => {
    expect(await shown(text)).toBe(expected);
    expect(await shown(text, true)).toBe(expected);
  });

  it.each([
    ["\\[\n\nx^{11}\n\n\\]", "$$x^{11}$$"],
    ["\\[\nx\n\n= 1\n\n\\]", "$$x\n= 1$$"],
    ["$$\n\nx^2\n\n$$", "$$x^2$$"],
    ["> \\[\n> x\n>\n> = 1\n> \\]", "$$x\n= 1$$"],
    ["> $$\n> x\n> $$", "$$x$$"],
    [">> \\begin{cases}\n>> x \\\\\n>> y\n>> \\end{cases}", "$$\\begin{cases}\nx \\\\\ny\n\\end{cases}$$"],
    ["$$x = 5$$.", "$$x = 5.$$"],
    ["\\[x = 5\\]。", "$$x = 5。$$"],
    ["\\begin{align}\nx &= 1 \\\\\ny &= 2\n\\end{align}", "$$\\begin{align}\nx &= 1 \\\\\ny &= 2\n\\end{align}$$"],
    ["\\begin{align}\nx &= 1 \\\\\n\ny &= 2\n\\end{align}", "$$\\begin{align}\nx &= 1 \\\\\ny &= 2\n\\end{align}$$"],
    ...["align*", "equation", "gather", "cases", "pmatrix", "aligned"].map((name) => [
      `\\begin{${name}}x\\end{${name}}`,
      `$$\\begin{${name}}x\\end{${name}}$$`,
    ]),
    [
      "\\begin{pmatrix}\\begin{pmatrix}1\\end{pmatrix}\\end{pmatrix}",
      "$$\\begin{pmatrix}\\begin{pmatrix}1\\end{pmatrix}\\end{pmatrix}$$",
    ],
  ])("of its own is set apart: %j", async (text, expected) => {
    expect(await shown(text)).toBe(`⟪${expected}⟫`);
  });

  it("stands within a sentence and a list", async () => {
    expect(await shown("f(x) = \\begin{cases}1\\end{cases} and so on")).toMatch(/^f\(x\) =\s*⟪.*⟫\s*and so on$/s);
    const product = "\\begin{bmatrix}1\n\\end{bmatrix} * \\begin{bmatrix}2\\end{bmatrix}";
    expect(await shown(product)).toBe("⟪$\\begin{bmatrix}1 \\end{bmatrix}$⟫ * ⟪$\\begin{bmatrix}2\\end{bmatrix}$⟫");
    expect((await shown("$$x$$ * $$y$$ + 1")).replaceAll(/⟪.*?⟫|\s+/g, "")).toBe("*+1");
    expect(await html("$$x$$ * $$y$$ + 1")).not.toContain("<li");
    const item = await html("1. First\n   \\begin{align}\n   x\n   \\end{align}\n2. Second");
    expect(item.match(/<li/g)).toHaveLength(2);
  });

  it("in a table leaves its cells whole", async () => {
    const table = "| a | b |\n|---|---|\n| $|x|$ | $$x^2$$ |\n| \\(|y|\\) | \\[|z|\\] |\n| $\\|u\\|$ | `a|b` |";
    const markup = await html(table);
    const rows = [...markup.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = ""]) =>
      [...row.matchAll(/<t[dh]>(.*?)<\/t[dh]>/gs)].map(([, cell = ""]) => seen(cell)),
    );
    expect(rows).toEqual([
      ["a", "b"],
      ["⟪$|x|$⟫", "⟪$x^2$⟫"],
      ["⟪$|y|$⟫", "⟪$|z|$⟫"],
      ["⟪$|u|$⟫", "a|b"],
    ]);
    // The text that goes on below it is no row.
    expect(await html("|a|b|\n|-|-|\n|1|2|\n**Total:** 3")).toMatch(/<\/table>.*<p><strong>Total:<\/strong> 3<\/p>/);
    expect(await shown("```\n|a|b|\n|-|-|\nx\n```")).toBe("|a|b|\n|-|-|\nx");
    // Also in its head, and without bars around it.
    expect((await html("$|x|$ | b\n---|---\n$|y|$ | \\boxed{1}")).match(/<t[hd]>/g)).toHaveLength(4);
  });

  it.each([
    ["an unfinished \\boxed{24"],
    ["an unfinished \\boxed{\\frac{1}{2}"],
    ["\\begin{align} x"],
    ["\\begin{itemize} x \\end{itemize}"],
    ["\\boxedx{1}"],
    ["`\\boxed{1}` `\\begin{align}x\\end{align}`"],
    ["an escaped \\\\boxed{1}"],
  ])("is none: %s", async (text) => {
    expect(await shown(text)).not.toContain("⟪");
  });
});

describe("100 KB", () => {
  const parts = [
    "2*3*4 ",
    "a*b ",
    "**a ",
    "a** ",
    "__init__ ",
    "_a ",
    "$x ",
    "$x$ ",
    "$ x $",
    "\\boxed{",
    "\\boxed{1} ",
    "\\begin{align}",
    "\\begin{align}x\\end{align}",
    "\\frac{1}{2}",
    "https://example.com/a（説明）",
    "www.a.b。",
    "| $|x|$ |\n|---|\n",
    "|",
    "`a|b` ",
    "\\[\n\n",
    "\\[\n\nx\n\n\\]\n",
    "$$\n\n",
    "- 3 + 4\n",
    "+ 5\n",
    "> 5\n",
    "[1](2) ",
    "<answer>",
    "~~a ",
    "あ*い*",
    "日本",
    "https://",
    "wwww.",
    "(*) ",
    "\\(",
    "\\\\",
    "**a*b** ",
    "长*宽",
    "=长*宽",
    "$$ a\n\nb ",
    "- $$x\n",
    "12\n- 5\n",
    "|a|b|\n|-|-|\nx\n",
  ];

  it.each(parts)("of %j is read in time that grows with it", async (part) => {
    const text = part.repeat(Math.ceil(100_000 / part.length));
    const started = performance.now();
    await html(text);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
