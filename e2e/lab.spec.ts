import { readFile } from "node:fs/promises";
import { expect, test } from "@playwright/test";
import type { Browser, Download, Locator, Page } from "@playwright/test";
import { killGpuProcess, SURVIVING_LOSSES, withBrowser } from "./support/browser.ts";
import { LOAD_TIMEOUT_MS } from "./support/playground.ts";
import { fillStorage } from "./support/storage.ts";

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
  await unfold(page, /^KL to the reference/);
  await unfold(page, /^Sampling a group/);
  await unfold(page, /^Length of the run/);
  const values = {
    "Prompts per step": 2,
    "Group size": 2,
    "Longest completion": 8,
    Steps: 200,
    "Evaluate every": 0,
    "Checkpoint every": 1,
    "KL weight": 0.04,
  };
  for (const [label, value] of Object.entries(values)) {
    await page.getByRole("textbox", { name: new RegExp(`^${label}( |$)`) }).fill(String(value));
  }
}

/** The step of a run that is held: what is shown follows what has happened a few times a second. */
async function heldStepOf(page: Page): Promise<number> {
  await page.waitForTimeout(500);
  return stepOf(page);
}

/** The newest step and the number of steps in a chart's table. */
async function pointsOf(page: Page, title: string): Promise<number> {
  const chart = page.getByRole("figure", { name: title, exact: true });
  const table = chart.getByRole("table");
  if (!(await table.isVisible())) await chart.getByText("Show as table").click();
  return table.getByRole("rowheader").count();
}

async function savedBy(page: Page, button: Locator): Promise<Download> {
  const download = page.waitForEvent("download");
  await button.click();
  return download;
}

async function textOf(download: Download): Promise<string> {
  return readFile(await download.path(), "utf8");
}

/** What can be taken away from a run of so many steps. */
async function checkExports(page: Page, steps: number): Promise<void> {
  const csv = await textOf(await savedBy(page, page.getByRole("button", { name: "Metrics as CSV" })));
  const [head = "", ...rows] = csv.trim().split(/\r?\n/);
  expect(head.split(",")).toEqual(expect.arrayContaining(["step", "reward", "kl"]));
  expect(rows).toHaveLength(steps);
  const metrics = await textOf(await savedBy(page, page.getByRole("button", { name: "Metrics as JSONL" })));
  expect(
    metrics
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { step: number }).step),
  ).toHaveLength(steps);
  const completions = await textOf(await savedBy(page, page.getByRole("button", { name: "Completions as JSONL" })));
  expect(completions.trim().split("\n")).toHaveLength(steps * 4);
  const png = await savedBy(page, page.getByRole("button", { name: "Save as PNG: Advantages" }));
  const bytes = await readFile(await png.path());
  expect(bytes.subarray(1, 4).toString()).toBe("PNG");
}

/** A second tab, without a model of its own, which would take the software renderer from the run. */
async function checkOtherTab(page: Page): Promise<void> {
  const other = await page.context().newPage();
  await other.route("**/models/index.json", (route) => route.fulfill({ json: [] }));
  await other.goto("/#/lab");
  await other.getByRole("button", { name: /^Show: Dr\. GRPO/ }).click();
  await expect(other.getByText("Another tab is training, so this one only reads.")).toBeVisible();
  await expect(other.getByRole("button", { name: "Delete" })).toBeDisabled();
  await other.close();
}

async function stepOf(page: Page): Promise<number> {
  const text =
    (await page
      .getByText(/Step \d+ \/ 200 .*checkpoint/)
      .first()
      .textContent()) ?? "";
  return Number(/Step (\d+)/.exec(text)?.[1]);
}

test("a run starts, pauses, survives a reload and a lost device, stops and can be deleted", () =>
  withBrowser((args) => [...args, ...SURVIVING_LOSSES], runThroughEverything));

