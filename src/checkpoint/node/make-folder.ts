import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { systemCode } from "./system-error.ts";

/**
 * Makes a folder with all above it. Node's own `recursive` never returns where the parent is there and nothing can be made in
 * it, as in /proc, and calls a file system that can only be read a missing folder.
 * @throws the system's error
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const code = systemCode(error);
    const above = dirname(path);
    // Also where the file system says first that it cannot be written.
    if (isFolder(path)) return;
    if (code !== "ENOENT" || above === path || isFolder(above)) throw error;
    makeFolder(above);
    mkdirSync(path);
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
