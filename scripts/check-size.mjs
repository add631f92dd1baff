import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { parseAst } from "rolldown/parseAst";
import { root } from "./install.mjs";

/** What a built page (dist, after `vite build`) makes a browser download before it can do anything. */

const KILOBYTE = 1000;
/** JavaScript, compressed as servers send it. */
const MOST = { "index.html": 200 * KILOBYTE, "embed.html": 200 * KILOBYTE };

/**
 * The scripts that a page loads at once: its own and, over and over, what they import statically.
 * @param {string} html the page's name in the folder
 * @param {(path: string) => string} read a file's text by its path in the folder
 * @returns {string[]} paths
 */
export function initialScripts(html, read) {
  const tags = read(html).match(/<script\b[^>]*>/g) ?? [];
  const waiting = tags.flatMap((tag) => {
    const src = /\bsrc="([^"]+)"/.exec(tag)?.[1];
    return src === undefined ? [] : [posix.join(posix.dirname(html), src)];
  });
  const found = new Set();
  for (const path of waiting) {
    if (found.has(path)) continue;
    found.add(path);
    for (const node of parseAst(read(path)).body) {
      const imported = node.source?.value;
      if (typeof imported === "string") waiting.push(posix.join(posix.dirname(path), imported));
    }
  }
  return [...found];
}

function main() {
  const read = (path) => readFileSync(join(root, "dist", path), "utf8");
  for (const [html, most] of Object.entries(MOST)) {
    const sizes = initialScripts(html, read).map((path) => [path, gzipSync(read(path)).length]);
    const total = sizes.reduce((sum, [, size]) => sum + size, 0);
    console.log(`${html}: ${(total / KILOBYTE).toFixed(1)} KB of JavaScript at first, at most ${most / KILOBYTE}`);
    for (const [path, size] of sizes) console.log(`  ${(size / KILOBYTE).toFixed(1).padStart(6)} KB  ${path}`);
    if (total > most) process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main();
