import { chromium, test } from "@playwright/test";
import type { Browser, Page } from "@playwright/test";

/** Otherwise the browser gives a page no device after its second loss. */
export const SURVIVING_LOSSES = ["--disable-gpu-process-crash-limit", "--disable-domain-blocking-for-3d-apis"];

/** A browser of this test's own, whose graphics process it may end. */
export async function withBrowser(
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

export async function killGpuProcess(browser: Browser): Promise<void> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const gpu = processInfo.find(({ type }) => type === "GPU");
  if (!gpu) throw new Error("the browser has no graphics process");
  process.kill(gpu.id, "SIGKILL");
  await session.detach();
}
