import { open, rename, rm, statfs } from "node:fs/promises";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { pathSegments } from "../../file-name.ts";
import { nodeFolder } from "../../node/folder.ts";
import { makeFolder } from "../../node/make-folder.ts";
import { systemError } from "../../node/system-error.ts";
import type { ModelStore, PartFile } from "../model-store.ts";
import type { Hasher } from "../sha256.ts";

/**
 * A folder on disk, made if it is not there.
 * @throws R1Error E_STORAGE, E_QUOTA
 */
export function diskStore(directory: string): ModelStore {
  try {
    makeFolder(directory);
  } catch (error) {
    throw systemError(directory, error, "written");
  }
  const pathOf = (file: string): string => join(directory, ...pathSegments(file));
  return {
    ...nodeFolder(directory),
    openPart: (file) => attempt(file, () => openPart(file, pathOf(file))),
    rename: (from, to) =>
      attempt(from, async () => {
        makeFolder(dirname(pathOf(to)));
        await rename(pathOf(from), pathOf(to));
      }),
    remove: (file) => attempt(file, () => rm(pathOf(file), { force: true })),
  };
}

/** Bytes that can still be written there; undefined where that is not told. */
export async function freeDiskBytes(directory: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    // Not every file system tells.
    return undefined;
  }
}

/** Node's own SHA-256, which uses the processor's. */
export function nodeSha256(): Hasher {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), digest: async () => hash.digest("hex") };
}

async function openPart(file: string, path: string): Promise<PartFile> {
  makeFolder(dirname(path));
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
    throw systemError(file, error, "written");
  }
}
