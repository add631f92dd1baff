import { blobFolder } from "../blob.ts";
import type { ModelFolder } from "../source.ts";
import type { ExportFile } from "./file.ts";

export interface InMemoryOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * An export as a folder in memory, for who reads it at once.
 * @throws R1Error E_ABORTED, and what the files throw while they are made
 */
export async function inMemory(
  name: string,
  files: readonly ExportFile[],
  { signal, onProgress }: InMemoryOptions = {},
): Promise<ModelFolder> {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const blobs: { path: string; blob: Blob }[] = [];
  for (const file of files) {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for await (const chunk of file.chunks(signal)) {
      parts.push(Uint8Array.from(chunk));
      done += chunk.length;
      onProgress?.(done, total);
    }
    blobs.push({ path: file.path, blob: new Blob(parts) });
  }
  return blobFolder(name, blobs);
}
