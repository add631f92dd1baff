import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ROOT } from "./support/folders.ts";
import { expect, test } from "./support/test.ts";

test("the page loads the built-in model by itself and has a question ready to send", async ({ loaded }) => {
  const { page } = loaded;
  await expect(page.getByRole("banner")).toContainText(/WebGPU · .+/);
  await expect(page.getByRole("listitem").filter({ hasText: "tiny-random" })).toContainText("Loaded");
  const paints = await page.evaluate(() => performance.getEntriesByType("paint").map((entry) => entry.startTime));
  process.stdout.write(`first paint after ${Math.round(paints[0] ?? Number.NaN)} ms\n`);
  // Something to see in the first second, long before any kernel.
  expect(paints[0]).toBeLessThan(3000);
});

test("a question streams a thought into its panel, then the answer apart from it", async ({ playground }) => {
  const { page, status } = playground;
  await expect(playground.question).toHaveValue(/2 \+ 3/);
  await playground.set({ "Think at most": 150, "Longest reply": 250 });
  const turn = await playground.send("What is 2 + 3?");
  const thought = playground.thought(turn);
  await expect(thought).toHaveAttribute("aria-busy", "true");
  await expect(playground.thoughtToggle(turn)).toHaveText(/^Thinking… .* s · \d+ tokens$/);
  await expect(status).toHaveText("Thinking");
  const early = (await thought.textContent()) ?? "";
  await expect.poll(async () => (await thought.textContent())?.length).toBeGreaterThan(early.length);

  // At its limit the thought is ended by force: its panel closes, and what follows is the answer.
  await expect(playground.thoughtToggle(turn)).toHaveText(/^Thought for .* s · 151 tokens$/);
  await expect(playground.thoughtToggle(turn)).toHaveAttribute("aria-expanded", "false");
  await expect(thought).toHaveCount(0);
  await expect(turn.getByText("cut at the longest reply")).toBeVisible();
  await expect(status).toHaveText("Answer ready");
  const figures = await turn.getByText(/tokens\/s/).textContent();
  process.stdout.write(`${figures}\n`);
  expect(figures).toMatch(/^[\d.]+ tokens\/s · prompt \d+ · (reused \d+ · )?first token [\d.]+ s$/);

  await playground.thoughtToggle(turn).click();
  await expect(thought).toContainText(early);
  await expect(thought).toHaveAttribute("aria-busy", "false");
  expect(await page.getByRole("log").getAttribute("aria-live")).toBe("off");
});

test("a second turn reuses what the model has read, and forgets its earlier thought", async ({ playground }) => {
  await playground.sendAndWait("What is 2 + 3?");
  const second = await playground.sendAndWait("And 3 + 4?");
  const figures = (await second.getByText(/tokens\/s/).textContent()) ?? "";
  const [, prompt, reused] = /prompt (\d+) · reused (\d+)/.exec(figures) ?? [];
  // The first question and its role token; the answer stands where the thought was.
  expect(Number(reused)).toBeGreaterThan(10);
  expect(Number(reused)).toBeLessThan(Number(prompt));
});

test("stopping is instant and keeps what was written", async ({ playground }) => {
  await playground.set({ "Think at most": 0, "Longest reply": 4000 });
  const turn = await playground.send("Count to a thousand.");
  const thought = playground.thought(turn);
  await expect.poll(async () => (await thought.textContent())?.length).toBeGreaterThan(40);
  await playground.stop.click();
  await expect(turn.getByText("stopped; what was written is kept")).toBeVisible({ timeout: 1000 });
  await expect(turn.getByText(/tokens\/s/)).toBeVisible();
  await expect(playground.status).toHaveText("Stopped");
  const kept = (await thought.textContent()) ?? "";
  expect(kept.length).toBeGreaterThan(40);
  await expect(playground.stop).toHaveCount(0);
  // The next question is answered.
  await playground.set({ "Think at most": 8, "Longest reply": 16 });
  await playground.sendAndWait("Are you there?");
  expect(await thought.textContent()).toBe(kept);
});

test("four samples stand side by side, each with a thought and an answer of its own", async ({ playground }) => {
  await playground.set({ Samples: 4, "Think at most": 12, "Longest reply": 24 });
  const turn = await playground.sendAndWait("What is 2 + 3?");
  const samples = turn
    .locator("section")
    .filter({ has: playground.page.getByRole("heading", { name: /^Sample \d$/ }) });
  await expect(samples).toHaveCount(4);
  for (const sample of await samples.all()) await playground.thoughtToggle(sample).click();
  const thoughts = await playground.thought(turn).allTextContents();
  expect(new Set(thoughts).size).toBe(4);
  const [first, second] = [await samples.nth(0).boundingBox(), await samples.nth(1).boundingBox()];
  expect(second?.y).toBe(first?.y);
});

test("the page follows the last line, but only while the reader is there", async ({ playground }) => {
  const { page } = playground;
  await page.setViewportSize({ width: 390, height: 560 });
  await page.getByRole("button", { name: /^Model and settings/ }).click();
  await playground.set({ Samples: 2, "Think at most": 30, "Longest reply": 70 });
  await page.getByRole("button", { name: /^Model and settings/ }).click();
  const conversation = page.getByRole("region", { name: "Conversation" });
  const toEnd = () => conversation.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight);
  await playground.sendAndWait("What is 2 + 3?");
  await playground.sendAndWait("And 3 + 4?");
  await expect.poll(toEnd).toBeLessThan(4);
  await conversation.evaluate((box) => box.scrollTo(0, 0));
  const turn = await playground.send("And 4 + 5?");
  await expect(turn.getByRole("heading", { name: "Sample 1" })).toBeInViewport();
  await conversation.evaluate((box) => box.scrollTo(0, 0));
  await expect(turn.getByText(/tokens\/s/)).toHaveCount(1);
  expect(await conversation.evaluate((box) => box.scrollTop)).toBe(0);
});

