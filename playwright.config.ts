import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

/** Another one where two checkouts are tested side by side. */
const PORT = Number(process.env["R1_E2E_PORT"] ?? 4179);

/** Full Chromium: what `npm test` found or installed, the system's, or Playwright's own download. */
const browser = [process.env["R1_BROWSER"], "/usr/bin/chromium"].find((path) => path !== undefined && existsSync(path));

// Chromium's graphics process does not start without a runtime directory, which containers often lack.
process.env["XDG_RUNTIME_DIR"] ??= "/tmp";

/** The machine's own GPU where the tests in Node use it too, else the browser's software renderer. */
const adapter = process.env["R1_TEST_DEVICE"] === "auto" ? [] : ["--use-webgpu-adapter=swiftshader"];

// The built page (`npx vite build`) in a real browser. WebGPU that is not there fails the tests: nothing is skipped.
export default defineConfig({
  testDir: "e2e",
  // Gigabytes and minutes: on request only.
  testIgnore: process.env["R1_FULL_SIZE"] ? [] : "full-size.spec.ts",
  // Software kernels take all cores, and one page is shared by all tests.
  workers: 1,
  fullyParallel: false,
  retries: 0,
  forbidOnly: true,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: "list",
  use: {
    // What a test intercepts must not come out of a cache; offline.spec.ts is about the cache.
    serviceWorkers: "block",
    baseURL: `http://localhost:${PORT}/`,
    // A click on what never becomes ready is said, and not waited for until the test's end.
    actionTimeout: 30_000,
    launchOptions: {
      ...(browser ? { executablePath: browser } : {}),
      args: ["--no-sandbox", "--enable-unsafe-webgpu", ...adapter],
    },
  },
  webServer: {
    // Not through npx, whose child would outlive it and keep the port.
    command: `node node_modules/vite/bin/vite.js preview --port ${PORT} --strictPort`,
    port: PORT,
    reuseExistingServer: false,
  },
});
