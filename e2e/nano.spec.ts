import { expect, test } from "@playwright/test";
import { LOAD_TIMEOUT_MS, Playground } from "./support/playground.ts";

test("a reader's first visit: the trained model loads by itself, thinks about its example and answers", async ({
  page,
}) => {
  test.setTimeout(LOAD_TIMEOUT_MS + 60_000);
  const playground = new Playground(page);
  await page.goto("/");
  await playground.ready();
  await expect(page.getByRole("listitem").filter({ hasText: "nano-r1" })).toContainText("Loaded");
  await expect(playground.question).toHaveValue(/^make \d+ from/);
  await playground.ask.click();
  const turn = playground.turns.first();
  await expect(turn.getByText(/tokens\/s/)).toBeVisible();
  await expect(playground.thoughtToggle(turn)).toHaveText(/^Thought for/);
  // Three numbers and two operators, whatever they come to.
  await expect(turn).toContainText(/\d+ [+*-] \d+ [+*-] \d+/);
  expect(playground.complaints).toEqual([]);
});
