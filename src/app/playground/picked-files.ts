import { R1Error } from "../../errors.ts";
import type { PickedFile } from "../../engine/protocol.ts";

/** A model folder has few files; a whole disk dropped by mistake is cut off here. */
const MAX_FILES = 1000;

/** What a model folder is made of; everything else in it is left out. */
const MODEL_FILE = /\.(json|safetensors|jinja|gguf)$/;

/** The files of a picked folder. */
export function filesOfInput(files: Iterable<File>): PickedFile[] {
  return Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, blob: file })).filter(isModelFile);
}

/**
 * The files of a drop, folders included.
 * @throws R1Error E_FILE_READ when the browser cannot read one of them
 */
export async function filesOfDrop(transfer: DataTransfer): Promise<PickedFile[]> {
  // Entries must be taken before the first await: the browser empties the transfer after the event.
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return filesOfInput(transfer.files);
  const files: PickedFile[] = [];
  try {
    for (const entry of entries) await collect(entry, files);
  } catch (cause) {
    if (cause instanceof R1Error) throw cause;
    throw new R1Error("E_FILE_READ", "a dropped file or folder could not be read", {}, { cause });
  }
  return files;
}

async function collect(entry: FileSystemEntry, files: PickedFile[]): Promise<void> {
  if (files.length >= MAX_FILES) return;
  if (isFile(entry)) {
    const blob = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    const picked = { path: entry.fullPath, blob };
    if (isModelFile(picked)) files.push(picked);
    return;
  }
  if (!isDirectory(entry)) return;
  const reader = entry.createReader();
  for (;;) {
    // A reader gives at most a hundred entries at a time, and none when it is done.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const child of some) await collect(child, files);
  }
}

function isModelFile({ path }: PickedFile): boolean {
  return MODEL_FILE.test(path);
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
