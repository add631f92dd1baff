import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import type { Page } from "@playwright/test";
import { planMemory, PREFILL_ROWS } from "../src/model/memory-plan.ts";
import { parseModelSpec } from "../src/model/spec.ts";
import { ROOT } from "./support/folders.ts";
import { HeapWatch } from "./support/heap-watch.ts";
import { withRangeServer } from "./support/range-server.ts";

/**
 * A checkpoint of R1-Distill-Qwen-1.5B's size (3.5 GB of random weights) through the page's worker. Only on request
 * (`R1_FULL_SIZE`, see playwright.config.ts): a software renderer takes minutes for it. `R1_FULL_SIZE` may name a folder
 * that `make-random-checkpoint.mjs` has written.
 */
const GIVEN = process.env["R1_FULL_SIZE"] ?? "";
const HALF_HOUR_MS = 1_800_000;
const CONTEXT = 256;
const NEW_TOKENS = 16;
/** Those that WebGPU guarantees. */
const DEFAULT_LIMITS = { maxBufferSize: 256 << 20, maxStorageBufferBindingSize: 128 << 20 };

interface Outcome {
  readonly weightBytes: number;
  readonly memoryBytes: number;
  readonly loadMs: number;
  readonly generateMs: number;
  readonly tokens: number;
  readonly finishReason: string;
}

/** Loads a folder in q4 and goes on from a few ids, in a worker of its own that keeps to the default limits. */
function loadAndGenerate(page: Page, worker: string, baseUrl: string): Promise<Outcome> {
  return page.evaluate(
    async ({ url, source, contextTokens, maxNewTokens }) => {
      const engine = new Worker(url, { type: "module" });
      let tokens = 0;
      let finishReason = "";
      const call = (id: number, method: string, request: unknown): Promise<Record<string, number>> =>
        new Promise((resolve, reject) => {
          engine.addEventListener("error", ({ message }) => reject(new Error(message)));
          engine.addEventListener("message", ({ data }) => {
            if (data.id !== id) return;
            if (data.type === "error") reject(new Error(`${data.error.code}: ${data.error.message}`));
            if (data.type === "result") resolve(data.result);
            if (data.type !== "progress" || method !== "generate") return;
            for (const event of data.progress) {
              if (event.type === "token") tokens++;
              if (event.type === "finished") finishReason = event.completion.finishReason;
            }
          });
          engine.postMessage({ type: "call", id, method, request });
        });
      const model = await call(1, "load", { source: { kind: "url", baseUrl: source }, format: "q4", contextTokens });
      const begun = performance.now();
      const prompt = { ids: [151646, 151644, 3838, 374, 220] };
      await call(2, "generate", { prompt, options: { maxNewTokens, temperature: 0.6 } });
      const generateMs = performance.now() - begun;
      const { weightBytes = 0, memoryBytes = 0, loadMs = 0 } = model;
      return { weightBytes, memoryBytes, loadMs, generateMs, tokens, finishReason };
    },
    { url: worker, source: baseUrl, contextTokens: CONTEXT, maxNewTokens: NEW_TOKENS },
  );
}

test("3.5 GB of weights are loaded in q4 and generate, within 600 MB of the page's own memory", async ({ page }) => {
  test.setTimeout(HALF_HOUR_MS);
  const own = GIVEN === "1" ? mkdtempSync(join(tmpdir(), "full-size-")) : undefined;
  try {
    const folder = own ?? GIVEN;
    if (own) {
      const { status } = spawnSync(process.execPath, [join(ROOT, "scripts/make-random-checkpoint.mjs"), "--out", own]);
      expect(status).toBe(0);
    }
    const spec = parseModelSpec(JSON.parse(readFileSync(join(folder, "config.json"), "utf8")));
    const worker = readdirSync(join(ROOT, "dist/assets")).find((name) => /^worker-.*\.js$/.test(name));
    if (worker === undefined) throw new Error("the build has no worker");
    await withRangeServer(folder, async (baseUrl) => {
      // Any page of the origin: its own engine would only take time.
      await page.goto("/models/tiny-random/config.json");
      const watch = await HeapWatch.start(page);
      const outcome = await loadAndGenerate(page, `/assets/${worker}?limits=default`, baseUrl);
      expect(watch.workers).toBeGreaterThan(0);
      await watch.stop();
      const sizes = {
        maxSequences: 1,
        contextTokens: CONTEXT,
        kvTokens: CONTEXT,
        prefillRows: PREFILL_ROWS,
        kv: "f32",
      } as const;
      const plan = planMemory(spec, "q4", sizes, DEFAULT_LIMITS);
      process.stdout.write(`${JSON.stringify({ ...outcome, peakBytes: watch.peakBytes, plan })}\n`);
      expect(outcome).toMatchObject({ tokens: NEW_TOKENS, finishReason: "length" });
      for (const ratio of [outcome.weightBytes / plan.weights, outcome.memoryBytes / plan.total]) {
        expect(ratio).toBeGreaterThan(0.9);
        expect(ratio).toBeLessThan(1.1);
      }
      expect(watch.peakBytes).toBeGreaterThan(1e6);
      expect(watch.peakBytes).toBeLessThan(600e6);
    });
  } finally {
    if (own) rmSync(own, { recursive: true });
  }
});
