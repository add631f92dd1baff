import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

/** Data of public projects, which is not part of the repository: `R1_DATA`, else `shared/data` beside it. */
const ROOT = process.env["R1_DATA"] ?? fileURLToPath(new URL("../../../../shared/data", import.meta.url));

export function dataPath(path: string): string {
  return join(ROOT, path);
}

export function hasData(path: string): boolean {
  return existsSync(dataPath(path));
}

export function readData(path: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(dataPath(path)));
}

/** Title of a suite that needs test data, with the reason when it is skipped. */
export function titleWithData(title: string, path: string): string {
  return hasData(path) ? title : `${title} (skipped: ${dataPath(path)} is not there; set R1_DATA)`;
}
