import { bytesToHex } from "@noble/hashes/utils.js";
import * as v from "valibot";
import { isR1Error, R1Error, throwIfAborted } from "../../errors.ts";
import { readJson } from "../source.ts";
import { hubError } from "./hub-error.ts";
import type { Hub, HubFile } from "./hub.ts";
import { writeJson } from "./manifest.ts";
import type { Meter } from "./meter.ts";
import type { ModelStore } from "./model-store.ts";
import type { Hasher } from "./sha256.ts";
import { ChangedFile, Transfer } from "./transfer.ts";
import type { TransferSettings } from "./transfer.ts";

export interface FileEnvironment {
  readonly hub: Hub;
  readonly store: ModelStore;
  readonly meter: Meter;
  readonly newSha256: () => Hasher;
  readonly settings: TransferSettings;
  readonly signal: AbortSignal | undefined;
}

/** Beside a part: what it is a part of. */
const noteSchema = v.object({
  size: v.number(),
  hash: v.exactOptional(v.string()),
  etag: v.exactOptional(v.pipe(v.string(), v.maxLength(500))),
});
type Note = v.InferOutput<typeof noteSchema>;

/** Bytes of a part that are read and hashed at a time. */
const READ_BYTES = 8 * 2 ** 20;
/** Files of this size and less, which have no SHA-256 in the listing, are checked against git's own hash. */
const MAX_GIT_BYTES = 64 * 2 ** 20;

/** How a file is fetched. */
interface Way {
  /** In ranges; else as a whole, from a server that does not keep to them. */
  readonly byRanges: boolean;
  /** An answer with another ETag is of another file; no longer where a server changes them and the hash can decide. */
  readonly byEtag: boolean;
}

/**
 * Downloads one file, going on from its part.
 * @throws R1Error as `downloadModel`
 */
export async function downloadFile(environment: FileEnvironment, url: URL, file: HubFile): Promise<void> {
  const { store, meter, signal } = environment;
  const part = `${file.path}.part`;
  let way: Way = { byRanges: true, byEtag: true };
  let [damages, changes] = [0, 0];
  for (;;) {
    throwIfAborted(signal);
    try {
      if (await fetchPart(environment, url, file, way)) break;
      damages++;
      if (damages > 1) throw hubError("E_HASH", url, `the content's hash is not ${hashOf(file)}, which the hub lists`);
      // Once more, in the one other way that there is: the ranges may be what is wrong.
      way = { ...way, byRanges: false };
    } catch (error) {
      if (error instanceof ChangedFile) {
        changes++;
        if (changes > 1 && hashOf(file) === undefined) throw changed(url, error);
        way = { ...way, byEtag: changes === 1 };
      } else if (isR1Error(error) && error.code === "E_HTTP_RANGE" && way.byRanges) {
        way = { ...way, byRanges: false };
        continue;
      } else if (!isR1Error(error) || error.code !== "E_HASH") throw error;
      else {
        await removePart(store, file);
        throw error;
      }
    }
    await removePart(store, file);
  }
  await store.rename(part, file.path);
  await store.remove(`${part}.json`);
  meter.finish(file.size);
}

/** @returns whether the part, which is whole then, is what the hub lists */
async function fetchPart(environment: FileEnvironment, url: URL, file: HubFile, way: Way): Promise<boolean> {
  const { hub, store, meter, settings, signal } = environment;
  const hasher = hasherOf(file, environment.newSha256);
  const note = await readNote(store, file);
  const part = await store.openPart(`${file.path}.part`);
  try {
    // A part of something else, or longer than the file, begins afresh.
    if (!note || part.size > file.size) await part.clear();
    if (part.size > 0) {
      meter.begin("checking", file.path, part.size);
      await rehash(environment, `${file.path}.part`, hasher);
    }
    meter.begin("downloading", file.path, part.size);
    const transfer = new Transfer(hub, url, file, settings, (bytes) => meter.received(bytes), signal);
    transfer.checksEtag = way.byEtag;
    transfer.etag = note?.etag;
    let noted = note !== undefined;
    for await (const bytes of way.byRanges ? transfer.ranges(part.size) : transfer.whole(part.size)) {
      // Before the first bytes, so that a part never lacks it.
      if (!noted) await writeNote(store, file, transfer.etag);
      noted = true;
      hasher.update(bytes);
      await part.append(bytes);
    }
  } finally {
    await part.close();
  }
  return (await hasher.digest()) === hashOf(file);
}

async function removePart(store: ModelStore, { path }: HubFile): Promise<void> {
  await store.remove(`${path}.part`);
  await store.remove(`${path}.part.json`);
}

/** What an earlier visit has left is hashed again: it may have been cut off in the middle of a write. */
async function rehash({ store, signal }: FileEnvironment, part: string, hasher: Pick<Hasher, "update">): Promise<void> {
  const source = await store.open(part, signal);
  for (let at = 0; source && at < source.size; at += READ_BYTES) {
    hasher.update(await source.read(at, Math.min(READ_BYTES, source.size - at), signal));
  }
}

/** The note of a part of this very content. */
async function readNote(store: ModelStore, file: HubFile): Promise<Note | undefined> {
  const json = await readJson(store, `${file.path}.part.json`).catch((): undefined => undefined);
  const parsed = v.safeParse(noteSchema, json);
  const isOfThis = parsed.success && parsed.output.size === file.size && parsed.output.hash === hashOf(file);
  return isOfThis ? parsed.output : undefined;
}

async function writeNote(store: ModelStore, file: HubFile, etag: string | undefined): Promise<void> {
  const hash = hashOf(file);
  const note: Note = {
    size: file.size,
    ...(hash === undefined ? {} : { hash }),
    ...(etag === undefined ? {} : { etag }),
  };
  await writeJson(store, `${file.path}.part.json`, note);
}

/** What the listing says about the content, as far as it can be checked. */
function hashOf({ sha256, gitOid, size }: HubFile): string | undefined {
  return sha256 ?? (size <= MAX_GIT_BYTES ? gitOid : undefined);
}

function hasherOf(
  file: HubFile,
  newSha256: () => Hasher,
): { readonly update: Hasher["update"]; readonly digest: () => Promise<string | undefined> } {
  if (file.sha256 !== undefined) return newSha256();
  return hashOf(file) === undefined
    ? { update: () => undefined, digest: async () => undefined }
    : new GitBlobHasher(file.size);
}

/** SHA-1 of git's blob: of files that git itself keeps, which are small. */
class GitBlobHasher implements Hasher {
  readonly #blob: Uint8Array<ArrayBuffer>;
  #at: number;

  constructor(size: number) {
    const header = new TextEncoder().encode(`blob ${size}\0`);
    this.#blob = new Uint8Array(header.length + size);
    this.#blob.set(header);
    this.#at = header.length;
  }

  update(bytes: Uint8Array): void {
    this.#blob.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  async digest(): Promise<string> {
    return bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-1", this.#blob)));
  }
}

function changed(url: URL, cause: ChangedFile): R1Error {
  const { code, message, details } = hubError("E_HUB_MOVED", url, "the file changes while it is downloaded");
  return new R1Error(code, message, details, { cause });
}
