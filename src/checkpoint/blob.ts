import { R1Error, throwIfAborted } from "../errors.ts";
import { pathSegments } from "./file-name.ts";
import { checkRange, endedEarly } from "./source.ts";
import type { ByteSource, ModelFolder } from "./source.ts";

/** A dropped or picked file. */
export interface BlobFile {
  /** Path within what was dropped or picked ("folder/config.json"), or only a name. */
  readonly path: string;
  readonly blob: Blob;
}

/** Dropped or picked files as a folder; folders that all of them are in are left out of their names. */
export function blobFolder(name: string, files: Iterable<BlobFile>): ModelFolder {
  const entries = Array.from(files, ({ path, blob }) => ({ segments: path.split("/").filter(isSegment), blob }));
  const common = commonFolders(entries.map(({ segments }) => segments.slice(0, -1)));
  const blobs = new Map(entries.map(({ segments, blob }) => [segments.slice(common).join("/"), blob]));
  return {
    name,
    async open(file, signal) {
      throwIfAborted(signal);
      const path = pathSegments(file).join("/");
      const blob = blobs.get(path);
      return blob && blobSource(path, blob);
    },
    list: async () => [...blobs.keys()].filter((path) => !path.includes("/")),
    paths: async () => [...blobs.keys()],
  };
}

/** A blob's bytes; a `File`'s stay on disk until they are read. */
export function blobSource(name: string, blob: Blob): ByteSource {
  const { size } = blob;
  return {
    name,
    size,
    async read(offset, length, signal) {
      throwIfAborted(signal);
      checkRange({ name, size }, offset, length);
      const bytes = new Uint8Array(await blobBytes(name, blob.slice(offset, offset + length)));
      throwIfAborted(signal);
      if (bytes.length !== length) throw endedEarly(name, offset + bytes.length, offset + length);
      return bytes;
    },
  };
}

async function blobBytes(name: string, blob: Blob): Promise<ArrayBuffer> {
  try {
    return await blob.arrayBuffer();
  } catch (error) {
    // Browsers refuse to read a file that was changed or removed after it was chosen.
    throw new R1Error(
      "E_FILE_READ",
      `${name}: the file could not be read; it may have been changed or removed since it was chosen`,
      { file: name },
      { cause: error },
    );
  }
}

/** Paths from a drop begin with "/", those of some archives with "./". */
function isSegment(segment: string): boolean {
  return segment !== "" && segment !== ".";
}

/** How many leading folders all paths share. */
function commonFolders(folders: readonly (readonly string[])[]): number {
  const [first = []] = folders;
  let count = 0;
  while (count < first.length && folders.every((folder) => folder[count] === first[count])) count++;
  return count;
}
