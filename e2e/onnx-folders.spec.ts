import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Page } from "@playwright/test";
import { onnxFiles } from "../src/checkpoint/export/onnx/export.ts";
import type { OnnxOptions } from "../src/checkpoint/export/onnx/export.ts";
import { exportedBytes } from "../src/checkpoint/export/testing.ts";
import { nodeFolder } from "../src/checkpoint/node/folder.ts";
import { openExportModel } from "../src/model/export-model.ts";
import { killGpuProcess, SURVIVING_LOSSES, withBrowser } from "./support/browser.ts";
import { ROOT } from "./support/folders.ts";
import { LOAD_TIMEOUT_MS, Playground } from "./support/playground.ts";
import { expect, test } from "./support/test.ts";

type Files = Readonly<Record<string, Uint8Array>>;

let parent = "";
test.beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), "r1-onnx-"));
});
test.afterAll(() => rmSync(parent, { recursive: true }));

/** A built-in model as an ONNX folder's files. */
async function exported(options: OnnxOptions = {}): Promise<Files> {
  const files = onnxFiles(await openExportModel(nodeFolder(join(ROOT, "public/models/nano-distill"))), options);
  const entries = await Promise.all(files.map(async (file) => [file.path, await exportedBytes(file)] as const));
  return Object.fromEntries(entries);
}

function write(name: string, files: Files): string {
  for (const [path, bytes] of Object.entries(files)) {
    const target = join(parent, name, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, bytes);
  }
  return join(parent, name);
}

async function pick({ page }: Playground, folder: string): Promise<void> {
  await page.getByLabel("Open a folder…").and(page.locator("input")).setInputFiles(folder);
}

async function loaded({ page, alert }: Playground, name: string): Promise<void> {
  const entry = page.getByRole("listitem").filter({ hasText: name });
  await expect(entry.getByText("Loaded").or(alert)).toBeVisible({ timeout: LOAD_TIMEOUT_MS });
  await expect(alert).toHaveCount(0);
}

/** Drops loose files on the page, as a file manager does. */
async function drop(page: Page, files: Files): Promise<void> {
  const list = Object.entries(files).map(([path, bytes]) => ({
    name: basename(path),
    base64: Buffer.from(bytes).toString("base64"),
  }));
  const transfer = await page.evaluateHandle((all) => {
    const data = new DataTransfer();
    for (const { name, base64 } of all) {
      data.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], name));
    }
    return data;
  }, list);
  await page.locator("main").dispatchEvent("drop", { dataTransfer: transfer });
}

const SHORT = { Temperature: 0, "Longest reply": 6, "Think at most": 3, Samples: 1 };

const QUESTIONS = ["make 24 from 9 3 4", "make 10 from 2 3 5"] as const;

/** Twice, as a rule: the second question goes on from what the first has left on the device. */
async function askTwice(playground: Playground): Promise<void> {
  await askEach(playground, QUESTIONS);
}

async function askEach(playground: Playground, questions: readonly string[]): Promise<void> {
  await playground.set(SHORT);
  for (const question of questions) {
    const turn = await playground.send(question);
    await expect(turn.getByText(/tokens\/s/)).toBeVisible({ timeout: 2 * LOAD_TIMEOUT_MS });
    await expect(playground.alert).toHaveCount(0);
  }
}

test("ONNX folders are picked, and loose graphs with their data dropped; what is wrong is said by name", async ({
  page,
}) => {
  test.setTimeout(4 * LOAD_TIMEOUT_MS);
  const playground = new Playground(page);
  await page.goto("/?runtime=onnx-wasm");
  await playground.ready();

  const [q4, apart] = [await exported({ weights: "q4" }), await exported({ maxModelBytes: 1000 })];
  // Several graphs, of which the runtime takes the one that it runs best.
  await pick(playground, write("several", { ...apart, ...q4, "README.md": new Uint8Array(3) }));
  await loaded(playground, "several");
  await askTwice(playground);

  await drop(page, apart);
  await loaded(playground, "dropped files");
  await askTwice(playground);

  const { "onnx/model.onnx_data": data = new Uint8Array(), ...without } = apart;
  const graph = apart["onnx/model.onnx"] ?? new Uint8Array();
  const leading = Uint8Array.from(
    Buffer.from(Buffer.from(graph).toString("latin1").replaceAll("model.onnx_data", "../../conf.json"), "latin1"),
  );
  const CASES: readonly [name: string, files: Files, says: RegExp, details: RegExp][] = [
    ["half", without, /A file of the model is missing/, /E_FILE_MISSING: half: no "onnx\/model\.onnx_data", which onnx\/model\.onnx names/],
    ["cut", { ...apart, "onnx/model.onnx_data": data.subarray(0, 5000) }, /cut off/, /E_FILE_TRUNCATED: onnx\/model\.onnx_data: tensor/],
    ["short", { ...apart, "onnx/model.onnx": graph.subarray(0, 3000) }, /cut off/, /E_FILE_TRUNCATED: onnx\/model\.onnx: /],
    ["leading", { ...apart, "onnx/model.onnx": leading }, /cannot be|can be opened/, /E_FORMAT: onnx\/model\.onnx: .*location: found "\.\.\/\.\.\/conf\.json"/],
    ["other", { "config.json": apart["config.json"] ?? graph, "pytorch_model.bin": graph }, /is missing/, /found "pytorch_model\.bin", which is PyTorch's own format/],
  ]; // prettier-ignore
  for (const [name, files, says, details] of CASES) {
    await pick(playground, write(name, files));
    await expect(playground.alert).toContainText(says);
    await playground.alert.getByText("Details").click();
    await expect(playground.alert.getByRole("code")).toHaveText(details);
    await playground.alert.getByRole("button", { name: "Dismiss" }).click();
  }
  await page.getByRole("button", { name: "Load: nano-distill" }).click();
  await loaded(playground, "nano-distill");
  await askTwice(playground);
  expect(playground.complaints).toEqual([]);
});

test("ONNX Runtime's models take turns on the graphics device, and come back after it was lost", async () => {
  test.setTimeout(8 * LOAD_TIMEOUT_MS);
  await withBrowser(
    (args) => [...args, ...SURVIVING_LOSSES],
    async (browser, page) => {
      const playground = new Playground(page);
      await page.goto("/?runtime=onnx-webgpu");
      await playground.ready();
      await askTwice(playground);
      const folder = write("graphs", await exported({ weights: "q4" }));
      await pick(playground, folder);
      await loaded(playground, "graphs");
      await askTwice(playground);
      await page.getByRole("button", { name: "Load: nano-r1" }).click();
      await loaded(playground, "nano-r1");
      await askEach(playground, QUESTIONS.slice(1));

      await killGpuProcess(browser);
      await expect(page.getByText("What was written is kept; the model is being loaded again.")).toBeVisible();
      await loaded(playground, "nano-r1");
      await askTwice(playground);
    },
  );
});
