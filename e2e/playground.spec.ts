import { AxeBuilder } from "@axe-core/playwright";
import type { Locator, Page } from "@playwright/test";
import { LOAD_TIMEOUT_MS, Playground } from "./support/playground.ts";
import { expect, test } from "./support/test.ts";

const SHORT = { "Think at most": 8, "Longest reply": 16 };

/** Several samples need a wider session, whose kernels a software renderer compiles for long. */
async function sendSamples(playground: Playground, question: string): Promise<Locator> {
  const turn = await playground.send(question);
  await expect(turn.getByText(/tokens\/s/)).toBeVisible({ timeout: LOAD_TIMEOUT_MS });
  return turn;
}

async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(", ")}`);
}

test("a question that stands ready can be asked by a click", async ({ playground }) => {
  await playground.set(SHORT);
  await playground.page.getByRole("button", { name: "Is 91 a prime number?" }).click();
  await expect(playground.turns.first()).toContainText("Is 91 a prime number?");
  await expect(playground.turns.first().getByText(/tokens\/s/)).toBeVisible();
});

test("asking again and asking otherwise branch the conversation, and every branch stays", async ({ playground }) => {
  const { page } = playground;
  const first = page.getByRole("article").first();
  const done = () => expect(playground.ask).toBeVisible();
  const answer = async () => (await first.locator("section").textContent()) ?? "";
  await playground.set(SHORT);
  await playground.sendAndWait("What is 2 + 3?");
  await playground.sendAndWait("And 3 + 4?");
  const original = await answer();

  await first.getByRole("button", { name: "Try again" }).click();
  await done();
  const replies = first.getByRole("group", { name: "Replies to the question" });
  await expect(replies).toContainText("2/2");
  // Another seed, another reply; what followed the first reply is not what follows this one.
  expect(await answer()).not.toBe(original);
  await expect(playground.turns).toHaveCount(1);

  await first.getByRole("button", { name: "Edit", exact: true }).click();
  await page.getByRole("textbox", { name: "Edit the question" }).fill("What is 5 + 6?");
  await page.getByRole("button", { name: "Ask this instead" }).click();
  await done();
  const questions = first.getByRole("group", { name: "Versions of the question" });
  await expect(questions).toContainText("2/2");
  await expect(first).toContainText("What is 5 + 6?");
  await expect(replies).toHaveCount(0);

  await questions.getByRole("button", { name: "Previous" }).click();
  await expect(first).toContainText("What is 2 + 3?");
  await expect(replies).toContainText("2/2");
  await replies.getByRole("button", { name: "Previous" }).click();
  await expect(playground.turns).toHaveCount(2);
  expect(await answer()).toBe(original);
  expect(await violations(page)).toEqual([]);
});

test("an answer can be copied", async ({ playground }) => {
  const { page } = playground;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await playground.set(SHORT);
  const turn = await playground.sendAndWait("What is 2 + 3?");
  await turn.getByRole("button", { name: "Copy thought" }).click();
  await expect(turn.getByRole("button", { name: "Copied" })).toBeVisible();
  const copied = await page.evaluate(async () => navigator.clipboard.readText());
  await playground.thoughtToggle(turn).click();
  expect((await playground.thought(turn).textContent())?.trim()).toBe(copied);
});

test("many samples are a grid with a vote, and a question that can be checked is", async ({ playground }) => {
  const { page } = playground;
  test.setTimeout(LOAD_TIMEOUT_MS + 90_000);
  await playground.set({ ...SHORT, Samples: 8 });
  const turn = await sendSamples(playground, "make 23 from 4 3 9");
  const vote = turn.getByRole("region", { name: "Majority vote" });
  await expect(vote).toContainText("8/8 samples finished");
  // Random weights do not count.
  await expect(vote.getByText("pass@8")).toBeVisible();
  await expect(vote).toContainText(/cons@8✗ wrong/);
  const cells = turn.getByRole("group", { name: "Samples" }).getByRole("button");
  await expect(cells).toHaveCount(8);
  await cells.nth(5).click();
  await expect(turn.getByRole("heading", { name: "Sample 6" })).toBeVisible();
  await expect(cells.nth(5)).toHaveAttribute("aria-pressed", "true");
  expect(await violations(page)).toEqual([]);
});

test("the reader can say what is right", async ({ playground }) => {
  test.setTimeout(LOAD_TIMEOUT_MS + 90_000);
  await playground.set({ ...SHORT, Samples: 2 });
  const turn = await sendSamples(playground, "What is 2 + 3?");
  const vote = turn.getByRole("region", { name: "Majority vote" });
  await expect(vote.getByText("pass@1")).toHaveCount(0);
  await vote.getByRole("textbox", { name: /Right answer/ }).fill("5");
  await expect(vote.getByText("pass@1")).toBeVisible();
  await expect(turn.getByText("✗ wrong").first()).toBeVisible();
  await turn.getByRole("button", { name: "Go on from here" }).nth(1).click();
  await expect(turn.getByRole("button", { name: "Go on from here" }).nth(1)).toHaveAttribute("aria-pressed", "true");
});

test("every token can be looked at, by pointer and by keyboard", async ({ playground }) => {
  const { page } = playground;
  // The most probable token is always the one that is chosen.
  await playground.set({ ...SHORT, Temperature: 0 });
  const turn = await playground.sendAndWait("What is 2 + 3?");
  await turn.getByRole("button", { name: "Entropy" }).click();
  const tokens = turn.getByRole("listbox", { name: /^Tokens of Thought/ });
  await expect(tokens.getByRole("option")).toHaveCount(9);
  await tokens.getByRole("option").first().click();
  const inspector = page.getByRole("complementary", { name: "Token" });
  await expect(inspector).toContainText(/Token 1 · Id \d+/);
  await expect(inspector.getByRole("listitem")).toHaveCount(8);
  await expect(inspector.getByText("· chosen")).toBeVisible();

  await tokens.focus();
  await page.keyboard.press("ArrowRight");
  await expect(inspector).toContainText("Token 2 ·");
  await page.keyboard.press("End");
  // The end of the thought was forced at its limit.
  await expect(inspector.getByRole("heading", { name: "</think>" })).toBeVisible();
  await expect(inspector).toContainText("Think at most");
  for (const theme of ["light", "dark"]) {
    await playground.choose("Theme", theme);
    expect(await violations(page), theme).toEqual([]);
  }
  await page.keyboard.press("Escape");
  await turn.getByRole("button", { name: "Text", exact: true }).click();
  await expect(tokens).toHaveCount(0);
  await expect(inspector).toHaveCount(0);
});

const FORMULAS = String.raw`so \(x^2\) and $\frac{a}{b}$, not $5; \[\sum_{i=1}^n i\]` + "\n\n";
const HOSTILE = [
  `# Title\n\n**bold** <img src="x" onerror="document.title='broken'"> <script>document.title='broken'</script>`,
  `[a link](javascript:document.title='broken') ![a cat](https://example.com/cat.png) [web](https://example.com/)`,
  "| a | b |\n| - | - |\n| 1 | `code` |",
  FORMULAS.repeat(Math.ceil(100_000 / FORMULAS.length)),
].join("\n\n");

