import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { withFolder } from "./support/folders.ts";
import { expect, test } from "./support/test.ts";

/** What axe finds wrong, by rule, with the places. */
async function violations(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page }).analyze();
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(", ")}`);
}

type Look = readonly [language: "en" | "ja", theme: "light" | "dark"];

const EVERY_LOOK: readonly Look[] = [
  ["en", "light"],
  ["en", "dark"],
  ["ja", "light"],
  ["ja", "dark"],
];

async function checkLooks(page: Page, looks: readonly Look[]): Promise<void> {
  // Their labels change with the language, their place does not.
  const [languages, themes] = [page.getByRole("combobox").nth(0), page.getByRole("combobox").nth(1)];
  for (const [language, theme] of looks) {
    await languages.selectOption(language);
    await themes.selectOption(theme);
    expect(await violations(page), `${language}, ${theme}`).toEqual([]);
  }
}

test("axe finds nothing before the first question, with the settings open", async ({ playground }) => {
  await playground.page.getByRole("button", { name: /^Settings/ }).click();
  await checkLooks(playground.page, [
    ["en", "light"],
    ["ja", "dark"],
  ]);
});

test("axe finds nothing in a conversation with open thoughts and several samples", async ({ playground }) => {
  await playground.set({ "Think at most": 60, "Longest reply": 70 });
  const first = await playground.sendAndWait("What is 2 + 3?");
  await playground.thoughtToggle(first).click();
  await playground.set({ "Think at most": 60, "Longest reply": 60, Samples: 2 });
  await playground.sendAndWait("And 3 + 4?");
  await checkLooks(playground.page, EVERY_LOOK);
});

test("axe finds nothing in a failure", async ({ playground }) => {
  const { page, alert } = playground;
  await withFolder("broken", { "config.json": "{" }, async (folder) => {
    await page.getByLabel("Open a folder…").and(page.locator("input")).setInputFiles(folder);
    await expect(alert).toBeVisible();
    await alert.getByText("Details").click();
    await checkLooks(page, [
      ["en", "dark"],
      ["ja", "light"],
    ]);
  });
});

test("axe finds nothing on a phone, with the panel closed and open", async ({ playground }) => {
  const { page } = playground;
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await violations(page)).toEqual([]);
  const panel = page.getByRole("button", { name: /^Model and settings/ });
  await panel.click();
  expect(await violations(page)).toEqual([]);
  await panel.click();
});

test("nothing moves where the reader asks for that", async ({ playground }) => {
  const { page } = playground;
  await page.emulateMedia({ reducedMotion: "reduce" });
  await playground.set({ "Think at most": 0, "Longest reply": 4000 });
  const turn = await playground.send("Count to a thousand.");
  await expect(playground.thought(turn)).toBeVisible();
  const moving = await page.evaluate(
    () => document.getAnimations().filter(({ playState }) => playState === "running").length,
  );
  expect(moving).toBe(0);
  await playground.stop.click();
  await page.emulateMedia({ reducedMotion: null });
});

test("axe finds nothing in the lab, with a run, its settings and a completion open", async ({ playground }) => {
  // Axe looks at every dot and number of a run, five times.
  test.setTimeout(180_000);
  const { page } = playground;
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.getByRole("link", { name: "GRPO lab" }).click();
  await page.getByRole("button", { name: /^Algorithm/ }).click();
  await page.getByRole("button", { name: /^What is trained/ }).click();
  await page.getByRole("radio", { name: "LoRA adapter" }).check();
  await page.getByRole("list", { name: "The group" }).getByRole("button").first().click();
  await expect(page.getByRole("heading", { name: "Completion", exact: true })).toBeVisible();
  await checkLooks(page, EVERY_LOOK);
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await violations(page)).toEqual([]);
  await page.emulateMedia({ reducedMotion: null });
  await page.goBack();
  await playground.reset();
});

test("axe finds nothing on the models page, with what each form takes", async ({ playground }) => {
  const { page } = playground;
  await page.getByRole("link", { name: "Models", exact: true }).click();
  await expect(page.getByRole("listitem").filter({ hasText: "Q4_K_M" }).first()).toContainText(/Memory \d/);
  await checkLooks(page, EVERY_LOOK);
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await violations(page)).toEqual([]);
  await page.goBack();
  await playground.reset();
});

for (const view of ["chat", "trace", "grpo"]) {
  test(`axe finds nothing in a frame's ${view}`, async ({ page }) => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    for (const [language, theme] of EVERY_LOOK) {
      await page.goto(`/embed.html?v=1&view=${view}&lang=${language}&theme=${theme}`);
      await expect(page.getByText(/Recorded|recorded|記録/).first()).toBeVisible();
      expect(await violations(page), `${language}, ${theme}`).toEqual([]);
    }
  });
}
