import { accessSync, closeSync, constants, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolder } from "../checkpoint/node/make-folder.ts";
import { systemCode, systemError } from "../checkpoint/node/system-error.ts";
import { R1Error } from "../errors.ts";

/**
 * Finds out before long work whether a file can be written at a path, beside which it is written first. Makes its folder.
 * @throws R1Error E_STORAGE, E_QUOTA naming the path
 */
export function checkFileWritable(path: string): void {
  const found = attempt(path, () => statSync(path, { throwIfNoEntry: false }));
  if (found?.isDirectory())
    throw new R1Error("E_STORAGE", `${path}: found a folder; expected a file to write`, { file: path });
  // A device or a pipe is written as it is.
  if (found && !found.isFile()) return;
  if (found) checkReplaceable(path);
  checkFolderWritable(dirname(path), path);
}

/**
 * The same of files in a folder, which is made.
 * @param named what a complaint names
 */
export function checkFolderWritable(folder: string, named = folder): void {
  const probe = join(folder, `.r1-${process.pid}`);
  attempt(named, () => {
    makeFolder(folder);
    const file = openSync(probe, "wx");
    try {
      writeSync(file, "?");
    } finally {
      closeSync(file);
      rmSync(probe, { force: true });
    }
  });
}

/**
 * @param bytes that are to be written into a folder that is there
 * @throws R1Error E_QUOTA where there is no room for them
 */
export function checkRoomFor(bytes: number, folder: string): void {
  const free = freeBytes(folder);
  if (free === undefined || bytes <= free) return;
  throw new R1Error(
    "E_QUOTA",
    `${folder}: ${bytes} bytes are to be written, ${free} are free; free some, or choose another place`,
    { file: folder, needed: bytes, free },
  );
}

function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** A new file takes the place of an old one whose own permissions do not matter; not that of one that is sealed. */
function checkReplaceable(path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    if (["EPERM", "EROFS"].includes(systemCode(error) ?? "")) throw systemError(path, error, "written");
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw systemError(path, error, "written");
  }
}