async function runThroughEverything(browser: Browser, page: Page): Promise<void> {
  test.setTimeout(6 * LOAD_TIMEOUT_MS);
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
  const paused = await heldStepOf(page);
  await page.getByRole("button", { name: "Step", exact: true }).click();
  await expect.poll(() => stepOf(page)).toBe(paused + 1);
  await expect(run.getByText("Paused", { exact: true })).toBeVisible();
  expect(await heldStepOf(page)).toBe(paused + 1);

  await test.step("the charts have a point for every step, and give them away", async () => {
    // A table is drawn once it is open.
    for (const title of ["KL divergence", "Reward"]) await expect.poll(() => pointsOf(page, title)).toBe(paused + 1);
    await expect(page.getByRole("slider", { name: /^Advantages/ })).toHaveAttribute("aria-valuemax", `${paused + 1}`);
    await checkExports(page, paused + 1);
  });

  await test.step("a completion is read token by token", async () => {
    await page.getByRole("list", { name: "The group" }).getByRole("button").first().click();
    // A token that is a part of a character is shown by its number.
    const tokens = page.getByRole("listbox", { name: "Tokens" }).getByRole("option");
    await expect(tokens.filter({ hasNotText: /^#\d+$/ }).first()).toBeVisible();
    await page.keyboard.press("Escape");
  });

  await test.step("another tab sees that this one trains", () => checkOtherTab(page));

  await page.reload();
  await page.getByRole("button", { name: /^Show: Dr\. GRPO/ }).click();
  // The last step's checkpoint was not made while the run was held.
  await expect(run.getByText(/checkpoint at step \d+/)).toBeVisible();
  await run.getByRole("button", { name: "Resume" }).click();
  await expect(run.getByRole("status").filter({ hasText: /^Training$/ })).toBeVisible({ timeout: 2 * LOAD_TIMEOUT_MS });
  await expect.poll(() => stepOf(page)).toBeGreaterThan(paused + 1);

  await test.step("a lost device ends the run and loses nothing; it goes on from its checkpoint", async () => {
    const before = await stepOf(page);
    await killGpuProcess(browser);
    await expect(page.getByRole("alert")).toContainText("The graphics device was lost");
    await expect(run.getByText("Stopped", { exact: true })).toBeVisible();
    expect(await stepOf(page)).toBeGreaterThanOrEqual(before);
    await page.getByRole("alert").getByRole("button", { name: "Resume" }).click();
    const training = run.getByRole("status").filter({ hasText: /^Training$/ });
    await expect(training).toBeVisible({ timeout: 2 * LOAD_TIMEOUT_MS });
    await expect.poll(() => stepOf(page)).toBeGreaterThan(before);
  });

  await test.step("with the storage full the run goes on, and says that it is not saved", async () => {
    await fillStorage(page);
    await expect(page.getByText("this run goes on in memory and is not saved")).toBeVisible();
    const before = await stepOf(page);
    await expect.poll(() => stepOf(page)).toBeGreaterThan(before);
  });

  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await expect(run.getByText("Stopped", { exact: true })).toBeVisible();
  await expect(page.getByRole("alert")).toHaveCount(0);

  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download model" }).click();
  expect((await download).suggestedFilename()).toBe("Dr.-GRPO-Countdown.tar");

  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Yes, delete" }).click();
  await expect(page.getByText("Runs that you train are kept here")).toBeVisible();
  await test.step("an adapter is trained for a step, and answers in the playground", () => trainAdapter(page));
  expect(complaints).toEqual([]);
}

/** On the page and the device of the run before, which has compiled most kernels. */
async function trainAdapter(page: Page): Promise<void> {
  await fillTinyRun(page);
  await page.getByRole("textbox", { name: /^Steps( |$)/ }).fill("1");
  await unfold(page, /^What is trained/);
  await page.getByRole("radio", { name: "LoRA adapter" }).check();
  await page.getByRole("textbox", { name: /^Rank/ }).fill("4");
  await expect(page.getByText(/^Graphics memory/)).toContainText(/MB.* about /, { timeout: LOAD_TIMEOUT_MS });
  await page.getByRole("button", { name: "Start training" }).click();
  const run = page.getByRole("region", { name: "Run", exact: true });
  await expect(run.getByText("Finished", { exact: true })).toBeVisible({ timeout: LOAD_TIMEOUT_MS });
  await expect(run.getByText(/LoRA r 4, α 32/)).toBeVisible();
  await expect(page.getByRole("button", { name: "Download merged model" })).toBeEnabled();
  await page.getByRole("button", { name: "Use in the playground" }).click();
  const ask = page.getByRole("button", { name: "Ask", exact: true });
  await page.getByRole("textbox", { name: "Question" }).fill("Hello");
  await expect(ask).toBeEnabled({ timeout: LOAD_TIMEOUT_MS });
  await ask.click();
  await expect(page.getByRole("article").last()).toContainText(/tokens/, { timeout: LOAD_TIMEOUT_MS });
}

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

test("a run to which no reward applies says so, in both languages", async ({ page }) => {
  test.setTimeout(2 * LOAD_TIMEOUT_MS);
  await openLab(page);
  await fillTinyRun(page);
  await unfold(page, /^Rewards/);
  // Countdown names no language that a thought could keep to.
  await page.getByRole("checkbox", { name: "Language consistency" }).check();
  for (const name of ["Accuracy", "Format"]) await page.getByRole("checkbox", { name, exact: true }).uncheck();
  await page.getByRole("button", { name: "Start training" }).click();
  const warnings = page.getByRole("region", { name: "Warnings" });
  await expect(warnings).toContainText("No reward applies to some completions", { timeout: LOAD_TIMEOUT_MS });
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByRole("combobox", { name: "Language" }).selectOption("ja");
  await expect(page.getByRole("region", { name: "警告" })).toContainText("どの報酬も当てはまらない生成結果があり");
});

/** A kept run with two checkpoints, the newer of which has a flipped bit. */
async function keepDamagedCheckpoint(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const opening = indexedDB.open("r1-playground-runs");
      opening.addEventListener("success", () => resolve(opening.result));
      opening.addEventListener("error", () => reject(opening.error ?? new Error("closed")));
    });
    const bytes = (text: string) => new TextEncoder().encode(text);
    const checkpoint = async (step: number, weights: string) => {
      const files: Record<string, Uint8Array<ArrayBuffer>> = {
        "model.safetensors": bytes(weights),
        "trainer_state.json": bytes(JSON.stringify({ global_step: step })),
      };
      const sums: Record<string, string> = {};
      for (const [name, file] of Object.entries(files)) {
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", file));
        sums[name] = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
      }
      return { files, sums };
    };
    const newest = await checkpoint(40, "newer weights");
    newest.files["model.safetensors"] = bytes("newer weighty");
    const before = await checkpoint(20, "older weights");
    const config = { model: "models/nano-r1", task: "countdown", max_steps: 90 };
    const started = "2026-01-02T03:04:05.000Z";
    const header = { kind: "grpo", version: "0.1.0", started, seed: 1, max_steps: 90, device: {}, config };
    const transaction = database.transaction(["runs", "checkpoints"], "readwrite");
    const row = { id: "kept", name: "A kept run", header: JSON.stringify(header), step: 0, checkpointStep: 40 };
    transaction.objectStore("runs").put(row);
    transaction.objectStore("checkpoints").put(newest, "kept");
    transaction.objectStore("checkpoints").put(before, "before/kept");
    await new Promise<void>((resolve) => transaction.addEventListener("complete", () => resolve()));
    database.close();
  });
}

