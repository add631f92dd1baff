import { expect, test } from "@playwright/test";
import { LOAD_TIMEOUT_MS, Playground } from "./support/playground.ts";

test.use({ locale: "en-US" });

test("a link brings model, settings, question, language and theme, also a long question", async ({ page, context }) => {
  test.setTimeout(3 * LOAD_TIMEOUT_MS);
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const playground = new Playground(page);
  await playground.open();
  await playground.set({ Temperature: 0.35, Seed: 41, Samples: 2 });
  const long = "Why is the sky blue, and what does the sea have to do with it? ".repeat(8).trim();
  await playground.question.fill(long);
  await playground.choose("Theme", "dark");
  await page.getByRole("button", { name: "Share" }).click();
  await expect(page.getByRole("button", { name: "Link copied" })).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(new URL(link).hash).toMatch(/^#\/playground\?.*temperature=0\.35/);
  expect(link).toMatch(/[?&]s=/);

  const other = await page.context().newPage();
  await other.goto(link);
  const opened = new Playground(other);
  await opened.ready();
  await expect(opened.question).toHaveValue(long);
  await expect(other.locator("html")).toHaveAttribute("data-theme", "dark");
  await other.getByRole("button", { name: /^Settings/ }).click();
  await expect(other.getByRole("spinbutton", { name: "Temperature" })).toHaveValue("0.35");
  await expect(other.getByRole("spinbutton", { name: "Seed" })).toHaveValue("41");
  expect(opened.complaints).toEqual([]);
});

test("a link that is damaged says so, and the page is as usual", async ({ page }) => {
  await page.goto("/#/playground?s=AAAA&seed=many&model=https://evil.example/");
  await expect(page.getByRole("alert").filter({ hasText: "The link is damaged" })).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Question" })).toBeVisible();
  await page.goto("/#/playground?seed=many&temperature=0.4");
  await expect(page.getByRole("alert").filter({ hasText: "cannot be used here" })).toContainText("seed");
});

test("where copying is refused the link stands ready to be copied by hand", async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(navigator, "clipboard", { value: { writeText: () => Promise.reject(new Error("no")) } });
  });
  await page.goto("/");
  await page.getByRole("button", { name: "Share" }).click();
  await expect(page.getByRole("dialog").getByRole("textbox")).toHaveValue(/#\/playground\?/);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("the snippet to embed holds the page's state", async ({ page }) => {
  await page.goto("/#/playground?seed=77&lang=en");
  await page.getByRole("button", { name: "Embed" }).click();
  const dialog = page.getByRole("dialog", { name: "Embed this" });
  await expect(dialog.getByRole("textbox", { name: "HTML" })).toHaveValue(/embed\.html\?v=1&amp;view=chat.*seed=77/);
  await dialog.getByRole("combobox", { name: "What it shows" }).selectOption("grpo");
  await expect(dialog.getByRole("textbox", { name: "HTML" })).toHaveValue(/view=grpo/);
});
