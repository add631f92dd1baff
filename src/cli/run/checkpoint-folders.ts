import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { openCheckpoint } from "../../checkpoint/checkpoint.ts";
import { nodeFolder } from "../../checkpoint/node/folder.ts";
import { systemCode } from "../../checkpoint/node/system-error.ts";
import { quote } from "../../checkpoint/quote.ts";
import { readJson } from "../../checkpoint/source.ts";
import { isR1Error } from "../../errors.ts";
import type { FileMap } from "../../train/run/model-files.ts";
import { OPTIMIZER_FILE, parseRunState, STATE_FILE } from "../../train/run/state.ts";
import type { Disk } from "./disk.ts";

/**
 * Of every other file of a checkpoint, as `sha256sum --check` reads it, after a line with the step and the number of files.
 * It is written last: where it is and agrees, the checkpoint is whole.
 */
export const SUMS_FILE = "SHA256SUMS";

/** Longest piece that is hashed at a time. */
const PIECE_BYTES = 64 * 2 ** 20;

/** Failures that say nothing about a file. */
const PASSING: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EMFILE", "ENFILE", "ENOMEM"]);

/** Writes a checkpoint's files, each on the disk before the next one, and then their sums. */
export function writeCheckpoint(disk: Disk, folder: string, files: FileMap): void {
  const folders = new Set([folder, ...Array.from(files.keys(), (file) => dirname(join(folder, file)))]);
  for (const one of folders) disk.makeFolder(one);
  for (const [file, bytes] of files) disk.write(join(folder, file), bytes);
  disk.write(join(folder, SUMS_FILE), sumsOf(files));
  for (const one of folders) disk.sync(one);
}

function sumsOf(files: FileMap): string {
  const { step } = parseRunState(JSON.parse(new TextDecoder().decode(files.get(STATE_FILE))));
  const lines = Array.from(files, ([file, bytes]) => `${sha256(piecesOf(bytes))}  ${file}`);
  return [`# step ${step}, ${files.size} files`, ...lines, ""].join("\n");
}

/** A folder that may be a checkpoint, looked at. */
export type Assessment =
  | { readonly kind: "none" }
  /** Its step; `isSummed` where its bytes were held to their sums, and not only looked at as far as their headers say. */
  | { readonly kind: "whole"; readonly step: number; readonly isSummed: boolean }
  /** Why it cannot be gone on from, naming the file. */
  | { readonly kind: "damaged"; readonly problem: string };

/** Whether a folder is a whole checkpoint, reading all of it. */
export async function assessCheckpoint(disk: Disk, folder: string): Promise<Assessment> {
  if (!disk.exists(folder)) return { kind: "none" };
  try {
    const isSummed = disk.exists(join(folder, SUMS_FILE));
    const problem = isSummed ? checkSums(disk, folder) : await checkHeaders(disk, folder);
    if (typeof problem === "string") return { kind: "damaged", problem };
    const { step } = parseRunState(await readJson(nodeFolder(folder), STATE_FILE));
    if (!isSummed || problem.step === step) return { kind: "whole", step, isSummed };
    return { kind: "damaged", problem: `${STATE_FILE} is of step ${step}, ${SUMS_FILE} of step ${problem.step}` };
  } catch (error) {
    // What may not be read now may be whole all the same.
    if (!isR1Error(error) || PASSING.has(systemCode(error.cause) ?? "")) throw error;
    return { kind: "damaged", problem: error.message };
  }
}

/** @returns the step that the sums are of, or what is wrong */
function checkSums(disk: Disk, folder: string): { readonly step: number } | string {
  const text = new TextDecoder("utf-8", { fatal: false }).decode(disk.read(join(folder, SUMS_FILE)));
  const [head = "", ...lines] = text.split("\n");
  const [, step, count] = /^# step (\d{1,9}), (\d{1,6}) files$/.exec(head) ?? [];
  if (step === undefined || lines.pop() !== "" || lines.length !== Number(count)) {
    return `${SUMS_FILE} is damaged: it is not a list of as many sums as it begins with`;
  }
  for (const line of lines) {
    const [, sum, file] = /^([0-9a-f]{64}) {2}([\w.-]+(?:\/[\w.-]+)*)$/.exec(line) ?? [];
    if (sum === undefined || file === undefined) return `${SUMS_FILE} is damaged: ${quote(line)} is no sum and name`;
    const path = join(folder, file);
    if (!disk.exists(path)) return `${file}, which ${SUMS_FILE} lists, is missing`;
    if (sha256(disk.pieces(path)) !== sum) return `${file} is damaged: its SHA-256 is not the one in ${SUMS_FILE}`;
  }
  return { step: Number(step) };
}

/** A checkpoint of before there were sums: JSON is JSON, and the tensors' files are as long as their headers say. */
async function checkHeaders(disk: Disk, path: string): Promise<{ readonly step: number } | string> {
  const folder = nodeFolder(path);
  const names = disk.list(path);
  for (const name of [STATE_FILE, OPTIMIZER_FILE]) if (!names.includes(name)) return `${name} is missing`;
  for (const name of names) {
    if (name.endsWith(".json")) await readJson(folder, name);
    if (name.endsWith(".safetensors")) await openCheckpoint(folder, { file: name });
  }
  return { step: 0 };
}

function sha256(pieces: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}
