import type { ModelFolder } from "../source.ts";

/** A file that grows at its end. */
export interface PartFile {
  /** Bytes that it has. */
  readonly size: number;
  /** @throws R1Error E_QUOTA, E_STORAGE */
  append(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Takes its content away. */
  clear(): Promise<void>;
  /** It is on disk then, as far as the system tells. */
  close(): Promise<void>;
}

/** A model's folder that can be written. Names may hold slashes. */
export interface ModelStore extends ModelFolder {
  /**
   * Opens a file, or makes it.
   * @throws R1Error E_BUSY when it is open already, E_STORAGE
   */
  openPart(file: string): Promise<PartFile>;
  /** Gives a file another name, at once: it is there under one of the two at every moment. */
  rename(from: string, to: string): Promise<void>;
  /** A file that is not there is no error. */
  remove(file: string): Promise<void>;
}

/** Where a browser keeps models. */
export interface ModelLibrary {
  /** `memory` is gone with the page: a private window, a frame on another site. */
  readonly kind: "opfs" | "memory";
  /** Ids of the models that are there, whole or not. */
  ids(): Promise<readonly string[]>;
  /** Makes it if it is not there. */
  store(id: string): Promise<ModelStore>;
  remove(id: string): Promise<void>;
  /** Bytes that can still be stored; undefined when the browser does not tell. */
  freeBytes(): Promise<number | undefined>;
  /**
   * Does something as the only one who writes a model, over all tabs.
   * @throws R1Error E_BUSY when another one does
   */
  exclusively<T>(id: string, work: () => Promise<T>): Promise<T>;
}