test("a damaged checkpoint is named, and the one before it takes its place", async ({ page }, info) => {
  await page.route("**/models/index.json", (route) => route.fulfill({ json: [] }));
  await page.goto("/#/lab");
  await expect(page.getByText("Runs that you train are kept here")).toBeVisible();
  await keepDamagedCheckpoint(page);
  await page.reload();
  await page.getByRole("button", { name: "Show: A kept run" }).click();
  await page.getByRole("button", { name: "Download model" }).click();
  const alert = page.getByRole("alert");
  await expect(alert).toContainText("The kept checkpoint of this run is damaged");
  await alert.getByText("Details").click();
  await expect(alert).toContainText("checkpoint of step 40: model.safetensors is not as it was written");
  await page.screenshot({ path: info.outputPath("damaged-en.png") });
  await page.getByRole("button", { name: "Use the checkpoint of step 20" }).click();
  await expect(alert).toHaveCount(0);
  const download = await savedBy(page, page.getByRole("button", { name: "Download model" }));
  expect(await readFile(await download.path(), "latin1")).toContain("older weights");
});

test("a click on start right after the lab has opened starts a run", async ({ browser, baseURL }) => {
  test.setTimeout(4 * LOAD_TIMEOUT_MS);
  // Each time a fresh profile, whose storage takes long to be opened.
  for (let time = 0; time < 3; time++) {
    const context = await browser.newContext({ baseURL: baseURL ?? "", locale: "en-US", serviceWorkers: "block" });
    const page = await context.newPage();
    await page.goto("/#/lab");
    const start = page.getByRole("button", { name: "Start training" });
    await start.click();
    // Before the device is open, too.
    const stop = page.getByRole("button", { name: "Stop", exact: true });
    await expect(stop).toBeVisible({ timeout: 2000 });
    if (time === 2) {
      await stop.click();
      await expect(start).toBeEnabled({ timeout: LOAD_TIMEOUT_MS });
      await context.close();
      continue;
    }
    await expect(page.getByText(/^(?:Preparing: reading|Waiting for the playground|Training$)/).first()).toBeVisible();
    await page.waitForTimeout(500);
    await expect(page.getByText("Another tab is training")).toHaveCount(0);
    await expect(stop).toBeVisible();
    await context.close();
  }
});
