import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Installs what the project needs on a fresh machine: npm packages and, for tests, a browser and a Vulkan driver. */

export const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Runs a command in the project's root with its output on standard error.
 * @returns {number} its exit status; 1 if it could not be started or was killed
 */
function runQuietly(command, args, env = {}) {
  // Only a shell finds npm.cmd and npx.cmd on Windows.
  const shell = process.platform === "win32";
  const options = { cwd: root, stdio: ["ignore", 2, 2], env: { ...process.env, ...env }, shell };
  return spawnSync(command, args, options).status ?? 1;
}

/** Installs the npm packages if there are none, or if package-lock.json has changed since. Ends the process on failure. */
export function installPackages() {
  const lock = join(root, "package-lock.json");
  const installed = join(root, "node_modules/.package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  // Not `npm ci`: it fails where the lock lacks this platform's optional binaries. No package needs its scripts.
  if (runQuietly("npm", ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]) !== 0) {
    console.error(
      "npm install failed (its output is above); with a network connection to the npm registry, try again.",
    );
    process.exit(1);
  }
  const now = new Date();
  utimesSync(installed, now, now);
}

/** The release's name where apt may install packages: as root, on Debian itself (Ubuntu's chromium package needs snap). */
function debianRelease() {
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get") || !existsSync("/etc/os-release")) return undefined;
  const release = readFileSync("/etc/os-release", "utf8");
  return /^ID=debian$/m.test(release) ? /^VERSION_CODENAME=(.+)$/m.exec(release)?.[1] : undefined;
}

function aptInstall(name, suite) {
  // Another process may be installing too.
  const wait = ["-qq", "-o", "DPkg::Lock::Timeout=300"];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  runQuietly("apt-get", [...wait, "update"], env);
  const from = suite === undefined ? [] : ["-t", suite];
  runQuietly("apt-get", [...wait, "install", "-y", "--no-install-recommends", ...from, name], env);
}

const SYSTEM_BROWSERS = [
  "/usr/bin/chromium",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Full Chromium: the system's, or Playwright's own download; its headless shell is built without WebGPU. */
function findBrowser() {
  const { chromium } = createRequire(import.meta.url)("playwright-core");
  const candidates = [process.env.R1_BROWSER ?? "", ...SYSTEM_BROWSERS, chromium.executablePath()];
  return candidates.find((path) => path !== "" && existsSync(path));
}

/** @returns {string | undefined} the executable of a browser for tests, installed if there was none */
export function installBrowser() {
  const found = findBrowser();
  if (found) return found;
  if (debianRelease()) aptInstall("chromium");
  if (!findBrowser()) runQuietly("npx", ["playwright", "install", "--no-shell", "chromium"]);
  const browser = findBrowser();
  if (!browser) {
    console.error(
      "No browser could be installed: browser tests will fail. Install Chromium or Chrome, or set R1_BROWSER to its executable.",
    );
  }
  return browser;
}

/** The first Mesa whose lavapipe has `shader-f16` and subgroups. */
const MESA = 25;

/**
 * Installs the software Vulkan driver that GPU tests run on, where that is possible.
 * @param {string | undefined} browser executable of a Chromium, which brings a driver of its own
 * @returns {Record<string, string>} environment in which tests find a driver
 */
export function installVulkanDriver(browser) {
  if (process.env.R1_TEST_DEVICE === "auto" || process.env.R1_SOFTWARE_ICD) return {};
  if (process.platform !== "linux") {
    console.error("Software Vulkan drivers are for Linux: GPU tests use this machine's own GPU.");
    return { R1_TEST_DEVICE: "auto" };
  }
  const release = debianRelease();
  if (release && mesaVersion() < MESA) {
    const suite = release === "bookworm" ? "bookworm-backports" : undefined;
    if (suite) addAptSource(suite);
    aptInstall("mesa-vulkan-drivers", suite);
  }
  const drivers = "/usr/share/vulkan/icd.d";
  if (existsSync(drivers) && readdirSync(drivers).some((file) => file.startsWith("lvp_icd"))) return {};
  const wanted = `mesa-vulkan-drivers ${MESA} or newer`;
  const folders = [browser ? dirname(browser) : "", "/usr/lib/chromium"];
  const fallback = folders.map((folder) => join(folder, "vk_swiftshader_icd.json")).find((path) => existsSync(path));
  if (fallback) {
    console.error(`Without ${wanted}, GPU tests use Chromium's driver ${fallback}, which has no shader-f16.`);
    // The Vulkan loader lies beside it, for machines that have none.
    const libraries = [process.env.LD_LIBRARY_PATH, dirname(fallback)].filter(Boolean).join(":");
    return { R1_SOFTWARE_ICD: fallback, LD_LIBRARY_PATH: libraries };
  }
  console.error(
    `No software Vulkan driver was found: GPU tests will fail. Install ${wanted}, or set R1_SOFTWARE_ICD to a driver's manifest.`,
  );
  return {};
}

function mesaVersion() {
  const query = spawnSync("dpkg-query", ["-W", "-f", "${Version}", "mesa-vulkan-drivers"], { encoding: "utf8" });
  return query.status === 0 ? Number.parseInt(query.stdout, 10) : 0;
}

function addAptSource(suite) {
  const folder = "/etc/apt/sources.list.d";
  const lists = ["/etc/apt/sources.list", ...readdirSync(folder).map((file) => join(folder, file))];
  const active = lists.filter((file) => /\.(list|sources)$/.test(file) && existsSync(file));
  if (active.some((file) => readFileSync(file, "utf8").includes(suite))) return;
  writeFileSync(
    join(folder, `${suite}.sources`),
    `Types: deb
URIs: http://deb.debian.org/debian
Suites: ${suite}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
  );
}
