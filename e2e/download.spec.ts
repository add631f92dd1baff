import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import type { Page } from "@playwright/test";
import { startTestHub } from "../src/checkpoint/hub/node/test-hub.ts";
import type { TestHub } from "../src/checkpoint/hub/node/test-hub.ts";
import { ROOT } from "./support/folders.ts";
import { LOAD_TIMEOUT_MS, Playground } from "./support/playground.ts";
import { fillStorage } from "./support/storage.ts";

const NANO = join(ROOT, "public/models/nano-r1");
const files = Object.fromEntries(readdirSync(NANO).map((name) => [name, readFileSync(join(NANO, name))]));
const WEIGHTS = "model.safetensors";

let hub: TestHub;

test.afterEach(() => hub.close());

/** The models page, asking this machine's hub; without a built-in model that would have to be loaded first. */
async function openModels(page: Page): Promise<void> {
  await page.route("**/models/index.json", (route) => route.fulfill({ json: [] }));
  await page.goto(`/?hub=${encodeURIComponent(hub.endpoint)}#/models`);
  await expect(page.getByRole("heading", { name: "Storage" })).toBeVisible();
}

async function look(page: Page, address: string): Promise<void> {
  await page.getByRole("textbox", { name: "Repository" }).fill(address);
  await page.getByRole("button", { name: "Look" }).click();
}

function storedItem(page: Page) {
  return page.getByRole("region", { name: "Storage" }).getByRole("listitem");
}

test("a model is downloaded, goes on after a reload, is loaded, answers and is deleted", async ({ page }) => {
  test.setTimeout(240_000);
  // Eight seconds for the weights: time to leave in the middle.
  hub = await startTestHub(files, { repository: "r1/nano-r1", bytesPerSecond: 250_000 });
  const playground = new Playground(page);
  await openModels(page);
  await look(page, "r1/nano-r1");
  await page.getByRole("button", { name: `Download: ${WEIGHTS}` }).click();
  const card = page.getByRole("region", { name: "Downloads" });
  await expect(card).toContainText(/\/s · .* left · model\.safetensors/);
  await card.getByRole("button", { name: "Pause" }).click();
  await expect(card).toContainText("paused");
  await card.getByRole("button", { name: "Resume" }).click();
  await expect(card).toContainText("model.safetensors");

  await page.reload();
  await expect(storedItem(page)).toContainText(/r1\/nano-r1.* of 1\.9 MB/);
  const before = hub.requests.length;
  await storedItem(page)
    .getByRole("button", { name: /^Resume/ })
    .click();
  await expect(storedItem(page).getByRole("button", { name: /^Load/ })).toBeVisible({ timeout: 60_000 });
  // What was whole before was not asked for again.
  expect(hub.requests.slice(before).map(({ what }) => what)).not.toContain("config.json");

  await storedItem(page).getByRole("button", { name: /^Load/ }).click();
  await expect(page.getByRole("listitem").filter({ hasText: "r1--nano-r1" })).toContainText("Loaded", {
    timeout: 2 * LOAD_TIMEOUT_MS,
  });
  await playground.sendAndWait("Use 2, 3 and 4 to reach 20.");

  await page.getByRole("link", { name: "Models", exact: true }).click();
  await storedItem(page)
    .getByRole("button", { name: /^Delete/ })
    .click();
  await expect(page.getByText("Nothing is stored.")).toBeVisible();
  expect(playground.complaints).toEqual([]);
});

test("a part in storage is gone on with", async ({ page }) => {
  const large = {
    ...files,
    [WEIGHTS]: Buffer.concat(Array.from({ length: 12 }, () => files[WEIGHTS] ?? Buffer.alloc(0))),
  };
  hub = await startTestHub(large, { repository: "r1/large", bytesPerSecond: 3_000_000 });
  await openModels(page);
  await look(page, "r1/large");
  await page.getByRole("button", { name: `Download: ${WEIGHTS}` }).click();
  // Once the second range is asked for, the first is on disk or about to be.
  await expect.poll(() => hub.requests.filter(({ what }) => what === WEIGHTS).length).toBeGreaterThan(1);
  await expect(page.getByRole("region", { name: "Downloads" })).toContainText(/1\d\.?\d* MB of/);
  await page.reload();
  const before = hub.requests.length;
  await storedItem(page)
    .getByRole("button", { name: /^Resume/ })
    .click();
  await expect(storedItem(page).getByRole("button", { name: /^Load/ })).toBeVisible({ timeout: 60_000 });
  const [first] = hub.requests.slice(before).filter(({ what }) => what === WEIGHTS);
  expect(first?.range).toMatch(/^bytes=[1-9]\d+-/);
});