test("a hostile answer is inert, and 100 KB of formulas do not hold the page up", async ({ loaded, browser }) => {
  test.setTimeout(2 * LOAD_TIMEOUT_MS + 60_000);
  const context = await browser.newContext({ baseURL: loaded.page.url(), locale: "en-US" });
  const playground = new Playground(await context.newPage());
  const { page } = playground;
  await page.addInitScript(answerWith, HOSTILE);
  await playground.open();
  await playground.set(SHORT);
  const turn = await playground.sendAndWait("What is 2 + 3?");
  await expect(turn.locator(".katex").first()).toBeVisible();
  await expect.poll(async () => turn.locator(".katex").count(), { timeout: 60_000 }).toBeGreaterThan(500);
  await expect(turn.getByRole("region", { name: "Table" })).toContainText("code");
  await expect(turn.locator("img, script, h1")).toHaveCount(0);
  await expect(turn.getByText("<img src=")).toBeVisible();
  await expect(turn.getByRole("link")).toHaveCount(1);
  await expect(turn.getByRole("link", { name: "web" })).toHaveAttribute("rel", /noopener/);
  await expect(page).toHaveTitle("R1 Playground");
  const longest = await page.evaluate(() => Math.max(0, ...(window.blocked ?? [])));
  process.stdout.write(`longest task while drawing 100 KB of formulas: ${Math.round(longest)} ms\n`);
  // Styles, fonts and formulas within the content security policy.
  expect(playground.complaints).toEqual([]);
  await context.close();
});

declare global {
  interface Window {
    /** Tasks over 50 ms, in milliseconds. */
    blocked?: number[];
  }
}

/** In the page, before it starts: what the worker answers is replaced by another text. */
function answerWith(answer: string): void {
  interface Event {
    readonly type: string;
    readonly channel?: string;
    text?: string;
    readonly completion?: { answer: string };
  }
  const blocked: number[] = [];
  window.blocked = blocked;
  let at = 0;
  const change = (event: Event): void => {
    if (event.type === "finished" && event.completion) event.completion.answer = answer;
    if (event.type !== "token" || event.channel !== "answer") return;
    if (at === 0) {
      const observer = new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) blocked.push(duration);
      });
      observer.observe({ entryTypes: ["longtask"] });
    }
    event.text = answer.slice(at, at + 20_000);
    at += event.text.length;
  };
  window.Worker = class extends Worker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      // The first to hear a message, before the page does.
      this.addEventListener("message", ({ data }: MessageEvent<{ readonly method?: string; progress?: unknown }>) => {
        if (data.method === "generate" && Array.isArray(data.progress)) data.progress.forEach(change);
      });
    }
  };
}
