import { chromium, expect, test } from "@playwright/test";
import type { Browser, Page } from "@playwright/test";
import { LOAD_TIMEOUT_MS, Playground } from "./support/playground.ts";

/** A browser of this test's own, whose graphics process it may end. */
async function withBrowser(
  changeArgs: (args: readonly string[]) => readonly string[],
  use: (browser: Browser, page: Page) => Promise<void>,
): Promise<void> {
  const { launchOptions = {}, baseURL } = test.info().project.use;
  const browser = await chromium.launch({ ...launchOptions, args: [...changeArgs(launchOptions.args ?? [])] });
  try {
    const context = await browser.newContext({ ...(baseURL ? { baseURL } : {}), locale: "en-US" });
    await use(browser, await context.newPage());
  } finally {
    await browser.close();
  }
}

async function killGpuProcess(browser: Browser): Promise<void> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const gpu = processInfo.find(({ type }) => type === "GPU");
  if (!gpu) throw new Error("the browser has no graphics process");
  process.kill(gpu.id, "SIGKILL");
  await session.detach();
}

/** Makes the engine's worker fail in a way that nothing in it catches. */
async function breakWorker(page: Page): Promise<void> {
  const worker = page.workers().find((one) => /\/worker-/.test(one.url()));
  if (!worker) throw new Error("the page has no engine");
  await worker.evaluate(() => {
    setTimeout(() => {
      throw new Error("broken by the test");
    });
  });
}

async function loadAgain({ page, alert }: Playground): Promise<void> {
  await page.getByRole("button", { name: "Load again" }).click();
  await expect(alert).toHaveCount(0);
  await expect(page.getByRole("listitem").filter({ hasText: "tiny-random" })).toContainText("Loaded", {
    timeout: LOAD_TIMEOUT_MS,
  });
}

test("a lost device, and then a broken worker, keep the text, offer the model again and go on", async () => {
  test.setTimeout(5 * LOAD_TIMEOUT_MS);
  // Otherwise the browser gives a page no device after its second loss.
  const flags = ["--disable-gpu-process-crash-limit", "--disable-domain-blocking-for-3d-apis"];
  await withBrowser(
    (args) => [...args, ...flags],
    async (browser, page) => {
      const playground = new Playground(page);
      await playground.open();
      await playground.set({ "Think at most": 0, "Longest reply": 4000 });
      const turn = await playground.send("Count to a thousand.");
      const thought = playground.thought(turn);
      await expect.poll(async () => (await thought.textContent())?.length).toBeGreaterThan(40);
      await killGpuProcess(browser);

      await expect(playground.alert).toContainText("The graphics device was lost. Load the model again to go on");
      const kept = (await thought.textContent()) ?? "";
      expect(kept.length).toBeGreaterThan(40);
      await expect(turn.getByText("stopped; what was written is kept")).toBeVisible();
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
