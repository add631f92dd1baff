import { expect, test } from "@playwright/test";
import type { Page } from "@playwright/test";

const ANSWER = String.raw`So 2*3*4 = 24 and f(x)=(x-1)*(x-2)*(x-3), with **bold** and *emphasis*.

詳しくは https://example.com/docs（説明）をご覧ください。

| norm | square |
|---|---|
| $|x|$ | $$x^2$$ |

First $a^2 + b^2$ here.

\[

x^{11}

\]

Then \boxed{24} and (10$) or (20$) today.

\begin{align}
x &= 1 \\
y &= 2
\end{align}

12
+ 5
----
17

PATH=$HOME/bin:$PATH now`;

/** A recorded trace whose answer is the text, in the frame that plays such. */
async function showAnswer(page: Page, answer: string, lang: "en" | "ja"): Promise<void> {
  const parts = answer.match(/[^]{1,150}/gu) ?? [];
  const reply = { finish: "stop", tokens: parts.map((text, i) => [50 + i, 1, text, i, -0.1, 0.1]) };
  const stats = {
    promptTokens: 1,
    cachedTokens: 0,
    completionTokens: parts.length,
    prefillMs: 1,
    decodeMs: 1,
    tokensPerSecond: 9,
  };
  const turn = { question: "?", prefilledAt: 40, stats, replies: [reply] };
  const trace = { version: 1, model: "m", device: "d", recorded: "2026-01-02T03:04:05.000Z", turns: [turn] };
  await page.route("**/traces/nano-r1.json", (route) => route.fulfill({ json: trace }));
  await page.goto(`embed.html?v=1&view=trace&lang=${lang}`);
  await page.getByRole("button", { name: lang === "en" ? /^Play/ : /再生/ }).click();
}

for (const lang of ["en", "ja"] as const) {
  test(`an answer is shown as the model wrote it (${lang})`, async ({ page }, info) => {
    await showAnswer(page, ANSWER, lang);
    const shown = page.locator(".markdown");
    await expect(shown).toContainText("PATH=$HOME/bin:$PATH now");
    await expect(shown).toContainText("So 2*3*4 = 24 and f(x)=(x-1)*(x-2)*(x-3), with bold and emphasis.");
    await expect(shown.getByRole("link")).toHaveText("https://example.com/docs");
    await expect(shown.getByRole("cell")).toHaveCount(2);
    await expect(shown).toContainText("(10$) or (20$) today.");
    await expect(shown.locator("li")).toHaveText("+ 5");
    await expect(shown.locator(".katex")).toHaveCount(6);
    await page.screenshot({ path: info.outputPath(`answer-${lang}.png`), fullPage: true });
    await page.setViewportSize({ width: 390, height: 900 });
    await page.screenshot({ path: info.outputPath(`answer-${lang}-390.png`), fullPage: true });
  });
}

test("what is copied has its formulas as TeX", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await showAnswer(page, ANSWER, "en");
  await expect(page.locator(".markdown .katex")).toHaveCount(6);
  const copied = async (select: () => void): Promise<{ text: string; html: string }> => {
    await page.evaluate(select);
    await page.keyboard.press("ControlOrMeta+C");
    return page.evaluate(async () => {
      const [item] = await navigator.clipboard.read();
      const read = async (type: string) => (item?.types.includes(type) ? (await item.getType(type)).text() : "");
      return { text: await read("text/plain"), html: await read("text/html") };
    });
  };
  const all = await copied(() => {
    const markdown = document.querySelector(".markdown");
    if (markdown) document.getSelection()?.selectAllChildren(markdown);
  });
  expect(all.text).toContain("First $a^2 + b^2$ here.");
  expect(all.text).toContain("$$x^{11}$$");
  expect(all.text).toContain("Then $\\boxed{24}$ and (10$) or (20$) today.");
  expect(all.text).toMatch(/\$\|x\|\$\t\$x\^2\$/);
  expect(all.text).toMatch(/here\.\s*\n+\s*\$\$x/);
  expect(all.html).toContain("$a^2 + b^2$");
  expect(all.html).not.toContain("katex");
  // From within one formula into another: both are whole, and the page is as it was.
  const part = await copied(() => {
    const [, , from] = document.querySelectorAll(".markdown .katex-html");
    const to = document.querySelectorAll(".markdown .katex-html")[3];
    const first = document.createTreeWalker(from ?? document, NodeFilter.SHOW_TEXT).nextNode();
    const last = document.createTreeWalker(to ?? document, NodeFilter.SHOW_TEXT).nextNode();
    if (first && last) document.getSelection()?.setBaseAndExtent(first, 0, last, 1);
  });
  expect(part.text.trim()).toMatch(/^\$a\^2 \+ b\^2\$ here\.\s+\$\$x\^\{11\}\$\$$/);
  await expect(page.locator(".markdown .katex")).toHaveCount(6);
});
