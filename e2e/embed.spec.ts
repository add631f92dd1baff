import { chromium, expect } from "@playwright/test";
import { heard, hello, SANDBOX, send, test } from "./support/parent-page.ts";
import { LOAD_TIMEOUT_MS } from "./support/playground.ts";

const ADDRESS = "embed.html?v=1&view=chat&model=nano-r1&lang=en&maxNewTokens=48";

test.use({ locale: "en-US" });

test("a page of another origin drives the frame, once its reader has pressed start", async ({
  page,
  baseURL,
  openParent,
}) => {
  test.setTimeout(3 * LOAD_TIMEOUT_MS);
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await openParent(`${baseURL}${ADDRESS}`, SANDBOX);
  const frame = page.frameLocator("iframe");
  const start = frame.getByRole("button", { name: "Start the model" });
  await expect(start).toBeVisible();
  await expect(frame.getByRole("region", { name: "Recorded", exact: true })).toContainText("nano-r1");
  await expect.poll(async () => (await heard(page, "openly")).map(({ type }) => type)).toContain("ready");

  await hello(page);
  await send(page, "start", undefined, 2);
  await expect
    .poll(async () => (await heard(page)).at(-1))
    .toMatchObject({ type: "error", id: 2, payload: { code: "E_NEEDS_CLICK" } });
  await expect(frame.getByText("asks to start")).toBeVisible();
  await send(page, "setParams", { temperature: 99 }, 3);
  await expect
    .poll(async () => (await heard(page)).at(-1))
    .toMatchObject({ type: "error", id: 3, payload: { code: "E_MESSAGE" } });
  // Nothing of the model is there before the reader wants it.
  expect(requests.filter((url) => url.endsWith(".safetensors"))).toEqual([]);

  await start.click();
  await expect.poll(async () => (await heard(page)).map(({ type }) => type)).toContain("progress");
  await expect(frame.getByRole("button", { name: "Ask", exact: true })).toBeEnabled({ timeout: LOAD_TIMEOUT_MS });
  await send(page, "setPrompt", { text: "make 23 from 4 3 9" }, 4);
  await send(page, "setLang", { lang: "ja" }, 5);
  await expect(frame.getByRole("textbox", { name: "質問" })).toHaveValue("make 23 from 4 3 9");
  await send(page, "start", undefined, 6);
  await expect.poll(async () => (await heard(page)).map(({ type }) => type), { timeout: 60_000 }).toContain("done");

  const all = await heard(page);
  const written = all
    .filter(({ type }) => type === "token")
    .flatMap(({ payload }) => payload["tokens"] as { channel: string; text: string }[]);
  const done = all.find(({ type }) => type === "done");
  const [reply] = (done?.payload["replies"] ?? []) as { think: string; answer: string }[];
  expect(
    written
      .filter(({ channel }) => channel === "think")
      .map(({ text }) => text)
      .join(""),
  ).toBe(reply?.think);
  expect(reply?.think).not.toBe("");
  expect(all.find(({ id }) => id === 6)).toMatchObject({ type: "state", payload: { lang: "ja", needsClick: false } });

  // What is told openly says nothing of the reader, and nothing was stored.
  expect(new Set((await heard(page, "openly")).map(({ type }) => type))).toEqual(new Set(["ready", "resize"]));
  const child = page.frames().find((one) => one.url().includes("embed.html"));
  const stored = await child?.evaluate(async () => {
    try {
      const databases = await indexedDB.databases();
      return [localStorage.length, databases.length, (await caches.keys()).length];
    } catch {
      return [0, 0, 0];
    }
  });
  expect(stored).toEqual([0, 0, 0]);
});

