import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installBrowser, installPackages, installVulkanDriver, root } from "./install.mjs";
import { playwrightResult, vitestResult } from "./test-reports.mjs";

/** Installs what is missing, then runs every check and test; the last line counts them all. */
installPackages();
const browser = installBrowser();
const env = {
  ...process.env,
  ...installVulkanDriver(browser),
  ...(browser ? { R1_BROWSER: browser } : {}),
  PLAYWRIGHT_JSON_OUTPUT_FILE: ".cache/playwright.json",
};
mkdirSync(join(root, ".cache"), { recursive: true });

/** @returns {number} the exit status; 1 if the command could not be started or was killed */
function run(command) {
  console.log(`\n> ${command}`);
  return spawnSync(command, { cwd: root, stdio: "inherit", shell: true, env }).status ?? 1;
}

/** A command that passes or fails as a whole. */
function check(command) {
  const passes = run(command) === 0;
  return { passed: passes ? 1 : 0, failed: passes ? 0 : 1 };
}

/** A runner that counts its own tests in a JSON report; without the report it has crashed. */
function runTests(command, report, read) {
  const path = join(root, report);
  rmSync(path, { force: true });
  const status = run(command);
  return read(existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined, status);
}

const results = [
  check("npx oxlint ."),
  check("npx oxfmt --check ."),
  check("node scripts/check-imports.mjs"),
  check("npx tsc --noEmit"),
  runTests(
    "npx vitest run --reporter=default --reporter=json --outputFile.json=.cache/vitest.json",
    ".cache/vitest.json",
    vitestResult,
  ),
];
if (existsSync(join(root, "playwright.config.ts"))) {
  results.push(
    check("npx vite build"),
    check("node scripts/check-size.mjs"),
    runTests("npx playwright test --reporter=list,json", ".cache/playwright.json", playwrightResult),
  );
}
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
