import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { makeFolder } from "../../checkpoint/node/make-folder.ts";
import { systemCode, systemError } from "../../checkpoint/node/system-error.ts";

/**
 * The file operations that a run's folder is made of: all that is written goes through here, so that a test can end a run
 * at any one of them.
 * Each throws R1Error E_FILE_MISSING, E_FILE_READ, E_STORAGE or E_QUOTA, naming the path.
 */
export interface Disk {
  readonly exists: (path: string) => boolean;
  /** Names in a folder; empty where there is none. */
  readonly list: (folder: string) => readonly string[];
  readonly read: (path: string) => Uint8Array;
  /** A file's bytes, some MiB at a time. */
  readonly pieces: (path: string) => Iterable<Uint8Array>;
  /** Milliseconds since a file was last touched; undefined when it is not there. */
  readonly age: (path: string) => number | undefined;
  /** With all folders above. */
  readonly makeFolder: (path: string) => void;
  /** Replaces the content in place; it is on the disk afterwards. */
  readonly write: (path: string, content: Uint8Array | string) => void;
  /** @returns false where the file is there already; else it is there with its content at once */
  readonly create: (path: string, content: string) => boolean;
  readonly append: (path: string, text: string) => void;
  /** What was written to a file, or which names a folder has, is on the disk afterwards. */
  readonly sync: (path: string) => void;
  readonly rename: (from: string, to: string) => void;
  /** With all that is inside; what is not there is no error. */
  readonly remove: (path: string) => void;
  readonly touch: (path: string) => void;
}

const PIECE_BYTES = 8 * 2 ** 20;

export const nodeDisk: Disk = {
  exists: (path) => existsSync(path),
  list(folder) {
    try {
      return readdirSync(folder).toSorted();
    } catch (error) {
      if (systemCode(error) === "ENOENT") return [];
      throw systemError(folder, error, "read");
    }
  },
  read: (path) => attempt(path, "read", () => readFileSync(path)),
  *pieces(path) {
    const file = attempt(path, "read", () => openSync(path, "r"));
    try {
      const piece = new Uint8Array(PIECE_BYTES);
      for (;;) {
        const bytes = attempt(path, "read", () => readSync(file, piece));
        if (bytes === 0) return;
        yield piece.subarray(0, bytes);
      }
    } finally {
      closeSync(file);
    }
  },
  age(path) {
    const stat = attempt(path, "read", () => statSync(path, { throwIfNoEntry: false }));
    return stat && Date.now() - stat.mtimeMs;
  },
  makeFolder: (path) => attempt(path, "written", () => makeFolder(path)),
  write: (path, content) => attempt(path, "written", () => writeFileSync(path, content, { flush: true })),
  create: (path, content) => attempt(path, "written", () => createWhole(path, content)),
  append: (path, text) => attempt(path, "written", () => appendFileSync(path, text)),
  sync: (path) => attempt(path, "written", () => sync(path)),
  rename: (from, to) => attempt(to, "written", () => renameSync(from, to)),
  remove: (path) => attempt(path, "written", () => rmSync(path, { recursive: true, force: true })),
  touch: (path) => attempt(path, "written", () => utimesSync(path, new Date(), new Date())),
};

/** Written under a name of its own and linked: nobody sees it without its content. */
function createWhole(path: string, content: string): boolean {
  const own = `${path}.${process.pid}`;
  try {
    writeFileSync(own, content);
    linkSync(own, path);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    // A file system without hard links.
    if (!["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK"].includes(systemCode(error) ?? "")) throw error;
    return createInPlace(path, content);
  } finally {
    rmSync(own, { force: true });
  }
}

function createInPlace(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: "wx" });
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

function sync(path: string): void {
  const isFolder = statSync(path).isDirectory();
  // Windows opens no folder; there a rename is on the disk when the journal is.
  if (isFolder && process.platform === "win32") return;
  const file = openSync(path, isFolder ? "r" : "r+");
  try {
    fsyncSync(file);
  } catch (error) {
    // Some network file systems sync files alone.
    if (!isFolder || systemCode(error) !== "EINVAL") throw error;
  } finally {
    closeSync(file);
  }
}

function attempt<T>(path: string, use: "read" | "written", work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw systemError(path, error, use);
  }
}