test("greedy text in the browser is that of the command line", async ({ playground }) => {
  const question = "What is 2 + 3? Think first, then answer.";
  const options = ["--greedy", "--think-max", "48", "--max-new-tokens", "96", "--json", "--device", "software"];
  const args = ["scripts/r1.mjs", "generate", "--model", "public/models/tiny-random", "--prompt", question, ...options];
  const node = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  const { completions } = JSON.parse(node.stdout) as {
    completions: { think: string; answer: string; ids: number[] }[];
  };
  expect(completions[0]?.ids).toHaveLength(96);

  await playground.set({ Temperature: 0 });
  const turn = await playground.sendAndWait(question);
  await playground.thoughtToggle(turn).click();
  expect(await playground.thought(turn).textContent()).toBe(completions[0]?.think);
  await expect(turn.locator("section")).toContainText(completions[0]?.answer.trim() ?? "");
});

test("a question that is refused comes back to be changed, and the conversation stays", async ({ playground }) => {
  await playground.set({ "Think at most": 8, "Longest reply": 16 });
  const turn = await playground.sendAndWait("What is 2 + 3?");
  const long = "word ".repeat(3000).trim();
  await playground.question.fill(long);
  await playground.ask.click();
  await expect(playground.alert).toContainText(
    "longer than the context. Start a new conversation or shorten the question.",
  );
  await expect(playground.question).toHaveValue(long);
  await expect(playground.turns).toHaveCount(1);
  await expect(turn).toContainText("What is 2 + 3?");
  await playground.sendAndWait("And 3 + 4?");
  await expect(playground.alert).toHaveCount(0);
});

test("the page works by keyboard alone", async ({ playground }) => {
  const { page, question } = playground;
  await playground.set({ "Think at most": 8, "Longest reply": 16 });
  await question.fill("One line");
  await question.press("Shift+Enter");
  await page.keyboard.type("and another");
  await expect(question).toHaveValue("One line\nand another");
  await question.press("Enter");
  const turn = playground.turns.first();
  await expect(turn.getByText(/tokens\/s/)).toBeVisible();
  await expect(turn).toContainText("One line\nand another");
  await expect(question).toBeFocused();

  const toggle = playground.thoughtToggle(turn);
  // Back over what can be done with the reply.
  const isFocused = () => toggle.evaluate((element) => element === document.activeElement);
  for (let i = 0; i < 12 && !(await isFocused()); i++) await page.keyboard.press("Shift+Tab");
  await expect(toggle).toBeFocused();
  const outline = await toggle.evaluate((element) => getComputedStyle(element).outlineWidth);
  expect(Number.parseFloat(outline)).toBeGreaterThanOrEqual(2);
  await page.keyboard.press("Enter");
  await expect(playground.thought(turn)).toBeVisible();
  await page.keyboard.press("Space");
  await expect(playground.thought(turn)).toHaveCount(0);
});

test("what is written in a question or a reply stays text", async ({ playground }) => {
  await playground.set({ "Think at most": 8, "Longest reply": 16 });
  const markup = `<img src="x" onerror="document.title='broken'"> **bold** <script>1</script>`;
  const turn = await playground.sendAndWait(markup);
  await expect(turn).toContainText(markup);
  await expect(turn.locator("img, script, strong")).toHaveCount(0);
  await expect(playground.page).toHaveTitle("R1 Playground");
});

test("Japanese is one choice away, keeps the conversation and is remembered", async ({ playground }) => {
  const { page } = playground;
  await playground.set({ "Think at most": 8, "Longest reply": 16 });
  await playground.sendAndWait("What is 2 + 3?");
  await playground.choose("Language", "ja");
  await expect(page.locator("html")).toHaveAttribute("lang", "ja");
  await expect(page.getByRole("button", { name: "質問する" })).toBeVisible();
  await expect(playground.turns.first()).toContainText(/思考時間 [\d.]+ 秒 · 9 トークン/);
  await expect(playground.turns.first()).toContainText("What is 2 + 3?");
  const other = await page.context().newPage();
  await other.goto("/");
  await expect(other.locator("html")).toHaveAttribute("lang", "ja");
  await other.close();
  await page.getByRole("combobox", { name: "言語" }).selectOption("en");
  await expect(page.getByRole("button", { name: "Ask", exact: true })).toBeVisible();
});

for (const [width, height] of [
  [390, 844],
  [1024, 768],
  [1600, 1000],
] as const) {
  test(`nothing is cut off at ${width} pixels`, async ({ playground }) => {
    const { page } = playground;
    await playground.set({ "Think at most": 8, "Longest reply": 16 });
    await page.setViewportSize({ width, height });
    await playground.sendAndWait("A-very-long-word-that-cannot-be-broken-anywhere-".repeat(6));
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await expect(playground.ask).toBeInViewport();
    const panel = page.getByRole("button", { name: /^Model and settings/ });
    if (width < 768) {
      await expect(page.getByRole("button", { name: /^Settings/ })).toBeHidden();
      await panel.click();
      await expect(page.getByRole("button", { name: /^Settings/ })).toBeVisible();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      await panel.click();
    } else {
      await expect(panel).toBeHidden();
    }
  });
}
