import { isR1Error, R1Error, throwIfAborted } from "../../errors.ts";
import { blobSource } from "../blob.ts";
import { pathSegments } from "../file-name.ts";
import { MemoryLibrary } from "./memory-library.ts";
import type { ModelLibrary, ModelStore, PartFile } from "./model-store.ts";

/** The folder of the origin's private file system that holds a folder for each model. */
const ROOT = "models";

/** What TypeScript's library of the page lacks: workers have it. */
interface SyncAccessHandle {
  getSize(): number;
  write(bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** A file's handle in a worker. */
interface WorkerFileHandle {
  createSyncAccessHandle(): Promise<SyncAccessHandle>;
}

/** A file's handle in all but older browsers. */
interface MovableHandle {
  move(parent: FileSystemDirectoryHandle, name: string): Promise<void>;
}

/**
 * The browser's private file system for this page; memory where it is closed to the page. Models can be listed, read and
 * removed anywhere; only a worker can write them.
 */
export async function openLibrary(): Promise<ModelLibrary> {
  try {
    const root = await navigator.storage.getDirectory();
    return new OpfsLibrary(await root.getDirectoryHandle(ROOT, { create: true }));
  } catch {
    // A private window, or a frame on another site.
    return new MemoryLibrary();
  }
}

class OpfsLibrary implements ModelLibrary {
  readonly kind = "opfs";
  readonly #root: FileSystemDirectoryHandle;

  constructor(root: FileSystemDirectoryHandle) {
    this.#root = root;
  }

  async ids(): Promise<readonly string[]> {
    const ids: string[] = [];
    for await (const { kind, name } of this.#root.values()) {
      if (kind === "directory") ids.push(name);
    }
    return ids.toSorted();
  }

  async store(id: string): Promise<ModelStore> {
    const [name = ""] = pathSegments(id);
    return new OpfsStore(await attempt(id, () => this.#root.getDirectoryHandle(name, { create: true })));
  }

  async remove(id: string): Promise<void> {
    await attempt(id, () => this.#root.removeEntry(id, { recursive: true }), "NotFoundError");
  }

  async freeBytes(): Promise<number | undefined> {
    const { quota, usage } = await navigator.storage.estimate().catch((): StorageEstimate => ({}));
    return quota === undefined || usage === undefined ? undefined : quota - usage;
  }

  exclusively<T>(id: string, work: () => Promise<T>): Promise<T> {
    return navigator.locks.request(`r1-model-${id}`, { ifAvailable: true }, async (lock) => {
      if (lock) return work();
      throw new R1Error("E_BUSY", `${id}: another tab is writing this model`, { model: id });
    });
  }
}

class OpfsStore implements ModelStore {
  readonly #directory: FileSystemDirectoryHandle;

  constructor(directory: FileSystemDirectoryHandle) {
    this.#directory = directory;
  }

  get name(): string {
    return this.#directory.name;
  }

  async open(file: string, signal?: AbortSignal) {
    throwIfAborted(signal);
    const handle = await attempt(file, () => this.#handle(file, false), "NotFoundError");
    return handle && blobSource(file, await attempt(file, () => handle.getFile()));
  }

  async openPart(file: string): Promise<PartFile> {
    const handle = await attempt(file, async () => {
      const found = await this.#handle(file, true);
      if (isForWorkers(found)) return found.createSyncAccessHandle();
      throw new R1Error("E_STORAGE", `${file}: this browser can only read its private files`, { file });
    });
    let size = handle.getSize();
    return {
      get size() {
        return size;
      },
      append: (bytes) =>
        attempt(file, async () => {
          for (let at = 0; at < bytes.length;) {
            const written = handle.write(bytes.subarray(at), { at: size });
            if (written <= 0) throw full(file);
            at += written;
            size += written;
          }
          handle.flush();
        }),
      clear: () =>
        attempt(file, async () => {
          handle.truncate(0);
          size = 0;
        }),
      close: async () => handle.close(),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await attempt(from, async () => {
      const [parent, name] = await this.#place(to, true);
      const handle = await this.#handle(from, false);
      if (canMove(handle)) return handle.move(parent, name);
      // An older browser: the copy has its name only when it is whole, because a download looks at the size.
      await this.#copy(handle, to);
      return this.remove(from);
    });
  }

  async remove(file: string): Promise<void> {
    await attempt(
      file,
      async () => {
        const [parent, name] = await this.#place(file, false);
        await parent.removeEntry(name);
      },
      "NotFoundError",
    );
  }

  async #copy(from: FileSystemFileHandle, to: string): Promise<void> {
    const part = await this.openPart(to);
    try {
      await part.clear();
      const reader = (await from.getFile()).stream().getReader();
      for (let read = await reader.read(); read.value; read = await reader.read()) await part.append(read.value);
    } finally {
      await part.close();
    }
  }

  async #handle(file: string, create: boolean): Promise<FileSystemFileHandle> {
    const [parent, name] = await this.#place(file, create);
    return parent.getFileHandle(name, { create });
  }

  /** The folder that a file is in, and its own name. */
  async #place(file: string, create: boolean): Promise<readonly [FileSystemDirectoryHandle, string]> {
    const segments = pathSegments(file);
    let parent = this.#directory;
    for (const segment of segments.slice(0, -1)) parent = await parent.getDirectoryHandle(segment, { create });
    return [parent, segments.at(-1) ?? ""];
  }
}

/** Does something with the file system; its failures become typed errors, the one that is named becomes nothing. */
async function attempt<T>(file: string, work: () => Promise<T>): Promise<T>;
async function attempt<T>(file: string, work: () => Promise<T>, expected: string): Promise<T | undefined>;
async function attempt<T>(file: string, work: () => Promise<T>, expected?: string): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isR1Error(error)) throw error;
    const name = error instanceof Error ? error.name : "";
    if (expected !== undefined && name === expected) return undefined;
    if (name === "QuotaExceededError") throw full(file, error);
    if (name === "NoModificationAllowedError") {
      throw new R1Error("E_BUSY", `${file}: another tab is using this file`, { file }, { cause: error });
    }
    const reason = error instanceof Error ? `${name}: ${error.message}` : String(error);
    throw new R1Error("E_STORAGE", `${file}: the browser's storage failed (${reason})`, { file }, { cause: error });
  }
}

function full(file: string, cause?: unknown): R1Error {
  const problem = `${file}: the browser's storage for this page is full`;
  return new R1Error("E_QUOTA", problem, { file }, cause === undefined ? undefined : { cause });
}

function isForWorkers<H extends object>(handle: H): handle is H & WorkerFileHandle {
  return "createSyncAccessHandle" in handle;
}

function canMove<H extends object>(handle: H): handle is H & MovableHandle {
  return "move" in handle;
}
