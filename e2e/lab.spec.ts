import { expect, test } from "@playwright/test";
import type { Page } from "@playwright/test";
import { LOAD_TIMEOUT_MS } from "./support/playground.ts";

/** The page with the model of random weights, which is small and comes with every build. */
async function openLab(page: Page): Promise<void> {
  await page.goto("/#/lab");
  await expect(page.getByRole("button", { name: "Start training" })).toBeEnabled();
}

/** Opens a fold of the form unless it is open. */
async function unfold(page: Page, name: RegExp): Promise<void> {
  const fold = page.getByRole("button", { name });
  if ((await fold.getAttribute("aria-expanded")) === "false") await fold.click();
}

/** A run that a software renderer can take: a few short completions, a checkpoint after every step. */
async function fillTinyRun(page: Page): Promise<void> {
  await page.getByRole("combobox", { name: "Starting model" }).selectOption("models/tiny-random");
  await unfold(page, /^Algorithm/);
  await page.getByRole("radio", { name: "Dr. GRPO" }).check();
  await unfold(page, /^Sampling a group/);
  await unfold(page, /^Length of the run/);
  const values = {
    "Prompts per step": 2,
    "Group size": 2,
    "Longest completion": 8,
    Steps: 200,
    "Evaluate every": 0,
    "Checkpoint every": 1,
  };
  for (const [label, value] of Object.entries(values)) {
    await page.getByRole("textbox", { name: new RegExp(`^${label}( |$)`) }).fill(String(value));
  }
}

async function stepOf(page: Page): Promise<number> {
  const text =
    (await page
      .getByText(/Step \d+ \/ 200 .*checkpoint/)
      .first()
      .textContent()) ?? "";
  return Number(/Step (\d+)/.exec(text)?.[1]);
}

test("a run starts, pauses, survives a reload, goes on from its checkpoint, stops and can be deleted", async ({
  page,
}) => {
  test.setTimeout(4 * LOAD_TIMEOUT_MS);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  await openLab(page);
  await fillTinyRun(page);

  await test.step("a wrong value is marked with what is expected, and cannot be started", async () => {
    const group = page.getByRole("textbox", { name: /^Group size/ });
    await group.fill("1");
    await expect(group).toHaveAttribute("aria-invalid", "true");
    await expect(page.getByText("Expected a whole number from 2 to 1024.").first()).toBeVisible();
    await expect(page.getByRole("button", { name: "Start training" })).toBeDisabled();
    await group.fill("2");
  });

  await page.getByRole("button", { name: "Start training" }).click();
  const run = page.getByRole("region", { name: "Run", exact: true });
  await expect(run.getByRole("status").filter({ hasText: /^Training$/ })).toBeVisible({ timeout: 2 * LOAD_TIMEOUT_MS });
  await expect.poll(() => stepOf(page)).toBeGreaterThan(1);

  await page.getByRole("button", { name: "Pause" }).click();
  await expect(run.getByText("Paused", { exact: true })).toBeVisible();
  const paused = await stepOf(page);
  await page.getByRole("button", { name: "Step", exact: true }).click();
  await expect.poll(() => stepOf(page)).toBe(paused + 1);
  await expect(run.getByText("Paused", { exact: true })).toBeVisible();

  await page.reload();
  await page.getByRole("button", { name: /^Show: Dr\. GRPO/ }).click();
  // The last step's checkpoint was not made while the run was held.
  await expect(run.getByText(/checkpoint at step \d+/)).toBeVisible();
  await run.getByRole("button", { name: "Resume" }).click();
  await expect(run.getByRole("status").filter({ hasText: /^Training$/ })).toBeVisible({ timeout: 2 * LOAD_TIMEOUT_MS });
  await expect.poll(() => stepOf(page)).toBeGreaterThan(paused + 1);
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await expect(run.getByText("Stopped", { exact: true })).toBeVisible();
  await expect(page.getByRole("alert")).toHaveCount(0);

  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download model" }).click();
  expect((await download).suggestedFilename()).toBe("Dr.-GRPO-Countdown.tar");

  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Yes, delete" }).click();
  await expect(page.getByText("Runs that you train are kept here")).toBeVisible();
  expect(complaints).toEqual([]);
});

test("a damaged run is said, and can be deleted", async ({ page }) => {
  await openLab(page);
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.open("r1-playground-runs");
        request.addEventListener("error", () => reject(new Error("no database")));
        request.addEventListener("success", () => {
          const transaction = request.result.transaction("runs", "readwrite");
          transaction.objectStore("runs").put({ id: "broken", name: 7 });
          transaction.addEventListener("complete", () => {
            request.result.close();
            resolve();
          });
        });
      }),
  );
  await page.reload();
  const item = page.getByRole("listitem").filter({ hasText: "A kept run is damaged" });
  await expect(item).toBeVisible();
  await item.getByRole("button", { name: "Delete" }).click();
  await expect(item).toHaveCount(0);
});

test("a recorded run is shown, marked and played again before anything is started", async ({ page }) => {
  const config = { model: "m", task: "countdown", max_steps: 30 };
  const header = {
    kind: "grpo",
    version: "1",
    started: "2026-11-24T12:00:00Z",
    seed: 0,
    max_steps: 30,
    device: {},
    config,
  };
  const steps = Array.from({ length: 30 }, (_, i) => `${JSON.stringify({ step: i + 1, reward: i / 30, loss: 0 })}\n`);
  const entry = { name: "r", title: { en: "A record", ja: "記録" }, steps: 30, bytes: 1, logs: ["metrics.jsonl"] };
  await page.route("**/runs/index.json", (route) => route.fulfill({ json: [entry] }));
  await page.route("**/runs/r/run.json", (route) => route.fulfill({ json: header }));
  await page.route("**/runs/r/metrics.jsonl", (route) => route.fulfill({ body: steps.join("") }));
  await page.emulateMedia({ reducedMotion: "reduce" });
  await openLab(page);
  const run = page.getByRole("region", { name: "Run", exact: true });
  await expect(run.getByRole("heading", { level: 2 }).first()).toContainText("recorded");
  const replay = run.getByRole("group", { name: "Replay" });
  const position = replay.getByRole("slider", { name: "Step shown" });
  await expect(position).toHaveValue("30");
  await position.fill("5");
  await expect(replay).toContainText("5 / 30");
  await replay.getByRole("button", { name: "Play" }).click();
  await expect(replay.getByRole("button", { name: "Hold" })).toBeVisible();
  await expect(position).toHaveValue("30");
  await run.getByRole("button", { name: "Before and after" }).click();
  await expect(run.getByText("A recorded run has no weights here.")).toBeVisible();
});
