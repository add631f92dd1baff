import { expect, test } from "@playwright/test";
import type { Locator, Page, Worker } from "@playwright/test";
import { killGpuProcess, SURVIVING_LOSSES, withBrowser } from "./support/browser.ts";
import { LOAD_TIMEOUT_MS, Playground } from "./support/playground.ts";

function engineOf(page: Page): Worker {
  const worker = page.workers().find((one) => /\/worker-/.test(one.url()));
  if (!worker) throw new Error("the page has no engine");
  return worker;
}

/** A page whose model is in the middle of a long reply. */
async function inMidReply(page: Page): Promise<{ playground: Playground; turn: Locator; thought: Locator }> {
  const playground = new Playground(page);
  await playground.open();
  await playground.set({ "Think at most": 0, "Longest reply": 4000 });
  const turn = await playground.send("Count to a thousand.");
  const thought = playground.thought(turn);
  await longerThan(thought, 40);
  return { playground, turn, thought };
}

/** Makes the engine's worker fail in a way that nothing in it catches. */
async function breakWorker(page: Page): Promise<void> {
  await engineOf(page).evaluate(() => {
    setTimeout(() => {
      throw new Error("broken by the test");
    });
  });
}

/** Ends the engine's worker without a word, as a browser does that needs its memory. */
async function endWorker(page: Page): Promise<void> {
  const worker = page.workers().find((one) => /\/worker-/.test(one.url()));
  if (!worker) throw new Error("the page has no engine");
  // The answer to this never comes.
  void worker.evaluate(() => self.close()).catch(() => undefined);
}

async function loadAgain({ page, alert }: Playground): Promise<void> {
  await page.getByRole("button", { name: "Load again" }).click();
  await expect(alert).toHaveCount(0);
  await expect(page.getByRole("listitem").filter({ hasText: "tiny-random" })).toContainText("Loaded", {
    timeout: LOAD_TIMEOUT_MS,
  });
}

async function longerThan(text: Locator, length: number): Promise<string> {
  await expect
    .poll(async () => (await text.textContent())?.length, { timeout: LOAD_TIMEOUT_MS })
    .toBeGreaterThan(length);
  return (await text.textContent()) ?? "";
}

test("after a lost device the reply goes on; after another, and a broken worker, the text stays", async () => {
  test.setTimeout(6 * LOAD_TIMEOUT_MS);
  await withBrowser(
    (args) => [...args, ...SURVIVING_LOSSES],
    async (browser, page) => {
      const { playground, turn, thought } = await inMidReply(page);

      await killGpuProcess(browser);
      await expect(page.getByText("What was written is kept; the model is being loaded again.")).toBeVisible();
      await expect(turn.getByText("stopped; what was written is kept")).toBeVisible();
      const first = (await thought.textContent()) ?? "";
      await turn.getByRole("button", { name: "Go on with the reply" }).click({ timeout: LOAD_TIMEOUT_MS });
      const longer = await longerThan(thought, first.length + 40);
      expect(longer.startsWith(first.trimEnd())).toBe(true);

      await killGpuProcess(browser);
      await expect(playground.alert).toContainText("The graphics device was lost. Load the model again to go on");
      const kept = (await thought.textContent()) ?? "";
      expect(kept.length).toBeGreaterThan(first.length + 40);
      await expect(playground.ask).toBeDisabled();
      await loadAgain(playground);
      await playground.set({ "Think at most": 8, "Longest reply": 16 });
      await playground.sendAndWait("Are you there?");

      await breakWorker(page);
      await expect(playground.alert).toContainText("The engine stopped. Load the model again to go on");
      await loadAgain(playground);
      await playground.sendAndWait("And now?");
      expect(await thought.textContent()).toBe(kept);
      await expect(playground.turns).toHaveCount(3);
    },
  );
});

/** Without ONNX Runtime's file the processor cannot take the device's place. */
async function withoutOnnxRuntime(page: Page): Promise<void> {
  await page.route("**/*.wasm", (route) => route.abort());
}

test("without an adapter and the processor's runtime the page says what to do", async () => {
  // Without being told to trust it, the browser does not hand its software renderer to pages.
  await withBrowser(
    () => ["--no-sandbox", "--use-webgpu-adapter=swiftshader"],
    async (_, page) => {
      await withoutOnnxRuntime(page);
      await page.goto("/");
      const { alert, ask } = new Playground(page);
      await expect(alert).toContainText("No graphics device can be used. Turn on hardware acceleration");
      await expect(ask).toBeDisabled();
      await expect(page.getByRole("button", { name: "Load: tiny-random" })).toBeEnabled();
    },
  );
});

test("without WebGPU and the processor's runtime the page says what to do", async () => {
  const { baseURL = "" } = test.info().project.use;
  // Browsers keep WebGPU from pages that come over plain http from another machine.
  const elsewhere = new URL(baseURL);
  elsewhere.hostname = "192.0.2.1";
  await withBrowser(
    (args) => [...args, "--host-resolver-rules=MAP 192.0.2.1 localhost"],
    async (_, page) => {
      await withoutOnnxRuntime(page);
      await page.goto(elsewhere.href);
      const { alert } = new Playground(page);
      await expect(alert).toContainText("This page has no access to WebGPU. Use a recent Chrome");
      await page.getByRole("combobox", { name: "Language" }).selectOption("ja");
      await expect(alert).toContainText("このページでは WebGPU を使えません。");
    },
  );
});

test("a worker that ends without an error is noticed, and its model comes back", async ({ page }) => {
  test.setTimeout(4 * LOAD_TIMEOUT_MS);
  const { playground, turn, thought } = await inMidReply(page);
  await endWorker(page);
  await expect(page.getByText("What was written is kept; the model is being loaded again.")).toBeVisible();
  const kept = (await thought.textContent()) ?? "";
  await turn.getByRole("button", { name: "Go on with the reply" }).click({ timeout: LOAD_TIMEOUT_MS });
  expect((await longerThan(thought, kept.length + 20)).startsWith(kept.trimEnd())).toBe(true);
  // Once more before a reply has come to its end: that is left to the reader.
  await endWorker(page);
  await expect(playground.alert).toContainText("The engine stopped. Load the model again to go on");
});
