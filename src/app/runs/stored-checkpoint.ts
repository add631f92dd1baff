import { bytesToHex } from "@noble/hashes/utils.js";
import * as v from "valibot";
import type { CheckpointFiles } from "../../engine/protocol.ts";
import { checkpointStepOf } from "./checkpoint-files.ts";
import type { StoredCheckpoint } from "./run-database.ts";

const filesSchema = v.record(
  v.pipe(v.string(), v.regex(/^[\w.-]{1,200}$/)),
  v.custom<Uint8Array<ArrayBuffer>>((value) => value instanceof Uint8Array && value.buffer instanceof ArrayBuffer),
);
const storedSchema = v.object({ files: filesSchema, sums: v.record(v.string(), v.string()) });

/** A kept checkpoint, or what is wrong with it: the file, and how it differs. */
export type CheckedCheckpoint = { readonly files: CheckpointFiles } | { readonly damage: string };

/** A checkpoint with what tells later whether it is still the same. */
export async function withSums(files: CheckpointFiles): Promise<StoredCheckpoint> {
  const sums: Record<string, string> = {};
  for (const [name, bytes] of Object.entries(files)) {
    const sum = await sumOf(bytes);
    if (sum !== undefined) sums[name] = sum;
  }
  return { files, sums };
}

/** @param row as it was read, which may be of an earlier page: then its files are all that can be checked */
export async function checkedCheckpoint(row: unknown): Promise<CheckedCheckpoint> {
  const alone = v.safeParse(filesSchema, row);
  const stored = alone.success ? { success: true as const, output: { files: alone.output, sums: {} } } : parsed(row);
  if (!stored.success) return { damage: stored.damage };
  const { files, sums } = stored.output;
  for (const [name, sum] of Object.entries(sums)) {
    const bytes = files[name];
    if (!bytes) return { damage: `${name} is missing` };
    const found = await sumOf(bytes);
    if (found !== undefined && found !== sum)
      return { damage: `${name} is not as it was written (its checksum differs)` };
  }
  if (checkpointStepOf(files) === 0) return { damage: "trainer_state.json does not say its step" };
  return { files };
}

function parsed(
  row: unknown,
):
  | { readonly success: true; readonly output: StoredCheckpoint }
  | { readonly success: false; readonly damage: string } {
  const found = v.safeParse(storedSchema, row);
  if (found.success) return { success: true, output: found.output };
  const [issue] = found.issues;
  return { success: false, damage: `${v.getDotPath(issue) ?? "the row"}: ${issue.message}` };
}

/** Undefined where the page is not served safely, and so may not compute it. */
async function sumOf(bytes: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  const subtle: SubtleCrypto | undefined = crypto.subtle;
  if (!subtle) return undefined;
  return bytesToHex(new Uint8Array(await subtle.digest("SHA-256", bytes)));
}
