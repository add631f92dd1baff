import { expect, test } from "@playwright/test";
import type { Page } from "@playwright/test";
import { LOAD_TIMEOUT_MS, Playground } from "./support/playground.ts";

test.use({ locale: "en-US" });

/** Loads the first built-in model as the address wants it and asks it something greedily. */
async function greedyReply(page: Page, runtime: string): Promise<string> {
  const playground = new Playground(page);
  await page.goto(`/?runtime=${runtime}`);
  await playground.ready();
  await playground.set({ Temperature: 0, "Longest reply": 32, "Think at most": 20, Samples: 1 });
  const turn = await playground.send("make 24 from 9 3 4");
  // ONNX Runtime compiles its kernels with the first question.
  await expect(turn.getByText(/tokens\/s/)).toBeVisible({ timeout: 2 * LOAD_TIMEOUT_MS });
  expect(playground.complaints).toEqual([]);
  if ((await playground.thought(turn).count()) === 0) await playground.thoughtToggle(turn).click();
  const thought = (await playground.thought(turn).textContent()) ?? "";
  const answer = (await turn.textContent()) ?? "";
  return `${thought} | ${/\d+ [+*-] \d+ [+*-] \d+/.exec(answer.replace(thought, ""))?.[0] ?? ""}`;
}

test("ONNX Runtime says what our kernels say, on the processor and on the graphics device", async ({
  browser,
  baseURL,
}) => {
  test.setTimeout(9 * LOAD_TIMEOUT_MS);
  const replies: string[] = [];
  for (const runtime of ["webgpu", "onnx-wasm", "onnx-webgpu"]) {
    const context = await browser.newContext({ ...(baseURL ? { baseURL } : {}), locale: "en-US" });
    replies.push(await greedyReply(await context.newPage(), runtime));
    await context.close();
  }
  const [ours, wasm, webgpu] = replies;
  expect(ours?.length).toBeGreaterThan(40);
  expect(wasm).toBe(ours);
  expect(webgpu).toBe(ours);
});

test("without WebGPU the built-in model answers on the processor, several samples too, and the page says so", async ({
  page,
}) => {
  test.setTimeout(3 * LOAD_TIMEOUT_MS);
  await page.addInitScript(() => delete (Navigator.prototype as { gpu?: unknown }).gpu);
  // The worker's own: only a browser without WebGPU lacks it there.
  await page.route("**/worker-*.js", async (route) => {
    const response = await route.fetch();
    const body = `Object.defineProperty(WorkerNavigator.prototype, "gpu", { get: () => undefined });\n${await response.text()}`;
    await route.fulfill({ response, body });
  });
  const wasm = page.waitForRequest(/ort-wasm-simd-threaded-[\w-]+\.wasm$/);
  const playground = new Playground(page);
  await page.goto("/");
  await playground.ready();
  await wasm;
  const item = page.getByRole("listitem").filter({ has: page.getByText("nano-r1", { exact: true }) });
  await expect(item).toContainText("No graphics device can be used here, so the model runs on the processor");
  await playground.set({ "Longest reply": 40, "Think at most": 24, Samples: 2 });
  const turn = await playground.send("make 24 from 9 3 4");
  await expect(turn.getByText(/tokens\/s/).first()).toBeVisible();
  await page.getByRole("combobox", { name: "Language" }).selectOption("ja");
  await expect(item).toContainText("グラフィックスデバイスを使えないため、CPU 上の WebAssembly で動いています。");
  expect(playground.complaints).toEqual([]);
});
