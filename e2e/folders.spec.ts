import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { LOAD_TIMEOUT_MS } from "./support/playground.ts";
import type { Playground } from "./support/playground.ts";
import { TINY, withFolder } from "./support/folders.ts";
import { expect, test } from "./support/test.ts";

const tokenizerConfig = JSON.parse(readFileSync(join(TINY, "tokenizer_config.json"), "utf8")) as object;
const config = JSON.parse(readFileSync(join(TINY, "config.json"), "utf8")) as object;
const weights = readFileSync(join(TINY, "model.safetensors"));

function pick({ page }: Playground, folder: string): Promise<void> {
  return page.getByLabel("Open a folder…").and(page.locator("input")).setInputFiles(folder);
}

/** The model's entry in the panel. */
function entry({ page }: Playground, name: string) {
  return page.getByRole("listitem").filter({ hasText: name });
}

test.beforeEach(async ({ playground }) => {
  await playground.set({ "Think at most": 8, "Longest reply": 16 });
});

test.afterEach(async ({ loaded }) => {
  const load = loaded.page.getByRole("button", { name: "Load: tiny-random" });
  if (await load.isVisible()) await load.click();
  await expect(entry(loaded, "tiny-random")).toContainText("Loaded", { timeout: LOAD_TIMEOUT_MS });
});

test("a picked folder is loaded and answers, also with another context", async ({ playground }) => {
  const longer = JSON.stringify({ ...config, max_position_embeddings: 16_384 });
  await withFolder("my-model", { "config.json": longer }, async (folder) => {
    await pick(playground, folder);
    await expect(entry(playground, "my-model")).toContainText(/Loaded.*110\.3K parameters/, {
      timeout: LOAD_TIMEOUT_MS,
    });
    await playground.set({ "Think at most": 8, "Longest reply": 16 });
    await playground.sendAndWait("Who are you?");
    const context = playground.page.getByLabel("Context length");
    await expect(context.getByRole("option")).toHaveText([
      "4,096 tokens",
      "8,192 tokens",
      "16,384 tokens (the model's own)",
    ]);
    await expect(entry(playground, "my-model")).toContainText("context 4,096");
    await context.selectOption("8192");
    await expect(entry(playground, "my-model")).toContainText("context 8,192");
    await playground.sendAndWait("And what else?");
  });
});

test("dropped files are loaded", async ({ playground }) => {
  await drop(playground.page, TINY);
  await expect(entry(playground, "dropped files")).toContainText("Loaded", { timeout: LOAD_TIMEOUT_MS });
});

test("a folder that is broken says what to do, and takes nothing away", async ({ playground }) => {
  const turn = await playground.sendAndWait("What is 2 + 3?");
  const before = await turn.textContent();
  const CASES: readonly [Record<string, string | Uint8Array | undefined>, RegExp, RegExp][] = [
    [{ "config.json": undefined }, /missing\. Choose the folder again/, /^E_FILE_MISSING: broken: no config\.json/],
    [
      { "model.safetensors": weights.subarray(0, 100_000) },
      /cut off\. Download it again/,
      /^E_FILE_TRUNCATED: model\.safe/,
    ],
    [
      { "config.json": JSON.stringify({ ...config, architectures: ["MambaForCausalLM"] }) },
      /Choose a Qwen2 or Llama model/,
      /^E_ARCHITECTURE: .*MambaForCausalLM/,
    ],
  ];
  for (const [changes, says, details] of CASES) {
    await withFolder("broken", changes, async (folder) => {
      await pick(playground, folder);
      await expect(playground.alert).toContainText(says);
      await playground.alert.getByText("Details").click();
      await expect(playground.alert.getByRole("code")).toHaveText(details);
    });
    await expect(entry(playground, "tiny-random")).toContainText("Loaded");
    expect(await turn.textContent()).toBe(before);
    await playground.alert.getByRole("button", { name: "Dismiss" }).click();
    await expect(playground.alert).toHaveCount(0);
  }
  await playground.sendAndWait("And 3 + 4?");
});

test("a weight that is NaN is named, and a base model's names are read", async ({ playground }) => {
  const broken = Uint8Array.from(weights);
  broken.set([0xc0, 0x7f], broken.length - 2);
  await withFolder("broken", { "model.safetensors": broken }, async (folder) => {
    await pick(playground, folder);
    await expect(playground.alert).toContainText(/NaN or infinite/, { timeout: LOAD_TIMEOUT_MS });
    await playground.alert.getByText("Details").click();
    await expect(playground.alert.getByRole("code")).toHaveText(
      /^E_NOT_FINITE: tensor "[\w.]+" \[.*\] holds NaN at \[/,
    );
    await playground.alert.getByRole("button", { name: "Dismiss" }).click();
  });
  // Names are one length shorter by the prefix, which spaces in the header make up for.
  const header = weights.subarray(8, 8 + Number(weights.readBigUInt64LE(0))).toString();
  const bare = header.replaceAll('"model.', '"').padEnd(header.length);
  const base = Buffer.concat([weights.subarray(0, 8), Buffer.from(bare), weights.subarray(8 + header.length)]);
  await withFolder("base-model", { "model.safetensors": base }, async (folder) => {
    await pick(playground, folder);
    await expect(entry(playground, "base-model")).toContainText("Loaded", { timeout: LOAD_TIMEOUT_MS });
    await playground.set({ "Think at most": 8, "Longest reply": 16 });
    await playground.sendAndWait("Who are you?");
  });
});

test("a folder without a chat template is loaded, and the page says why it cannot be asked", async ({ playground }) => {
  const plain = JSON.stringify({ ...tokenizerConfig, chat_template: undefined });
  await withFolder("speechless", { "tokenizer_config.json": plain }, async (folder) => {
    await pick(playground, folder);
    await expect(entry(playground, "speechless")).toContainText("Loaded", { timeout: LOAD_TIMEOUT_MS });
    await expect(playground.page.getByText("This model has no chat template")).toBeVisible();
    await playground.question.fill("Hello?");
    await expect(playground.ask).toBeDisabled();
    await playground.question.fill("");
  });
});

test("loading can be cancelled, and the model before comes back at a press", async ({ playground }) => {
  const { page } = playground;
  await withFolder("slow", {}, async (folder) => {
    await pick(playground, folder);
    await page.getByRole("button", { name: "Cancel" }).click();
    const again = page.getByRole("button", { name: "Load again" });
    // Whether the old model had gone by then depends on the moment of the press.
    await expect(again.or(entry(playground, "Loaded"))).toBeVisible({ timeout: LOAD_TIMEOUT_MS });
    if (await again.isVisible()) await again.click();
    await expect(entry(playground, "Loaded")).toBeVisible({ timeout: LOAD_TIMEOUT_MS });
  });
});

/** Drops a folder's files on the page, as a file manager does. */
async function drop(page: Page, folder: string): Promise<void> {
  const files = readdirSync(folder).map((name) => ({
    name,
    base64: readFileSync(join(folder, name)).toString("base64"),
  }));
  const transfer = await page.evaluateHandle((list) => {
    const data = new DataTransfer();
    for (const { name, base64 } of list) {
      data.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], name));
    }
    return data;
  }, files);
  await page.locator("main").dispatchEvent("dragover", { dataTransfer: transfer });
  await page.locator("main").dispatchEvent("drop", { dataTransfer: transfer });
}