test("a page of another origin shows a recorded run, and its reader trains a model in the frame", async ({
  page,
  baseURL,
  openParent,
}) => {
  test.setTimeout(3 * LOAD_TIMEOUT_MS);
  const tiny = "per_step_prompts=2&num_generations=2&max_completion_length=8&max_steps=2&eval_every=0";
  const address = `embed.html?v=1&view=grpo&lang=en&algorithm=dr-grpo&model=models/tiny-random&${tiny}`;
  await openParent(`${baseURL}${address}`, SANDBOX);
  const frame = page.frameLocator("iframe");
  await expect(frame.getByText("Recording", { exact: true })).toBeVisible();
  await expect(frame.getByRole("slider", { name: /^Advantages/ })).toHaveAttribute("aria-valuemax", "110");
  await hello(page);
  await send(page, "start", undefined, 2);
  await expect
    .poll(async () => (await heard(page)).at(-1))
    .toMatchObject({ type: "error", id: 2, payload: { code: "E_NEEDS_CLICK" } });

  await frame.getByRole("button", { name: "Train here" }).click();
  await expect
    .poll(async () => (await heard(page)).map(({ type }) => type), { timeout: 2 * LOAD_TIMEOUT_MS })
    .toContain("done");
  const steps = (await heard(page)).filter(({ type, payload }) => type === "metrics" && payload["num_tokens"]);
  expect(steps.map(({ payload }) => payload["step"])).toEqual([1, 2]);
  await expect(frame.getByText("Finished", { exact: true })).toBeVisible();
  await expect(frame.getByRole("slider", { name: /^Advantages/ })).toHaveAttribute("aria-valuemax", "2");
});

test("messages from a window that does not embed the frame are not heard", async ({ page, baseURL, openParent }) => {
  await openParent(`${baseURL}${ADDRESS}`, SANDBOX);
  const frame = page.frameLocator("iframe");
  await expect(frame.getByRole("button", { name: "Start the model" })).toBeVisible();
  const answers = await page.evaluate(async () => {
    const target = document.querySelector("iframe")?.contentWindow;
    const hostile = document.createElement("iframe");
    document.body.append(hostile);
    const script = hostile.contentDocument?.createElement("script");
    if (!script || !target) throw new Error("no frame");
    // Sent from the sibling's own window, so that the source is the sibling.
    Object.assign(hostile.contentWindow as object, { target, got: [] });
    script.textContent = `
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => window.got.push(data);
      window.target.postMessage({ ns: "r1pg", v: 1, id: 1, type: "hello" }, "*", [port2]);`;
    hostile.contentDocument?.body.append(script);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return (hostile.contentWindow as unknown as { got: unknown[] }).got;
  });
  expect(answers).toEqual([]);
});

test("a recorded trace plays without WebGPU and without a start", async ({ page, baseURL }) => {
  await page.addInitScript(() => delete (Navigator.prototype as { gpu?: unknown }).gpu);
  await page.goto(`${baseURL}embed.html?v=1&view=trace&lang=en`);
  await expect(page.getByText("Recorded", { exact: true })).toBeVisible();
  await expect(page.getByRole("article")).toContainText(/tokens\/s/, { timeout: 30_000 });
  await expect(page.getByRole("button", { name: "Start the model" })).toHaveCount(0);
});

test("the page plays a recorded trace where there is no WebGPU and nothing to take its place", async ({ baseURL }) => {
  const { launchOptions = {} } = test.info().project.use;
  const elsewhere = new URL(baseURL ?? "");
  // Browsers keep WebGPU from pages that come over plain http from another machine.
  elsewhere.hostname = "192.0.2.1";
  const args = [...(launchOptions.args ?? []), "--host-resolver-rules=MAP 192.0.2.1 localhost"];
  const browser = await chromium.launch({ ...launchOptions, args });
  try {
    const page = await browser.newPage({ locale: "en-US" });
    await page.route("**/*.wasm", (route) => route.abort());
    await page.goto(elsewhere.href);
    await expect(page.getByText("This browser cannot run the model.")).toBeVisible();
    await expect(page.getByText("Recorded", { exact: true })).toBeVisible();
    await expect(page.getByRole("article")).toContainText(/tokens\/s/, { timeout: 30_000 });
    await page.getByRole("button", { name: "Dismiss" }).click();
    await expect(page.getByRole("article")).toBeVisible();
  } finally {
    await browser.close();
  }
});

test("the sample page embeds a conversation, and its buttons speak to the frame", async ({ page }) => {
  await page.goto("/samples/docs.html");
  const chat = page.frameLocator("#chat iframe");
  await chat.getByRole("button", { name: "Start the model" }).waitFor();
  await page.getByRole("button", { name: /^Ask/ }).click();
  await expect(page.locator("#said")).toHaveText("Press start in the frame first.");
});

test("a sandbox without the frame's own origin leads to a tab of its own", async ({ page, baseURL, openParent }) => {
  const parent = await openParent(`${baseURL}${ADDRESS}`, "allow-scripts allow-popups");
  const link = page.frameLocator("iframe").getByRole("link", { name: /R1 Playground/ });
  await expect(link).toHaveAttribute("target", "_blank");
  expect(page.url()).toBe(parent);
});
