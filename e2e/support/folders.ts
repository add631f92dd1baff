import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");
export const TINY = join(ROOT, "public/models/tiny-random");

/**
 * A copy of the built-in model's folder, with changes.
 * @param changes content by file name; undefined removes the file
 * @param use what is done with the folder `name`, which is gone afterwards
 */
export async function withFolder(
  name: string,
  changes: Readonly<Record<string, string | Uint8Array | undefined>>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const parent = mkdtempSync(join(tmpdir(), "r1-e2e-"));
  const folder = join(parent, name);
  try {
    cpSync(TINY, folder, { recursive: true });
    for (const [file, content] of Object.entries(changes)) {
      if (content === undefined) rmSync(join(folder, file));
      else writeFileSync(join(folder, file), content);
    }
    await use(folder);
  } finally {
    rmSync(parent, { recursive: true });
  }
}
