import { expect, test } from "@playwright/test";
import type { Locator } from "@playwright/test";
import { LOAD_TIMEOUT_MS, Playground } from "./support/playground.ts";

test.use({ locale: "en-US" });

/** What a turn's only reply says: its thought, and the sum in its answer. */
async function replyOf(playground: Playground, turn: Locator): Promise<string> {
  if ((await playground.thought(turn).count()) === 0) await playground.thoughtToggle(turn).click();
  const thought = (await playground.thought(turn).textContent()) ?? "";
  const answer = (await turn.textContent()) ?? "";
  return `${thought} | ${/\d+ [+*-] \d+ [+*-] \d+/.exec(answer.replace(thought, ""))?.[0] ?? ""}`;
}

/** What a reader does with a conversation, greedily: three turns, a retry, an edit, several samples, a new conversation. */
async function converse(playground: Playground): Promise<string[]> {
  const { page, turns } = playground;
  const said: string[] = [];
  const answered = async (turn: Locator): Promise<void> => {
    // ONNX Runtime compiles its kernels with the first questions of their kind.
    await expect(turn.getByText(/tokens\/s/).first()).toBeVisible({ timeout: 2 * LOAD_TIMEOUT_MS });
    await expect(playground.ask).toBeVisible();
    await expect(playground.alert).toHaveCount(0);
  };
  const ask = async (question: string): Promise<void> => {
    const turn = await playground.send(question);
    await answered(turn);
    said.push(await replyOf(playground, turn));
  };
  await playground.set({ Temperature: 0, "Longest reply": 22, "Think at most": 10, Samples: 1 });
  await ask("make 24 from 9 3 4");
  await ask("make 10 from 2 3 5");
  await ask("make 12 from 5 3 4");
  const last = turns.last();
  await last.getByRole("button", { name: "Try again" }).click();
  await expect(last.getByRole("group", { name: "Replies to the question" })).toContainText("2/2");
  await answered(last);
  said.push(await replyOf(playground, last));
  await last.getByRole("button", { name: "Edit", exact: true }).click();
  await page.getByRole("textbox", { name: "Edit the question" }).fill("make 9 from 2 3 4");
  await page.getByRole("button", { name: "Ask this instead" }).click();
  await answered(last);
  said.push(await replyOf(playground, last));
  await playground.set({ Samples: 3 });
  const several = await playground.send("make 15 from 2 7 1");
  await answered(several);
  await expect(several.getByRole("heading", { name: /^Sample/ })).toHaveCount(3);
  await playground.set({ Samples: 1 });
  await ask("make 20 from 6 4 4");
  await playground.clear.click();
  await ask("make 24 from 9 3 4");
  expect(said.at(-1)).toBe(said[0]);
  expect(playground.complaints).toEqual([]);
  return said;
}

test("ONNX Runtime says what our kernels say throughout a conversation, on the processor and on the graphics device", async ({
  browser,
  baseURL,
}) => {
  test.setTimeout(9 * LOAD_TIMEOUT_MS);
  const replies: string[][] = [];
  for (const runtime of ["webgpu", "onnx-wasm", "onnx-webgpu"]) {
    const context = await browser.newContext({ ...(baseURL ? { baseURL } : {}), locale: "en-US" });
    const playground = new Playground(await context.newPage());
    await playground.page.goto(`/?runtime=${runtime}`);
    await playground.ready();
    replies.push(await converse(playground));
    await context.close();
  }
  const [ours, wasm, webgpu] = replies;
  expect(ours?.[0]?.length).toBeGreaterThan(20);
  expect(wasm).toEqual(ours);
  expect(webgpu).toEqual(ours);
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
  // Too early: said, until it can be done.
  await playground.question.fill("make 24 from 9 3 4");
  await playground.question.press("Enter");
  await expect(playground.alert).toContainText("The engine is busy");
  await expect(playground.ask).toBeEnabled({ timeout: LOAD_TIMEOUT_MS });
  await expect(playground.alert).toHaveCount(0);
  await expect(playground.question).toHaveValue("make 24 from 9 3 4");
  await wasm;
  const item = page.getByRole("listitem").filter({ has: page.getByText("nano-r1", { exact: true }) });
  await expect(item).toContainText("No graphics device can be used here, so the model runs on the processor");
  await playground.set({ "Longest reply": 20, "Think at most": 10, Samples: 2 });
  const turn = await playground.send("make 24 from 9 3 4");
  await expect(turn.getByText(/tokens\/s/).first()).toBeVisible();
  await page.getByRole("combobox", { name: "Language" }).selectOption("ja");
  await expect(item).toContainText("グラフィックスデバイスを使えないため、CPU 上の WebAssembly で動いています。");
  expect(playground.complaints).toEqual([]);
});
