import { existsSync, mkdirSync, readdirSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { installPackages, root } from "./install.mjs";

/** The command line: installs what is missing, bundles src/cli when a source has changed, and runs the bundle here. */
const folder = join(root, "dist-cli");
const bundle = join(folder, "r1.mjs");

/** What runs on its own: the command line, and the process it renders chat templates in. */
const ENTRIES = { r1: "src/cli/main.ts", "template-worker-node": "src/text/node/template-worker-node.ts" };

/** Milliseconds of the last change to a source; folders count, as theirs is the time of the last deletion. */
function lastChange() {
  const src = join(root, "src");
  const sources = readdirSync(src, { recursive: true }).map((path) => join(src, path));
  const all = [src, ...sources, fileURLToPath(import.meta.url)];
  return Math.max(...all.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0));
}

const isBundle = ({ fileName }) => Number(fileName === "r1.mjs");

async function build() {
  const begun = new Date();
  const { rolldown } = await import("rolldown");
  const input = Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, join(root, path)]));
  const external = (id) => !id.startsWith(".") && !isAbsolute(id);
  const sources = await rolldown({ input, platform: "node", external, cwd: root });
  const { output } = await sources.generate({ entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" });
  await sources.close();
  mkdirSync(folder, { recursive: true });
  // Another r1 may start meanwhile: each file appears whole, and r1.mjs after all that it imports.
  for (const { fileName, code } of output.toSorted((a, b) => isBundle(a) - isBundle(b))) {
    const part = join(folder, `${fileName}.${process.pid}`);
    writeFileSync(part, code);
    renameSync(part, join(folder, fileName));
  }
  utimesSync(bundle, begun, begun);
}

installPackages();
if (!existsSync(bundle) || statSync(bundle).mtimeMs < lastChange()) await build();
await import(pathToFileURL(bundle).href);
