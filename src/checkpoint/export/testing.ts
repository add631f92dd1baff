import { memoryFolder } from "../testing.ts";
import type { MemoryFolder } from "../testing.ts";
import type { ExportFile } from "./file.ts";

/** All bytes of a file, held to the size that it announces. */
export async function exportedBytes(file: ExportFile): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(file.size);
  let at = 0;
  for await (const chunk of file.chunks()) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (at !== file.size) throw new Error(`${file.path}: ${at} bytes; ${file.size} were announced`);
  return bytes;
}

/** An export as a folder in memory. */
export async function exportedFolder(files: readonly ExportFile[]): Promise<MemoryFolder> {
  const entries = await Promise.all(files.map(async (file) => [file.path, await exportedBytes(file)] as const));
  return memoryFolder(Object.fromEntries(entries), "exported");
}
