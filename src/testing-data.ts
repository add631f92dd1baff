import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");

/** Golden fixtures: `R1_FIXTURES` if set, else the repository's own. */
export const FIXTURES = process.env["R1_FIXTURES"] ?? join(ROOT, "e2e/fixtures");

/** Real data of public projects, which is not part of the repository: `R1_DATA`, else `shared/data` beside it. */
export const DATA = process.env["R1_DATA"] ?? join(ROOT, "../shared/data");

/** True where a file or folder of {@link DATA} is there; tests that need it skip otherwise. */
export function hasData(path: string): boolean {
  return existsSync(join(DATA, path));
}
