import { R1Error, throwIfAborted } from "../../errors.ts";
import { blobSource } from "../blob.ts";
import type { BlobFile } from "../blob.ts";
import { pathSegments } from "../file-name.ts";
import type { ModelLibrary, ModelStore } from "./model-store.ts";

/** Models in memory, as blobs: a browser puts large ones on disk for as long as the page lives. */
export class MemoryLibrary implements ModelLibrary {
  readonly kind = "memory";
  readonly #models = new Map<string, Map<string, Blob>>();
  readonly #busy = new Set<string>();

  async ids(): Promise<readonly string[]> {
    return [...this.#models.keys()];
  }

  async store(id: string): Promise<ModelStore> {
    const files = this.#models.get(id) ?? new Map<string, Blob>();
    this.#models.set(id, files);
    return memoryStore(id, files);
  }

  async remove(id: string): Promise<void> {
    this.#models.delete(id);
  }

  async freeBytes(): Promise<undefined> {
    return undefined;
  }

  async exclusively<T>(id: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy.has(id)) throw new R1Error("E_BUSY", `${id}: the model is being written already`, { model: id });
    this.#busy.add(id);
    try {
      return await work();
    } finally {
      this.#busy.delete(id);
    }
  }

  /** A model's files, to be handed to another worker. */
  files(id: string): readonly BlobFile[] {
    return Array.from(this.#models.get(id) ?? [], ([path, blob]) => ({ path: `${id}/${path}`, blob }));
  }
}

function memoryStore(name: string, files: Map<string, Blob>): ModelStore {
  return {
    name,
    open: async (file, signal) => {
      throwIfAborted(signal);
      const path = pathSegments(file).join("/");
      const blob = files.get(path);
      return blob && blobSource(path, blob);
    },
    openPart: async (file) => {
      let blob = files.get(file) ?? new Blob();
      files.set(file, blob);
      const replace = (next: Blob): void => {
        blob = next;
        files.set(file, next);
      };
      return {
        get size() {
          return blob.size;
        },
        append: async (bytes) => replace(new Blob([blob, bytes])),
        clear: async () => replace(new Blob()),
        close: async () => undefined,
      };
    },
    rename: async (from, to) => {
      const blob = files.get(from);
      if (!blob) throw new R1Error("E_STORAGE", `${from}: the file to be renamed is not there`, { file: from });
      files.set(to, blob);
      files.delete(from);
    },
    remove: async (file) => void files.delete(file),
  };
}
