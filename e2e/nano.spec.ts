import { expect, test } from "@playwright/test";
import { LOAD_TIMEOUT_MS, Playground } from "./support/playground.ts";

/** What an answer comes to, read from left to right as the model was taught. */
function valueOf(answer: string): number {
  const [first = "", ...rest] = answer.match(/\d+|[+*-]/g) ?? [];
  return rest.reduce((sum, symbol, i) => {
    const number = Number(rest[i + 1]);
    if (symbol === "+") return sum + number;
    if (symbol === "-") return sum - number;
    return symbol === "*" ? sum * number : sum;
  }, Number(first));
}

test("a reader's first visit: the trained model loads by itself, thinks, answers right, and eight of it vote", async ({
  page,
}) => {
  test.setTimeout(3 * LOAD_TIMEOUT_MS);
  const playground = new Playground(page);
  // The processor would answer sooner than graphics in software; the kernels are what is tried here.
  await page.goto("/?runtime=webgpu");
  await playground.ready();
  const interactive = await page.evaluate(() => performance.now());
  await expect(page.getByRole("listitem").filter({ has: page.getByText("nano-r1", { exact: true }) })).toContainText(
    "Loaded",
  );
  await expect(playground.question).toHaveValue(/^make \d+ from/);

  const turn = await playground.send("make 30 from 6 4 6");
  await expect(playground.thought(turn)).toContainText(/\d/);
  const figures = await page.evaluate(() => [
    performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN,
    performance.now(),
  ]);
  const [paint = Number.NaN, thinks = Number.NaN] = figures;
  process.stdout.write(
    `from navigation: first contentful paint ${Math.round(paint)} ms, ready to ask ${Math.round(interactive)} ms, first think token ${Math.round(thinks)} ms\n`,
  );
  await expect(turn.getByText(/tokens\/s/)).toBeVisible();
  await expect(playground.thoughtToggle(turn)).toHaveText(/^Thought for/);
  const written = (await turn.textContent()) ?? "";
  const [answer = ""] = written.match(/\d+ [+*-] \d+ [+*-] \d+/) ?? [];
  expect(valueOf(answer), answer).toBe(30);

  // It was taught single questions, not conversations.
  await playground.clear.click();
  await playground.set({ Samples: 8 });
  const many = await playground.send("make 30 from 6 4 6");
  const vote = many.getByRole("region", { name: "Majority vote" });
  await expect(vote).toContainText("8/8 samples finished", { timeout: LOAD_TIMEOUT_MS });
  await expect(vote).toContainText(/cons@8✓ right/);
  expect(playground.complaints).toEqual([]);
});
