import { R1Error } from "../../errors.ts";
import type { PickedFile } from "../../engine/protocol.ts";

/** A model has few files (old graphs one for each tensor). */
const MAX_FILES = 4000;
/** A whole disk dropped by mistake ends here. */
const MAX_SEEN = 100_000;

/** What a model folder is made of; of everything else in it only what may be a graph's data is taken. */
const MODEL_FILE = /\.(json|safetensors|jinja|gguf|onnx)$/;
/** Weights and tokenizers that cannot be read: they come along so that the engine can say so by their names. */
const FOREIGN_FILE = /(\.(bin|pt|pth|ckpt|h5|msgpack|ort|model)|(^|\/)(merges|vocab)\.txt)$/;
/** What lies beside a graph and cannot be its data. */
const NO_DATA = /\.(md|py|ipynb|png|jpe?g|gif|svg|pdf|html)$|(^|\/)LICENSE/;
/** What file managers, git and downloaders leave behind. */
const HIDDEN = /(^|\/)\./;

/** The files of a picked folder. @throws R1Error E_FORMAT for more than a model has */
export function filesOfInput(files: Iterable<File>): PickedFile[] {
  const picked: PickedFile[] = [];
  for (const blob of files) add({ path: blob.webkitRelativePath || blob.name, blob }, picked);
  return modelFiles(picked);
}

function add(file: PickedFile, files: PickedFile[]): void {
  if (HIDDEN.test(file.path)) return;
  if (files.length >= MAX_SEEN) throw tooMany(MAX_SEEN);
  files.push(file);
}

function tooMany(most: number): R1Error {
  return new R1Error("E_FORMAT", `more than ${most} files were chosen; choose the model's own folder, or its files`);
}

/**
 * Those of some files that make a model. A graph's data may have any name, so everything beside one is taken. Files that
 * cannot be read come last, so that they do not say which folder is the model's.
 */
function modelFiles(files: readonly PickedFile[]): PickedFile[] {
  const own = files.filter(({ path }) => MODEL_FILE.test(path));
  const graphFolders = new Set(own.filter(({ path }) => path.endsWith(".onnx")).map(({ path }) => folderOf(path)));
  const known = new Set(own);
  const isBeside = ({ path }: PickedFile): boolean => graphFolders.has(folderOf(path)) && !NO_DATA.test(path);
  const beside = files.filter((file) => !known.has(file) && isBeside(file));
  const foreign = files.filter((file) => !known.has(file) && !isBeside(file) && FOREIGN_FILE.test(file.path));
  const chosen = [...own, ...beside, ...foreign];
  if (chosen.length > MAX_FILES) throw tooMany(MAX_FILES);
  return chosen;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/**
 * The files of a drop, folders included.
 * @throws R1Error E_FILE_READ when the browser cannot read one of them, E_FORMAT for more than a model has
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
  return modelFiles(files);
}

async function collect(entry: FileSystemEntry, files: PickedFile[]): Promise<void> {
  if (HIDDEN.test(entry.fullPath)) return;
  if (isFile(entry)) {
    const blob = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    add({ path: entry.fullPath, blob }, files);
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

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
