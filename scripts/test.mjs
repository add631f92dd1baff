import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";

/** Installs what is missing (packages, a software Vulkan driver), then runs every test. */
const root = new URL("..", import.meta.url).pathname;
const run = (command, args) => spawnSync(command, args, { cwd: root, stdio: "inherit" }).status ?? 1;

if (!existsSync(`${root}/node_modules/vitest`) && run("npm", ["install", "--no-save", "--ignore-scripts"]) !== 0) process.exit(1);
if (!existsSync("/usr/share/vulkan/icd.d/lvp_icd.json") && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
  const source = `Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;
  run("sh", [
    "-c",
    `printf '%s' "${source}" > /etc/apt/sources.list.d/bookworm-backports.sources; apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -t bookworm-backports mesa-vulkan-drivers`,
  ]);
}
mkdirSync(`${root}/.cache`, { recursive: true });
const report = `${root}/.cache/vitest.json`;
const types = run("npx", ["tsc", "--noEmit"]);
run("npx", ["vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`]);
const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
const passed = numPassedTests + (types === 0 ? 1 : 0);
const failed = numFailedTests + (types === 0 ? 0 : 1);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || numPassedTests === 0 ? 1 : 0);
