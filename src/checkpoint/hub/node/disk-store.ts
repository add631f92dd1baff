import { mkdirSync } from "node:fs";
import { mkdir, open, rename, rm, statfs } from "node:fs/promises";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { R1Error } from "../../../errors.ts";
import { pathSegments } from "../../file-name.ts";
import { nodeFolder } from "../../node/folder.ts";
import type { ModelStore, PartFile } from "../model-store.ts";
import type { Hasher } from "../sha256.ts";

/**
 * A folder on disk, made if it is not there.
 * @throws R1Error E_STORAGE
 */
export function diskStore(directory: string): ModelStore {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw storageError(directory, error);
  }
  const pathOf = (file: string): string => join(directory, ...pathSegments(file));
  return {
    ...nodeFolder(directory),
    openPart: (file) => attempt(file, () => openPart(file, pathOf(file))),
    rename: (from, to) =>
      attempt(from, async () => {
        await mkdir(dirname(pathOf(to)), { recursive: true });
        await rename(pathOf(from), pathOf(to));
      }),
    remove: (file) => attempt(file, () => rm(pathOf(file), { force: true })),
  };
}

/** Bytes that can still be written there. */
export async function freeDiskBytes(directory: string): Promise<number | undefined> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** Node's own SHA-256, which uses the processor's. */
export function nodeSha256(): Hasher {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), digest: async () => hash.digest("hex") };
}

async function openPart(file: string, path: string): Promise<PartFile> {
  await mkdir(dirname(path), { recursive: true });
  // Appends whatever the size is; reads nothing.
  const handle = await open(path, "a");
  let { size } = await handle.stat();
  return {
    get size() {
      return size;
    },
    append: (bytes) =>
      attempt(file, async () => {
        await handle.appendFile(bytes);
        size += bytes.length;
      }),
    clear: () =>
      attempt(file, async () => {
        await handle.truncate(0);
        size = 0;
      }),
    close: () =>
      attempt(file, async () => {
        await handle.sync();
        await handle.close();
      }),
  };
}

async function attempt<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof R1Error ? error : storageError(file, error);
  }
}

function storageError(file: string, error: unknown): R1Error {
  const reason = error instanceof Error ? error.message : String(error);
  const code = /\b(ENOSPC|EDQUOT)\b/.test(reason) ? "E_QUOTA" : "E_STORAGE";
  return new R1Error(code, `${file}: cannot be written (${reason})`, { file }, { cause: error });
}