test("what goes wrong is said, with what to do", async ({ page }) => {
  let refuses = true;
  hub = await startTestHub(files, {
    repository: "r1/nano-r1",
    fault: ({ what }) => (refuses && what === WEIGHTS ? { status: 403 } : undefined),
  });
  await openModels(page);
  const alert = page.getByRole("alert");
  for (const [address, says] of [
    ["not a name", /Write it as owner\/name/],
    ["r1/absent", /no such repository/],
  ] as const) {
    await look(page, address);
    await expect(alert).toContainText(says);
    await alert.getByRole("button", { name: "Dismiss" }).click();
  }
  await look(page, "r1/nano-r1");
  await page.getByRole("button", { name: `Download: ${WEIGHTS}` }).click();
  await expect(alert).toContainText(/asks for permission.*access token/);
  await page.getByRole("button", { name: "Cancel and delete" }).click();
  await expect(page.getByText("Nothing is stored.")).toBeVisible();

  await fillStorage(page);
  refuses = false;
  await look(page, "r1/nano-r1");
  await page.getByRole("button", { name: `Download: ${WEIGHTS}` }).click();
  await expect(alert).toContainText("There is not enough room for the model. Delete models that you do not need");
});

test("what a model needs is told before its download; a form that fits is taken, and a full device proposes less", async ({
  page,
}) => {
  test.setTimeout(240_000);
  hub = await startTestHub(files, { repository: "r1/nano-r1" });
  // No software driver runs out of memory before the machine does: the device's word for it is put in its mouth.
  await page.route("**/worker-*.js", async (route) => {
    const response = await route.fetch();
    const patch = `Object.defineProperty(WorkerNavigator.prototype, "deviceMemory", { get: () => 2 });
      const pop = GPUDevice.prototype.popErrorScope; let full = false;
      new BroadcastChannel("full").onmessage = ({ data }) => void (full = data);
      GPUDevice.prototype.popErrorScope = function () {
        return pop.call(this).then((error) => (full ? new GPUOutOfMemoryError("full") : error));
      };\n`;
    await route.fulfill({ response, body: patch + (await response.text()) });
  });
  const playground = new Playground(page);
  await page.goto("/?runtime=webgpu#/models");
  const card = page.getByRole("article").filter({ hasText: "DeepSeek-R1-Distill-Qwen-1.5B" });
  const row = card.getByRole("listitem").filter({ hasText: "bf16 → q4" });
  await expect(row).toContainText(/Memory 1\.\d GB: weights 1 GB, cache 234\.9 MB for 4,096 tokens/);
  await expect(row).toContainText("Does not fit: it takes 1.3 GB; this machine has about 1.1 GB for it.");
  await row.getByRole("button", { name: /^q4 · [\d,]+ tokens/ }).click();
  await expect(row).toContainText("Fits.");
  await expect(card).toContainText("If the graphics device has the memory");

  const found = await new AxeBuilder({ page }).analyze();
  expect(found.violations.map(({ id }) => id)).toEqual([]);
  await page.getByRole("link", { name: "Playground", exact: true }).click();
  await playground.ready();
  const fill = (full: boolean) => page.evaluate((data) => new BroadcastChannel("full").postMessage(data), full);
  await fill(true);
  await playground.set({ Samples: 3, "Longest reply": 40 });
  await playground.send("make 24 from 9 3 4");
  const alert = page.getByRole("alert");
  await expect(alert).toContainText("The graphics memory is full", { timeout: LOAD_TIMEOUT_MS });
  await fill(false);
  await alert.getByRole("button", { name: "Load smaller: q8 · 256 tokens" }).click();
  await playground.ready();
  await playground.set({ Samples: 1 });
  await playground.sendAndWait("make 24 from 9 3 4");
  expect(playground.complaints).toEqual([]);
});
