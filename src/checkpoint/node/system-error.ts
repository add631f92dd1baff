import type { ErrorCode } from "../../errors.ts";
import { R1Error } from "../../errors.ts";

export type FileUse = "read" | "written";

/** What the system's names of failures mean, and what helps; the same for reading and writing unless told apart. */
const REASONS: Readonly<Record<string, string | Readonly<Record<FileUse, string>>>> = {
  ENOENT: { read: "no such file or folder", written: "the folder that it should be in is not there" },
  EISDIR: "found a folder; expected a file",
  ENOTDIR: "a part of the path is a file; expected folders up to the last name",
  EEXIST: "something else has this name already; choose another one",
  ENOTEMPTY: "the folder is not empty",
  EACCES: { read: "may not be read; check its permissions", written: "may not be written; check its permissions" },
  EPERM: { read: "may not be read; check its permissions", written: "may not be written; check its permissions" },
  EROFS: "the file system can only be read; choose another place",
  ENOSPC: "no space is left on the device; free some, or choose another place",
  EDQUOT: "the disk quota is used up; free some space, or choose another place",
  EFBIG: "the file system takes no file of this size; choose another place",
  ENAMETOOLONG: "the name is too long for the file system; choose a shorter one",
  EMFILE: "too many files are open; raise the limit (ulimit -n)",
  ENFILE: "too many files are open on this machine; close other programs",
  ELOOP: "symbolic links lead in a circle",
  EBUSY: "another program holds it; close that one first",
  ETXTBSY: "it is a program that runs; end it first",
  EXDEV: "it lies on another file system",
  EIO: "the device failed; check the disk",
  ENXIO: "it is a device or pipe that nobody serves",
  EINVAL: "the file system does not take such a name or operation",
  EPIPE: "nobody reads the pipe any more",
  ERR_INVALID_ARG_VALUE: "no path: it holds a NUL character",
  ERR_FS_FILE_TOO_LARGE: "more than 2 GiB, which is too large for a text file",
  ERR_STRING_TOO_LONG: "more than 512 MiB, which is too large for a text file",
};

/** The system's name of a failure, ENOENT and the like; undefined for every other error. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return "syscall" in error || error.code in REASONS ? error.code : undefined;
}

/**
 * A failed file operation as an error with a code and a sentence: the path, what is the matter, what helps.
 * @returns `error` itself where it is an R1Error; E_FILE_MISSING, E_FILE_READ for reading, E_QUOTA (no space), E_STORAGE for
 *   writing
 */
export function systemError(path: string, error: unknown, use: FileUse): R1Error {
  if (error instanceof R1Error) return error;
  const code = systemCode(error) ?? "";
  const reason = Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
  const said = typeof reason === "object" ? reason[use] : (reason ?? (error instanceof Error ? error.message : ""));
  const tail = code === "" || said.includes(code) ? "" : ` (${code})`;
  // What is missing, or is a folder, is no matter of permissions: it is said at once.
  const about = use === "read" && code === "ENOENT" ? said : `cannot be ${use}: ${said}`;
  return new R1Error(codeOf(code, use), `${path}: ${about}${tail}`, { file: path }, { cause: error });
}

function codeOf(code: string, use: FileUse): ErrorCode {
  if (use === "read") return code === "ENOENT" ? "E_FILE_MISSING" : "E_FILE_READ";
  return code === "ENOSPC" || code === "EDQUOT" ? "E_QUOTA" : "E_STORAGE";
}
